package main

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"nepenthes/events"
	"nepenthes/shared/auth"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/console/session"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fanout"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/outbound"
	"nepenthes/shared/sender"
	"nepenthes/shared/store"
	"nepenthes/shared/sweep"
	"nepenthes/shared/vault"
	"nepenthes/shared/webhook"
)

// upgraded is the current version with the data of an earlier one, a while after the earlier one stopped.
type upgraded struct {
	known
	store    database
	keys     *vault.Local
	now      time.Time
	messages map[lane.Name][]lane.Message // the messages that were on the lanes

	sender *sender.Sender
	bells  []lane.Message // doorbells sent since then
	posts  []outbound.Request
}

// TestDataOfTheFirstRelease opens the data of the first release, in SQLite and in DynamoDB, and continues its work.
func TestDataOfTheFirstRelease(t *testing.T) {
	t.Run("folder", func(t *testing.T) { openFirstFolder(t).continueWork(t) })
	t.Run("tables", func(t *testing.T) { openFirstTables(t).continueWork(t) })
}

func (u *upgraded) clock() time.Time { return u.now }

// Post acts as the receiver of every webhook.
func (u *upgraded) Post(_ context.Context, r outbound.Request) outbound.Result {
	u.posts = append(u.posts, r)
	return outbound.Result{Answer: &outbound.Answer{Status: http.StatusNoContent}}
}

// Send acts as every lane.
func (u *upgraded) Send(_ context.Context, messages ...lane.Message) error {
	u.bells = append(u.bells, messages...)
	return nil
}

// noDeadLetters is a lane on which nothing may be sent.
type noDeadLetters struct{}

func (noDeadLetters) Send(_ context.Context, messages ...lane.Message) error {
	return fmt.Errorf("a message became a dead letter: %s", messages[0].Body)
}

// continueWork lets the current version process the data, and checks the results.
func (u *upgraded) continueWork(t *testing.T) {
	t.Run("settings", u.checkSettings)
	t.Run("projects", u.checkProjects)
	t.Run("seals", u.checkSeals)
	t.Run("finished deliveries", u.checkEnded)
	t.Run("sign-in", u.checkSignIn)
	t.Run("token", u.checkToken)
	t.Run("session", u.checkSession)
	t.Run("waiting deliveries", func(t *testing.T) {
		u.work(t)
		u.checkDelivered(t)
		u.checkRows(t)
	})
	t.Run("a changed header", u.checkChangedHeader)
}

func (u *upgraded) checkSettings(t *testing.T) {
	got, err := u.store.Settings(t.Context())
	check(t, err)
	if !got.APIEnabled || !got.DocsEnabled || !got.CORSEnabled || got.MaxPageSize != 77 || !slices.Equal(got.AllowedOrigins, []string{"https://spa.example"}) {
		t.Errorf("got %+v", got)
	}
}

func (u *upgraded) checkProjects(t *testing.T) {
	projects, err := u.store.Projects(t.Context())
	check(t, err)
	got := map[string]string{}
	for _, p := range projects {
		got[p.ID] = p.Identifier + " " + p.Name
	}
	if diff := cmp.Diff(map[string]string{"7": "plant Plant", "8": "office Office"}, got); diff != "" {
		t.Error(diff)
	}
}

// checkSeals makes sure that the data has sealed values of version 1, which the other checks rely on.
func (u *upgraded) checkSeals(t *testing.T) {
	got := map[byte]int{}
	check(t, u.store.Webhooks(t.Context(), func(w webhook.Webhook) {
		for _, s := range w.Secrets {
			got[s.Sealed[0]]++
		}
		for _, h := range w.Headers {
			got[h.Sealed[0]]++
		}
	}))
	if diff := cmp.Diff(map[byte]int{webhook.SealVersionPlace: 7}, got); diff != "" {
		t.Error(diff)
	}
}

// checkEnded checks the attempts of a successful delivery and of a dead one.
func (u *upgraded) checkEnded(t *testing.T) {
	for name, want := range map[string]delivery.Attempt{
		"Text": {Number: 1, Outcome: delivery.OutcomeDelivered, URL: "https://receiver.example/text", Response: &delivery.Response{
			Status: http.StatusOK, Headers: http.Header{"Server": {"first"}}, Body: []byte("thanks"),
		}},
		"Key pair": {Number: 1, Outcome: delivery.OutcomeFailed, URL: "https://receiver.example/key-pair", ErrorClass: delivery.ErrTimeout, ErrorMessage: "no answer in time"},
	} {
		attempts, err := u.store.Attempts(t.Context(), u.key(t, "ended", name))
		check(t, err)
		if len(attempts) != 1 {
			t.Fatalf("%s: got %d attempts, want 1", name, len(attempts))
		}
		a := attempts[0]
		got := delivery.Attempt{
			Number: a.Number, Outcome: a.Outcome, URL: a.URL, Response: a.Response, ErrorClass: a.ErrorClass, ErrorMessage: a.ErrorMessage,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func (u *upgraded) checkSignIn(t *testing.T) {
	authenticator := auth.NewAuthenticator(auth.AuthenticatorConfig{Clients: u.store, Failures: u.store, Now: u.clock, Logger: slog.New(slog.DiscardHandler)})
	for _, c := range []credentials{u.Administrator, {u.Client.ID, u.Client.Secrets[0]}, {u.Client.ID, u.Client.Secrets[1]}} {
		if _, _, err := authenticator.SignIn(t.Context(), c.id, c.secret, "192.0.2.1"); err != nil {
			t.Errorf("%s: %v", c.id, err)
		}
	}
	if _, _, err := authenticator.SignIn(t.Context(), u.Client.ID, "another", "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("another secret: got %v, want Unauthenticated", err)
	}
}

func (u *upgraded) checkToken(t *testing.T) {
	verifying := vault.NewVerifier(vault.VerifierConfig{Pairs: u.store, Now: u.clock})
	for end, want := range map[time.Duration]bool{0: true, 14 * time.Minute: true, 15*time.Minute + time.Second: false} {
		at := func() time.Time { return u.At.Add(end) }
		verifier := auth.NewVerifier(auth.VerifierConfig{Clients: u.store, Revocations: u.store, Keys: verifying, Issuer: u.Issuer, Now: at})
		caller, err := verifier.Verify(t.Context(), u.Token)
		if (err == nil) != want || err == nil && (caller.ClientID != u.Client.ID || len(caller.Scopes) == 0) {
			t.Errorf("after %v: %+v, %v, want accepted: %v", end, caller, err, want)
		}
	}
}

func (u *upgraded) checkSession(t *testing.T) {
	for end, want := range map[time.Duration]bool{0: true, 29 * time.Minute: true, 31 * time.Minute: false} {
		at := func() time.Time { return u.At.Add(end) }
		keeper := session.NewKeeper(session.Config{Store: u.store, Clients: u.store, PlainHTTP: true, Now: at})
		r := httptest.NewRequest(http.MethodGet, "/admin", nil)
		r.Header.Set("Cookie", u.Session)
		client, err := keeper.Client(t.Context(), r, false)
		if (err == nil) != want || err == nil && client.ID != u.Client.ID {
			t.Errorf("after %v: %s, %v, want accepted: %v", end, client.ID, err, want)
		}
	}
}

// work handles the messages on the lanes, then the deliveries that the sweeper finds due, and then the doorbells that
// were sent for them.
func (u *upgraded) work(t *testing.T) {
	ctx, logger, known := t.Context(), slog.New(slog.DiscardHandler), catalogue.New(u.store)
	opener := vault.NewOpener(vault.OpenerConfig{Pairs: u.store, Unwrapper: u.keys})
	fan := fanout.New(fanout.Config{
		Matcher: known, Recorder: u.store, Projects: u.store, Deliveries: u, DeadLetters: noDeadLetters{}, Now: u.clock, Logger: logger,
	})
	u.sender = sender.New(sender.Config{
		Catalogue: known, Events: u.store, Deliveries: u.store, Webhooks: u.store, Retries: u, Opener: opener, Client: u, Now: u.clock, Logger: logger,
	})
	check(t, sweep.New(sweep.Config{Deliveries: u.store, Held: u.store, Jobs: u.store, Webhooks: u.store, Retries: u, Now: u.clock, Logger: logger}).Sweep(ctx))
	if len(u.bells) != 1 {
		t.Errorf("the sweeper sent doorbells for %d deliveries, want only the one that waits for its second attempt", len(u.bells))
	}
	for _, m := range u.messages[lane.Events] {
		check(t, fan.Handle(ctx, m))
	}
	for _, m := range slices.Concat(u.messages[lane.Deliveries], u.messages[lane.Retries], u.bells) {
		if err := u.sender.Handle(ctx, m); err != nil {
			t.Errorf("%s: %v", m.Body, err)
		}
	}
}

// wanted lists the events that each webhook gets after the upgrade, each once.
var wanted = map[string][]string{
	"Text":      {"pushed", "rung"},
	"Generated": {"ended", "pushed", "rung"}, // the second attempt of one
	"Key pair":  {"pushed", "rung"},
}

func (u *upgraded) checkDelivered(t *testing.T) {
	got := map[string][]string{}
	for _, p := range u.posts {
		i := slices.IndexFunc(u.Webhooks, func(w knownWebhook) bool { return w.PayloadURL == p.URL })
		if i < 0 {
			t.Fatalf("%s was called", p.URL)
		}
		w := u.Webhooks[i]
		for _, id := range []string{"ended", "rung", "pushed"} {
			if u.key(t, id, w.Name).ID() == sent(p.Header, "webhook-id") {
				got[w.Name] = append(got[w.Name], id)
			}
		}
		w.checkRequest(t, p)
	}
	for _, ids := range got {
		slices.Sort(ids)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
}

// checkRequest verifies a request as a receiver that has the webhook's secrets.
func (w knownWebhook) checkRequest(t *testing.T, p outbound.Request) {
	t.Helper()
	custom := map[string]string{}
	for _, name := range []string{"Authorization", "X-Team", "X-Api-Key"} {
		if values := p.Header[name]; len(values) > 0 {
			custom[name] = values[0]
		}
	}
	if !maps.Equal(custom, w.Headers) {
		t.Errorf("%s gets the headers %v, want %v", w.Name, custom, w.Headers)
	}
	for _, secret := range w.Secrets {
		if err := verifies(secret, p); err != nil {
			t.Errorf("%s: %.6s… does not verify: %v", w.Name, secret, err)
		}
	}
	if w.Name != "Text" {
		return
	}
	newest := hmac.New(sha1.New, []byte(w.Secrets[len(w.Secrets)-1]))
	newest.Write(p.Body)
	if got, want := sent(p.Header, "X-OP-Signature"), "sha1="+hex.EncodeToString(newest.Sum(nil)); got != want {
		t.Errorf("legacy signature %s, want %s", got, want)
	}
}

// verifies returns an error if the request has no signature with the secret. It ignores the time in the request.
func verifies(secret string, p outbound.Request) error {
	if encoded, pair := strings.CutPrefix(secret, "whsk_"); pair {
		private, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return err
		}
		signed := sent(p.Header, "webhook-id") + "." + sent(p.Header, "webhook-timestamp") + "." + string(p.Body)
		want := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(signed)))
		if !slices.Contains(strings.Fields(sent(p.Header, "webhook-signature")), want) {
			return fmt.Errorf("there is no signature %s", want)
		}
		return nil
	}
	verifier, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if strings.HasPrefix(secret, "whsec_") {
		verifier, err = standardwebhooks.NewWebhook(secret)
	}
	if err != nil {
		return err
	}
	h := http.Header{}
	for name, values := range p.Header {
		h.Set(name, values[0])
	}
	return verifier.VerifyIgnoringTimestamp(p.Body, h)
}

// checkRows checks the rows of deliveries: those that waited are delivered, and those that had ended are unchanged.
func (u *upgraded) checkRows(t *testing.T) {
	got := map[string]string{}
	for _, w := range u.Webhooks {
		page, err := u.store.Deliveries(t.Context(), store.Query{Webhook: w.ID, Limit: 100})
		check(t, err)
		for _, d := range page.Deliveries {
			got[w.Name+" "+d.EventID] = strings.Join(strings.Fields(fmt.Sprintln(d.State, d.Reason, d.AttemptCount)), " ")
		}
	}
	want := map[string]string{
		"Text ended": "delivered 1", "Text rung": "delivered 1", "Text pushed": "delivered 1",
		"Generated ended": "delivered 2", "Generated rung": "delivered 1", "Generated pushed": "delivered 1",
		"Key pair ended": "dead exhausted 1", "Key pair rung": "delivered 1", "Key pair pushed": "delivered 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// checkChangedHeader seals one header of a webhook again, keeps the values that the first release sealed, and delivers with
// both.
func (u *upgraded) checkChangedHeader(t *testing.T) {
	w, err := u.store.Webhook(t.Context(), u.Webhooks[0].ID)
	check(t, err)
	sealer := vault.NewSealer(vault.SealerConfig{Pairs: u.store, Maker: u.keys, Now: u.clock})
	h := &w.Headers[0]
	h.Sealed, err = sealer.Seal(t.Context(), []byte("given again"), webhook.HeaderInfo(w.ID, w.PayloadURL, h.Name))
	check(t, err)
	check(t, u.store.PutWebhook(t.Context(), &w))
	event, err := u.store.Event(t.Context(), events.KeyOf("urn:first", "pushed"))
	check(t, err)
	event.ID = "later"
	event, _, _, err = u.store.PutEvent(t.Context(), event, []string{w.ID})
	check(t, err)
	u.posts = nil
	check(t, u.sender.Handle(t.Context(), lane.Doorbell(event.DeliveryKey(w.ID).ID(), w.ID)))
	given := u.Webhooks[0]
	given.Headers = maps.Clone(given.Headers)
	given.Headers[h.Name] = "given again"
	given.checkRequest(t, u.posts[0])
}

// key returns the key of an event's delivery to a webhook.
func (u *upgraded) key(t *testing.T, event, name string) delivery.Key {
	t.Helper()
	recorded, err := u.store.Event(t.Context(), events.KeyOf("urn:first", event))
	check(t, err)
	i := slices.IndexFunc(u.Webhooks, func(w knownWebhook) bool { return w.Name == name })
	return recorded.DeliveryKey(u.Webhooks[i].ID)
}

// TestTheProgramOpensTheFirstFolder checks that the program itself serves and changes the data of the first release.
func TestTheProgramOpensTheFirstFolder(t *testing.T) {
	u := readKnown(t, "folder")
	p := start(t, "-demo=false", "-data", copyFirstFolder(t))
	for _, w := range u.Webhooks {
		shown := p.call(http.MethodGet, "/api/v3/webhooks/"+w.ID, "", http.StatusOK)
		if shown["name"] != w.Name || shown["payloadUrl"] != w.PayloadURL {
			t.Errorf("got %v, want %+v", shown, w)
		}
		p.call(http.MethodPatch, "/api/v3/webhooks/"+w.ID, `{"description":"kept"}`, http.StatusOK)
	}
}

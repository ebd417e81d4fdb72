package sender_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"

	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/outbound"
	"nepenthes/shared/payload"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

const (
	olderSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newerSecret  = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	expired      = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	headerSecret = "do-not-show-me"
)

// secret seals text as a secret of w.
func (r *rig) secret(w *webhook.Webhook, text string, expires time.Time) {
	r.t.Helper()
	parsed, err := signing.Parse(text)
	must(r.t, err)
	s := webhook.Secret{ID: id.New(id.Secret, start), Kind: parsed.Kind(), PublicKey: parsed.PublicKey(), CreatedAt: start, ExpiresAt: expires}
	s.Sealed, err = r.sealer.Seal(r.t.Context(), []byte(text), webhook.SecretInfo(w.ID, s.ID))
	must(r.t, err)
	w.Secrets = append(w.Secrets, s)
}

// full returns a webhook with every kind of signature and with custom headers.
func (r *rig) full(keyPair string, format webhook.Format) webhook.Webhook {
	r.t.Helper()
	return r.webhook(func(w *webhook.Webhook) {
		w.PayloadFormat, w.LegacySignature = format, true
		r.secret(w, expired, start.Add(-time.Second))
		r.secret(w, olderSecret, r.now.Add(time.Hour))
		r.secret(w, keyPair, time.Time{})
		r.secret(w, newerSecret, time.Time{})
		sealed, err := r.sealer.Seal(r.t.Context(), []byte(headerSecret), webhook.HeaderInfo(w.ID, w.PayloadURL, "X-Team"))
		must(r.t, err)
		w.Headers = []webhook.Header{{Name: "X-Team", Sealed: sealed}}
	})
}

func TestReceiversAcceptSignedRequests(t *testing.T) {
	pair := signing.GenerateEd25519()
	for _, format := range webhook.Formats() {
		t.Run(string(format), func(t *testing.T) {
			r := newRig(t)
			r.now = time.Now().Truncate(time.Second) // the libraries refuse timestamps that are old
			w := r.full(pair.Text(), format)
			e := r.event(delivery.TriggerSchedule, w)
			must(t, r.ring(e, w))
			post := r.posts[0]
			h := http.Header{}
			for name, values := range post.Header {
				h.Set(name, values[0])
			}
			for _, secret := range []string{olderSecret, newerSecret} {
				accepted(t, secret, post.Body, h, true)
				accepted(t, secret, append(slices.Clone(post.Body), ' '), h, false)
				other := h.Clone()
				other.Set("webhook-id", h.Get("webhook-id")+"x")
				accepted(t, secret, post.Body, other, false)
			}
			accepted(t, expired, post.Body, h, false)
			checkEd25519(t, pair.PublicKey(), h, post.Body)
			newest, err := signing.Parse(newerSecret)
			must(t, err)
			if got, want := sent(post, "X-OP-Signature"), signing.Legacy(newest, post.Body); got != want {
				t.Errorf("got legacy signature %s, want %s", got, want)
			}
			if got := sent(post, "X-Team"); got != headerSecret {
				t.Errorf("got custom header %q, want %q", got, headerSecret)
			}
		})
	}
}

// accepted checks whether the official libraries of Standard Webhooks and Svix accept a request.
func accepted(t *testing.T, secret string, body []byte, h http.Header, want bool) {
	t.Helper()
	standard, err := standardwebhooks.NewWebhook(secret)
	must(t, err)
	if err := standard.Verify(body, h); (err == nil) != want {
		t.Errorf("Standard Webhooks: got error %v, want accepted = %v", err, want)
	}
	other, err := svix.NewWebhook(secret)
	must(t, err)
	if err := other.Verify(body, h); (err == nil) != want {
		t.Errorf("Svix: got error %v, want accepted = %v", err, want)
	}
}

func checkEd25519(t *testing.T, public string, h http.Header, body []byte) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(public, "whpk_"))
	must(t, err)
	signed := []byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body))
	for _, signature := range strings.Fields(h.Get("webhook-signature")) {
		if text, ok := strings.CutPrefix(signature, "v1a,"); ok {
			raw, err := base64.StdEncoding.DecodeString(text)
			must(t, err)
			if !ed25519.Verify(key, signed, raw) {
				t.Error("the v1a signature does not verify")
			}
			return
		}
	}
	t.Errorf("got signatures %q, want one that begins with v1a", h.Get("webhook-signature"))
}

func TestNoSignatureWithoutALiveSecret(t *testing.T) {
	r := newRig(t)
	w := r.webhook(func(w *webhook.Webhook) {
		w.LegacySignature = true
		r.secret(w, expired, start.Add(-time.Second))
	})
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	for _, name := range []string{"webhook-signature", "X-OP-Signature"} {
		if _, there := r.posts[0].Header[name]; there {
			t.Errorf("the request has the header %s", name)
		}
	}
	if a := r.attempts(e, w)[0]; a.Signed || a.Legacy {
		t.Errorf("the attempt was recorded as signed: %+v", a)
	}
}

// The request that users see for an attempt equals the sent request byte for byte, even after the format, the secrets and
// the headers of the webhook have changed.
func TestShownRequestsEqualSentRequests(t *testing.T) {
	for _, format := range webhook.Formats() {
		t.Run(string(format), func(t *testing.T) {
			r := newRig(t)
			r.answer = func(outbound.Request) outbound.Result { return answered(500) }
			w := r.full(signing.GenerateEd25519().Text(), format)
			e := r.event(delivery.TriggerSchedule, w)
			must(t, r.ring(e, w))
			w.PayloadFormat, w.Secrets, w.Headers, w.LegacySignature = webhook.FormatStandard, nil, nil, false
			must(t, r.store.PutWebhook(t.Context(), &w))
			r.advance(5 * time.Second)
			must(t, r.ringAgain(e, w))
			stored, err := r.store.Event(t.Context(), e.Key())
			must(t, err)
			for i, request := range payload.Requests(&stored, e.DeliveryKey(w.ID), r.attempts(e, w), true) {
				want := delivery.Joined(r.posts[i].Header)
				for _, secret := range []string{"webhook-signature", "X-OP-Signature", "X-Team"} {
					if _, there := want[secret]; there {
						want[secret] = "***"
					}
				}
				if diff := cmp.Diff(want, request.Headers); diff != "" {
					t.Errorf("attempt %d: %s", i+1, diff)
				}
				if diff := cmp.Diff(string(r.posts[i].Body), *request.Body); diff != "" {
					t.Errorf("attempt %d: %s", i+1, diff)
				}
			}
		})
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(500) }
	w := r.full(signing.GenerateEd25519().Text(), webhook.FormatNepenthes)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	signature := sent(r.posts[0], "webhook-signature")
	for _, secret := range []string{olderSecret, newerSecret, headerSecret, signature, string(e.Data)} {
		if strings.Contains(r.logs.String(), secret) {
			t.Errorf("the log contains %.12s…", secret)
		}
	}
}

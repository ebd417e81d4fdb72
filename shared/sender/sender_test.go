package sender_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/events"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
	"nepenthes/shared/record"
	"nepenthes/shared/sender"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/store"
	"nepenthes/shared/vault"
	"nepenthes/shared/webhook"
)

var start = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)

// rig is a sender with a store in memory, a clock that advances only when advance is called, and a receiver that is a
// function.
type rig struct {
	t      testing.TB
	store  *sqlite.DB
	sealer *vault.Sealer
	opener *vault.Opener
	sender *sender.Sender
	logs   *bytes.Buffer

	mu     sync.Mutex
	now    time.Time
	answer func(r outbound.Request) outbound.Result
	posts  []outbound.Request
	bells  []lane.Message
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, now: start, answer: func(outbound.Request) outbound.Result { return answered(200) }, logs: &bytes.Buffer{}}
	store, err := sqlite.Open("", sqlite.Options{Now: r.clock})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	keys, err := vault.OpenLocal("")
	must(t, err)
	r.store = store
	r.sealer = vault.NewSealer(vault.SealerConfig{Pairs: store, Maker: keys})
	r.opener = vault.NewOpener(vault.OpenerConfig{Pairs: store, Unwrapper: keys})
	r.sender = r.newSender(store, r)
	return r
}

// ledger is the part of a store that the sender uses.
type ledger interface {
	sender.Events
	sender.Deliveries
	sender.Webhooks
	catalogue.Store
}

// newSender returns another sender with the given store and client, as in a second process.
func (r *rig) newSender(s ledger, client sender.Client) *sender.Sender {
	r.t.Helper()
	return sender.New(sender.Config{
		Catalogue: catalogue.New(s), Events: s, Deliveries: s, Webhooks: s, Retries: r, Opener: r.opener, Client: client,
		Now: r.clock, Dice: func() float64 { return 0.5 },
		Logger: slog.New(slog.NewJSONHandler(&lockedLog{r}, nil)),
	})
}

// lockedLog writes to the log of a rig while it holds the lock of the rig.
type lockedLog struct{ *rig }

func (s *lockedLog) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logs.Write(p)
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// advance advances the clock by d.
func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// Post is the receiver.
func (r *rig) Post(_ context.Context, req outbound.Request) outbound.Result {
	r.mu.Lock()
	r.posts = append(r.posts, req)
	answer := r.answer
	r.mu.Unlock()
	return answer(req)
}

// Send is the lane of retries.
func (r *rig) Send(_ context.Context, messages ...lane.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bells = append(r.bells, messages...)
	return nil
}

// webhook creates a webhook for all events, modified by change.
func (r *rig) webhook(change func(w *webhook.Webhook)) webhook.Webhook {
	r.t.Helper()
	w := webhook.Webhook{
		ID: id.New(id.Webhook, start), PayloadURL: "https://receiver.example/hooks", Enabled: true,
		Subscription:  webhook.Subscription{Events: []string{"*"}, Projects: webhook.Projects{All: true}},
		PayloadFormat: webhook.FormatNepenthes, Timeout: limits.ExchangeTimeout, RetrySchedule: webhook.ScheduleStandard,
		CreatedAt: start, UpdatedAt: start, StatusSince: start,
	}
	w.Name = w.ID
	if change != nil {
		change(&w)
	}
	must(r.t, r.store.PutWebhook(r.t.Context(), &w))
	return w
}

// event records an event for the webhooks, as fan-out does.
func (r *rig) event(trigger delivery.Trigger, webhooks ...webhook.Webhook) record.Event {
	r.t.Helper()
	now := r.clock()
	rec := record.Event{
		Event: events.Event{
			ID: id.New(id.Event, now), Source: events.DefaultSource, Type: "work_package:updated",
			OccurredAt: "2026-01-02T11:00:00Z", Project: &events.Project{ID: "7"}, Data: json.RawMessage(`{"id":1}`),
		},
		ReceivedAt: now, ExpiresAt: now.Add(limits.RetentionDays * 24 * time.Hour), Trigger: trigger,
	}
	var plan []string
	for _, w := range webhooks {
		plan = append(plan, w.ID)
	}
	stored, _, _, err := r.store.PutEvent(r.t.Context(), rec, plan)
	must(r.t, err)
	return stored
}

// ring passes the first doorbell of the event's delivery to w to the sender.
func (r *rig) ring(e record.Event, w webhook.Webhook) error {
	return r.sender.Handle(r.t.Context(), lane.Doorbell(e.DeliveryKey(w.ID).ID(), w.ID))
}

// ringAgain passes a doorbell for a delivery that has a row to the sender.
func (r *rig) ringAgain(e record.Event, w webhook.Webhook) error {
	return r.sender.Handle(r.t.Context(), lane.DoorbellAgain(e.DeliveryKey(w.ID).ID(), w.ID, 0))
}

func (r *rig) delivery(e record.Event, w webhook.Webhook) delivery.Delivery {
	r.t.Helper()
	d, err := r.store.Delivery(r.t.Context(), e.DeliveryKey(w.ID))
	must(r.t, err)
	return d
}

func (r *rig) attempts(e record.Event, w webhook.Webhook) []delivery.Attempt {
	r.t.Helper()
	all, err := r.store.Attempts(r.t.Context(), e.DeliveryKey(w.ID))
	must(r.t, err)
	return all
}

// sent returns the first value of a header of a request. The case of name counts.
func sent(r outbound.Request, name string) string { return r.Header[name][0] }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answered returns a complete answer with the given status and header lines.
func answered(status int, header ...string) outbound.Result {
	r := outbound.Result{Answer: &outbound.Answer{Status: status, Header: http.Header{}}, Started: start}
	for i := 0; i < len(header); i += 2 {
		r.Answer.Header.Add(header[i], header[i+1])
	}
	if status/100 != 2 {
		r.Class = delivery.ErrStatus
	}
	return r
}

func failed(class delivery.ErrorClass) outbound.Result {
	return outbound.Result{Class: class, Message: "It failed."}
}

// TestOutcomes checks what an answer of the receiver means for the delivery.
func TestOutcomes(t *testing.T) {
	type want struct {
		state  delivery.State
		reason delivery.Reason
		wait   time.Duration
		class  delivery.ErrorClass
	}
	plain := want{delivery.Retrying, "", 5 * time.Second, delivery.ErrStatus}
	waiting := func(d time.Duration) want { return want{delivery.Retrying, "", d, delivery.ErrStatus} }
	broken := answered(410)
	broken.Class = delivery.ErrTimeout
	late := answered(503, "Retry-After", "3600")
	late.Class = delivery.ErrReset
	for name, c := range map[string]struct {
		answer outbound.Result
		want   want
	}{
		"200":                                 {answered(200), want{delivery.Delivered, "", 0, ""}},
		"204":                                 {answered(204), want{delivery.Delivered, "", 0, ""}},
		"299":                                 {answered(299), want{delivery.Delivered, "", 0, ""}},
		"301, never followed":                 {answered(301, "Location", "https://other.example/"), plain},
		"304":                                 {answered(304), plain},
		"400":                                 {answered(400), plain},
		"404":                                 {answered(404), plain},
		"410":                                 {answered(410), want{delivery.Dead, delivery.Gone, 0, delivery.ErrStatus}},
		"410 with an incomplete body":         {broken, want{delivery.Retrying, "", 5 * time.Second, delivery.ErrTimeout}},
		"500":                                 {answered(500), plain},
		"Retry-After in seconds":              {answered(503, "Retry-After", "3600"), waiting(63 * time.Minute)},
		"Retry-After as a date":               {answered(429, "Retry-After", start.Add(time.Hour).Format(http.TimeFormat)), waiting(63 * time.Minute)},
		"Retry-After of an incomplete answer": {late, want{delivery.Retrying, "", 5 * time.Second, delivery.ErrReset}},
		"Retry-After is before the retry":     {answered(503, "Retry-After", "1"), plain},
		"Retry-After is above a day":          {answered(503, "Retry-After", "999999"), waiting(24 * time.Hour)},
		"Retry-After is a date far away":      {answered(503, "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"), waiting(24 * time.Hour)},
		"Retry-After is in the past":          {answered(503, "Retry-After", start.Add(-time.Hour).Format(http.TimeFormat)), plain},
		"Retry-After is junk":                 {answered(503, "Retry-After", "soon"), plain},
		"Retry-After is negative":             {answered(503, "Retry-After", "-5"), plain},
		"Retry-After is a fraction":           {answered(503, "Retry-After", "3600.5"), plain},
		"Retry-After overflows":               {answered(503, "Retry-After", "99999999999999999999"), plain},
		"Retry-After overflows nanoseconds":   {answered(503, "Retry-After", "9223372037"), plain},
		"Retry-After with another status":     {answered(404, "Retry-After", "3600"), plain},
		"connection refused":                  {failed(delivery.ErrConnect), want{delivery.Retrying, "", 5 * time.Second, delivery.ErrConnect}},
		"a blocked address":                   {failed(delivery.ErrBlocked), want{delivery.Retrying, "", 5 * time.Second, delivery.ErrBlocked}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.answer = func(outbound.Request) outbound.Result { return c.answer }
			w := r.webhook(nil)
			e := r.event(delivery.TriggerSchedule, w)
			must(t, r.ring(e, w))
			d := r.delivery(e, w)
			got := want{state: d.State, reason: d.Reason, class: d.Last.ErrorClass}
			if !d.NextAttemptAt.IsZero() {
				got.wait = d.NextAttemptAt.Sub(start)
			}
			if got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if d.AttemptCount != 1 || d.Lease != nil {
				t.Errorf("got %d attempts and lease %v, want 1 and none", d.AttemptCount, d.Lease)
			}
		})
	}
}

func TestDoorbellAfterAFailure(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(500) }
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	var delays []time.Duration
	for len(r.bells) > 0 {
		bell := r.bells[0]
		r.bells = nil
		if bell.Group != w.ID {
			t.Errorf("got a doorbell with group %q, want %q", bell.Group, w.ID)
		}
		delays = append(delays, bell.Delay)
		r.advance(bell.Delay)
		must(t, r.sender.Handle(t.Context(), bell))
	}
	// The third wait is too long for a lane. The sweeper sends its doorbell.
	if diff := cmp.Diff([]time.Duration{5 * time.Second, 5 * time.Minute}, delays); diff != "" {
		t.Error(diff)
	}
	if d := r.delivery(e, w); d.AttemptCount != 3 || d.NextAttemptAt.Sub(r.now) != 30*time.Minute {
		t.Errorf("got %d attempts and the next after %v, want 3 and 30m", d.AttemptCount, d.NextAttemptAt.Sub(r.now))
	}
}

func TestGoneDisablesTheWebhook(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(410) }
	w := r.webhook(nil)
	first, second := r.event(delivery.TriggerSchedule, w), r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(first, w))
	must(t, r.ring(second, w))
	got, err := r.store.Webhook(t.Context(), w.ID)
	must(t, err)
	if got.Enabled || got.DisabledReason != webhook.Gone || got.LockVersion != w.LockVersion+1 {
		t.Errorf("got enabled %v, reason %q, version %d; want false, %q, %d", got.Enabled, got.DisabledReason, got.LockVersion, webhook.Gone, w.LockVersion+1)
	}
	if d := r.delivery(second, w); d.State != delivery.Skipped || d.Reason != delivery.Disabled {
		t.Errorf("the second delivery is %s (%s), want skipped (disabled)", d.State, d.Reason)
	}
	if len(r.posts) != 1 {
		t.Errorf("got %d requests, want 1", len(r.posts))
	}
}

func TestRulesAreReadAtEachAttempt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *rig, w *webhook.Webhook)
		want   delivery.Reason
	}{
		"disabled": {func(r *rig, w *webhook.Webhook) {
			w.Disable(webhook.Manual, r.now)
			must(r.t, r.store.PutWebhook(r.t.Context(), w))
		}, delivery.Disabled},
		"deleted": {func(r *rig, w *webhook.Webhook) { must(r.t, r.store.DeleteWebhook(r.t.Context(), w.ID, 0)) }, delivery.Deleted},
		"another event": {func(r *rig, w *webhook.Webhook) {
			w.Subscription.Events = []string{"time_entry:*"}
			must(r.t, r.store.PutWebhook(r.t.Context(), w))
		}, delivery.Unsubscribed},
		"another project": {func(r *rig, w *webhook.Webhook) {
			w.Subscription.Projects = webhook.Projects{IDs: []string{"8"}}
			must(r.t, r.store.PutWebhook(r.t.Context(), w))
		}, delivery.Unsubscribed},
	} {
		t.Run(name+" before the first attempt", func(t *testing.T) {
			r := newRig(t)
			w := r.webhook(nil)
			e := r.event(delivery.TriggerSchedule, w)
			must(t, r.ring(e, r.webhook(nil))) // so that the catalogue is loaded before the change
			c.change(r, &w)
			posts := len(r.posts)
			must(t, r.ring(e, w))
			d := r.delivery(e, w)
			if d.State != delivery.Skipped || d.Reason != c.want || d.AttemptCount != 0 || len(r.posts) != posts {
				t.Errorf("got %s (%s) after %d attempts and %d requests, want skipped (%s) without either", d.State, d.Reason, d.AttemptCount, len(r.posts)-posts, c.want)
			}
		})
		t.Run(name+" before a retry", func(t *testing.T) {
			r := newRig(t)
			r.answer = func(outbound.Request) outbound.Result { return answered(500) }
			w := r.webhook(nil)
			e := r.event(delivery.TriggerSchedule, w)
			must(t, r.ring(e, w))
			c.change(r, &w)
			r.advance(5 * time.Second)
			must(t, r.ringAgain(e, w))
			d := r.delivery(e, w)
			if d.State != delivery.Skipped || d.Reason != c.want || d.AttemptCount != 1 || !d.SweepAt.IsZero() {
				t.Errorf("got %s (%s) after %d attempts, due at %v; want skipped (%s) after 1, not due again", d.State, d.Reason, d.AttemptCount, d.SweepAt, c.want)
			}
		})
	}
}

func TestAPingIgnoresTheRules(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(410) }
	w := r.webhook(func(w *webhook.Webhook) {
		w.Enabled, w.DisabledReason = false, webhook.Manual
		w.Subscription = webhook.Subscription{Events: []string{"time_entry:*"}, Projects: webhook.Projects{IDs: []string{"8"}}}
	})
	e := r.event(delivery.TriggerPing, w)
	must(t, r.ring(e, w))
	d := r.delivery(e, w)
	if d.State != delivery.Dead || d.Reason != delivery.Gone || d.AttemptCount != 1 || r.attempts(e, w)[0].Trigger != delivery.TriggerPing {
		t.Errorf("got %s (%s) after %d attempts, want dead (gone) after 1", d.State, d.Reason, d.AttemptCount)
	}
	if got, err := r.store.Webhook(t.Context(), w.ID); err != nil || got.LockVersion != w.LockVersion {
		t.Errorf("got webhook %+v and error %v after a 410 to a ping, want the webhook unchanged", got, err)
	}
	page, err := r.store.Deliveries(t.Context(), store.Query{State: delivery.Dead, Limit: 10})
	if err != nil || len(page.Deliveries) != 0 {
		t.Errorf("got %d deliveries that need a person and error %v, want neither: a ping does not need a person", len(page.Deliveries), err)
	}
}

// TestReencodedDoorbell sends doorbells in other encodings, because a message may be encoded again on its way.
func TestReencodedDoorbell(t *testing.T) {
	for name, form := range map[string]string{
		"a blank":         `{"delivery": "%s"}`,
		"white space":     "\n{ \"delivery\"\t: \"%s\" }\r\n",
		"an escaped name": `{"\u0064elivery":"%s"}`,
		"another member":  `{"again":true,"delivery":"%s"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.webhook(nil)
			e := r.event(delivery.TriggerSchedule, w)
			body := fmt.Sprintf(form, e.DeliveryKey(w.ID).ID())
			must(t, r.sender.Handle(t.Context(), lane.Message{ID: "m", Body: []byte(body), Group: w.ID}))
			if d := r.delivery(e, w); d.State != delivery.Delivered || len(r.posts) != 1 {
				t.Errorf("got %s after %d requests, want delivered after 1", d.State, len(r.posts))
			}
		})
	}
	t.Run("an escaped id", func(t *testing.T) {
		r := newRig(t)
		w := r.webhook(nil)
		e := r.event(delivery.TriggerSchedule, w)
		body := strings.Replace(`{"delivery":"`+e.DeliveryKey(w.ID).ID()+`"}`, "dlv_", `\u0064lv\u005f`, 1)
		must(t, r.sender.Handle(t.Context(), lane.Message{ID: "m", Body: []byte(body)}))
		if len(r.posts) != 1 {
			t.Errorf("got %d requests, want 1", len(r.posts))
		}
	})
}

func TestCopiesOfADoorbell(t *testing.T) {
	t.Run("a copy during an attempt is not acknowledged", func(t *testing.T) {
		r := newRig(t)
		w := r.webhook(nil)
		e := r.event(delivery.TriggerSchedule, w)
		var copies []error
		r.answer = func(outbound.Request) outbound.Result {
			copies = append(copies, r.ring(e, w), r.ringAgain(e, w))
			return answered(200)
		}
		must(t, r.ring(e, w))
		if len(copies) != 2 || copies[0] == nil || copies[1] == nil {
			t.Errorf("got errors %v for the copies, want two", copies)
		}
		if len(r.posts) != 1 {
			t.Errorf("got %d requests, want 1", len(r.posts))
		}
	})
	t.Run("a copy after the delivery is acknowledged", func(t *testing.T) {
		r := newRig(t)
		w := r.webhook(nil)
		e := r.event(delivery.TriggerSchedule, w)
		for range 3 {
			must(t, r.ring(e, w))
			must(t, r.ringAgain(e, w))
		}
		if len(r.posts) != 1 || len(r.attempts(e, w)) != 1 {
			t.Errorf("got %d requests and %d attempts, want 1 and 1", len(r.posts), len(r.attempts(e, w)))
		}
	})
	t.Run("a copy before the retry is acknowledged and changes nothing", func(t *testing.T) {
		r := newRig(t)
		r.answer = func(outbound.Request) outbound.Result { return answered(500) }
		w := r.webhook(nil)
		e := r.event(delivery.TriggerSchedule, w)
		must(t, r.ring(e, w))
		before := r.delivery(e, w)
		must(t, r.ring(e, w))
		if diff := cmp.Diff(before, r.delivery(e, w)); diff != "" || len(r.posts) != 1 {
			t.Errorf("got %d requests, want 1; the delivery changed: %s", len(r.posts), diff)
		}
	})
	t.Run("concurrent copies cause one attempt", func(t *testing.T) {
		r := newRig(t)
		w := r.webhook(nil)
		e := r.event(delivery.TriggerSchedule, w)
		other := r.newSender(r.store, r)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				s := r.sender
				if i%2 == 0 {
					s = other
				}
				_ = s.Handle(t.Context(), lane.Doorbell(e.DeliveryKey(w.ID).ID(), w.ID))
			})
		}
		wg.Wait()
		if len(r.posts) != 1 {
			t.Errorf("got %d requests, want 1", len(r.posts))
		}
	})
}

// A process that dies between claim and outcome leaves a lease. The first doorbell after the lease makes the attempt
// with the same number and id.
func TestASenderThatDies(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	r.answer = func(outbound.Request) outbound.Result { panic("killed") }
	func() {
		defer func() { _ = recover() }()
		_ = r.ring(e, w)
	}()
	r.answer = func(outbound.Request) outbound.Result { return answered(200) }
	if err := r.ring(e, w); err == nil {
		t.Error("got no error during the lease, so the copy would be acknowledged")
	}
	r.advance(limits.Lease)
	must(t, r.ring(e, w))
	if len(r.posts) != 2 || sent(r.posts[0], "webhook-id") != sent(r.posts[1], "webhook-id") ||
		sent(r.posts[1], "X-Nepenthes-Attempt") != "1" {
		t.Errorf("got requests %v, want two with the same id and the attempt number 1", r.posts)
	}
	if d := r.delivery(e, w); d.State != delivery.Delivered || d.AttemptCount != 1 {
		t.Errorf("got %s after %d attempts, want delivered after 1", d.State, d.AttemptCount)
	}
}

// A sender may finish its attempt after its lease has ended and another sender has claimed the delivery. The outcome of
// the other sender remains.
func TestALateSender(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	first := true
	r.answer = func(outbound.Request) outbound.Result {
		if !first {
			return answered(200)
		}
		first = false
		r.advance(limits.Lease)
		must(t, r.ring(e, w))
		return answered(500)
	}
	must(t, r.ring(e, w))
	if d := r.delivery(e, w); d.State != delivery.Delivered || d.AttemptCount != 1 || len(r.bells) != 0 {
		t.Errorf("got %s after %d attempts and %d doorbells, want delivered after 1 and none", d.State, d.AttemptCount, len(r.bells))
	}
}

func TestAnAbortedExchangeIsNotAnAttempt(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	r.answer = func(outbound.Request) outbound.Result { return outbound.Result{Aborted: true} }
	if err := r.ring(e, w); err == nil {
		t.Error("got no error, so the doorbell would be acknowledged")
	}
	if n := len(r.attempts(e, w)); n != 0 {
		t.Errorf("%d attempts were recorded, want none", n)
	}
}

func TestAPersonAsksForARetryDuringAnAttempt(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(500) }
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	r.answer = func(outbound.Request) outbound.Result {
		d := r.delivery(e, w)
		if _, err := d.Ask(delivery.TriggerManual, r.clock(), delivery.Clock{}); err != nil {
			t.Error(err)
		}
		if _, won, err := r.store.PutDelivery(t.Context(), d, nil); !won || err != nil {
			t.Errorf("PutDelivery returned won = %v and error %v", won, err)
		}
		return answered(500)
	}
	r.advance(5 * time.Second)
	r.bells = nil
	must(t, r.ringAgain(e, w))
	d := r.delivery(e, w)
	if d.AttemptCount != 2 || d.Extra == nil || len(r.bells) != 1 || r.bells[0].Delay != 0 {
		t.Fatalf("got %d attempts, extra attempt %v, doorbells %v; want 2, the retry, and one doorbell without delay", d.AttemptCount, d.Extra, r.bells)
	}
	r.answer = func(outbound.Request) outbound.Result { return answered(200) }
	must(t, r.sender.Handle(t.Context(), r.bells[0]))
	if d := r.delivery(e, w); d.State != delivery.Delivered || d.AttemptCount != 3 {
		t.Errorf("got %s after %d attempts, want delivered after 3", d.State, d.AttemptCount)
	}
}

func TestAnExpiredEvent(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(500) }
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	r.advance(limits.RetentionDays * 24 * time.Hour)
	for _, s := range []*sender.Sender{r.sender, r.newSender(r.store, r)} { // the first has the event in its cache
		must(t, s.Handle(t.Context(), lane.DoorbellAgain(e.DeliveryKey(w.ID).ID(), w.ID, 0)))
	}
	if d := r.delivery(e, w); d.State != delivery.Dead || d.Reason != delivery.Expired || len(r.posts) != 1 {
		t.Errorf("got %s (%s) after %d requests, want dead (expired) after 1", d.State, d.Reason, len(r.posts))
	}
}

func TestMalformedDoorbells(t *testing.T) {
	r := newRig(t)
	for _, body := range []string{"", "{}", "null", `{"delivery":1}`, `{"delivery":"dlv_x"}`, `{"delivery":"wh_1"}`, "\xff"} {
		if err := r.sender.Handle(t.Context(), lane.Message{ID: "m", Body: []byte(body)}); err == nil {
			t.Errorf("got no error for %q, so it would be acknowledged", body)
		}
	}
}

func TestStoredPartOfAnAnswer(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	long := strings.Repeat("x", limits.AnswerStored)
	r.answer = func(outbound.Request) outbound.Result {
		a := answered(503, "A", "1", "Retry-After", "3600", "Big", long, "Z", "cut off")
		a.Answer.Body = []byte(long + "more")
		return a
	}
	must(t, r.ring(e, w))
	got := r.attempts(e, w)[0].Response
	if diff := cmp.Diff(&delivery.Response{Status: 503, Headers: http.Header{"A": {"1"}}, Body: []byte(long), Truncated: true}, got); diff != "" {
		t.Error(diff)
	}
	if wait := r.delivery(e, w).NextAttemptAt.Sub(start); wait < time.Hour {
		t.Errorf("the next attempt is due after %v, want an hour or more: Retry-After counts even if it is not stored", wait)
	}
}

func TestLogLineOfAnAttempt(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	var line map[string]any
	must(t, json.Unmarshal(r.logs.Bytes(), &line))
	for key, want := range map[string]any{
		"msg": "delivery.attempted", "event": e.ID, "type": e.Type, "webhook": w.ID, "delivery": e.DeliveryKey(w.ID).ID(), "attempt": 1.0, "outcome": "delivered",
	} {
		if line[key] != want {
			t.Errorf("%s: got %v, want %v", key, line[key], want)
		}
	}
}

func TestUnavailableStoreIsAnError(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	broken := fault.New(fault.Unavailable, "no")
	s := r.newSender(failing{r.store, broken}, r)
	if err := s.Handle(t.Context(), lane.Doorbell(e.DeliveryKey(w.ID).ID(), w.ID)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got error %v, want Unavailable", err)
	}
}

// failing is a store on which PutDelivery always fails.
type failing struct {
	*sqlite.DB
	err error
}

func (f failing) PutDelivery(context.Context, delivery.Delivery, *delivery.Attempt) (delivery.Delivery, bool, error) {
	return delivery.Delivery{}, false, f.err
}

package sender_test

import (
	"bytes"
	"testing"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/outbound"
	"nepenthes/shared/webhook"
)

// pause pauses a webhook.
func (r *rig) pause(w *webhook.Webhook) {
	r.t.Helper()
	w.Pause(r.clock())
	must(r.t, r.store.PutWebhook(r.t.Context(), w))
}

// isHeld checks that a delivery is held, waits for nothing, and has had the given number of attempts.
func (r *rig) isHeld(d delivery.Delivery, attempts int) {
	r.t.Helper()
	if d.State != delivery.Held || d.Reason != delivery.Paused || !d.NextAttemptAt.IsZero() || !d.SweepAt.IsZero() || d.Lease != nil {
		r.t.Errorf("got %+v, want it held and waiting for nothing", d)
	}
	if d.AttemptCount != attempts || len(r.posts) != attempts {
		r.t.Errorf("got %d attempts and %d requests, want %d", d.AttemptCount, len(r.posts), attempts)
	}
}

func TestAFirstAttemptIsHeldWhileTheWebhookIsPaused(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	r.pause(&w)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	r.isHeld(r.delivery(e, w), 0)
	held := r.delivery(e, w)
	for range 2 { // copies of the doorbell are acknowledged
		must(t, r.ring(e, w))
		must(t, r.ringAgain(e, w))
	}
	if d := r.delivery(e, w); d.Version != held.Version {
		t.Error("a copy of the doorbell changed the delivery")
	}
	if !bytes.Contains(r.logs.Bytes(), []byte(`"msg":"delivery.held"`)) {
		t.Errorf("got the log %s, want a line delivery.held", r.logs)
	}
}

func TestARetryIsHeldWhileTheWebhookIsPaused(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(500) }
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	r.pause(&w)
	r.advance(5 * time.Second)
	must(t, r.ringAgain(e, w))
	r.isHeld(r.delivery(e, w), 1)
}

func TestARunningAttemptEndsDespiteAPause(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		want   delivery.State
	}{"with success": {200, delivery.Delivered}, "with a failure": {500, delivery.Retrying}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.webhook(nil)
			r.answer = func(outbound.Request) outbound.Result {
				r.pause(&w)
				return answered(c.status)
			}
			e := r.event(delivery.TriggerSchedule, w)
			must(t, r.ring(e, w))
			if d := r.delivery(e, w); d.State != c.want || d.AttemptCount != 1 {
				t.Errorf("got %s after %d attempts, want %s after 1", d.State, d.AttemptCount, c.want)
			}
		})
	}
}

func TestAnExtraAttemptIsMadeDespiteAPause(t *testing.T) {
	r := newRig(t)
	r.answer = func(outbound.Request) outbound.Result { return answered(500) }
	w := r.webhook(nil)
	e := r.event(delivery.TriggerSchedule, w)
	must(t, r.ring(e, w))
	r.pause(&w)
	d := r.delivery(e, w)
	_, err := d.Ask(delivery.TriggerManual, r.clock(), delivery.Clock{})
	must(t, err)
	_, _, err = r.store.PutDelivery(t.Context(), d, nil)
	must(t, err)
	must(t, r.ringAgain(e, w))
	if d := r.delivery(e, w); d.State != delivery.Retrying || d.AttemptCount != 2 {
		t.Fatalf("got %s after %d attempts, want retrying after 2", d.State, d.AttemptCount)
	}
	r.advance(5 * time.Second)
	must(t, r.ringAgain(e, w)) // the attempt of the schedule is held as any other
	r.isHeld(r.delivery(e, w), 2)
}

func TestAPingIsMadeDespiteAPause(t *testing.T) {
	r := newRig(t)
	w := r.webhook(nil)
	r.pause(&w)
	e := r.event(delivery.TriggerPing, w)
	must(t, r.ring(e, w))
	if d := r.delivery(e, w); d.State != delivery.Delivered {
		t.Errorf("got a ping that is %s, want delivered", d.State)
	}
}

func TestARefusalComesBeforeAPause(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *webhook.Webhook)
		want   delivery.Reason
	}{
		"disabled":      {func(w *webhook.Webhook) { w.Disable(webhook.Manual, start) }, delivery.Disabled},
		"another event": {func(w *webhook.Webhook) { w.Subscription.Events = []string{"time_entry:*"} }, delivery.Unsubscribed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.webhook(nil)
			e := r.event(delivery.TriggerSchedule, w)
			c.change(&w)
			r.pause(&w)
			must(t, r.ring(e, w))
			if d := r.delivery(e, w); d.State != delivery.Skipped || d.Reason != c.want {
				t.Errorf("got %s (%s), want skipped (%s)", d.State, d.Reason, c.want)
			}
		})
	}
}

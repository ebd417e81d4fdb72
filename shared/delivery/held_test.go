package delivery_test

import (
	"testing"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

func held(t *testing.T, d delivery.Delivery, now time.Time) delivery.Delivery {
	t.Helper()
	if err := d.Hold(delivery.Paused, now); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAReleasedDeliveryGoesOnWhereItWas(t *testing.T) {
	failed := fresh()
	try(t, &failed, start, 500, exact(webhook.ScheduleStandard))
	now := failed.NextAttemptAt
	for name, c := range map[string]struct {
		d    delivery.Delivery
		want delivery.State
	}{
		"before its first attempt": {fresh(), delivery.Pending},
		"before a retry":           {failed, delivery.Retrying},
	} {
		t.Run(name, func(t *testing.T) {
			d := held(t, c.d, now)
			if verdict, _ := d.Judge(now.Add(time.Hour)); verdict != delivery.Nothing {
				t.Errorf("got verdict %v for a held delivery, want nothing", verdict)
			}
			next := now.Add(20 * time.Second)
			if err := d.Release(next, now, delivery.Clock{}); err != nil {
				t.Fatal(err)
			}
			if d.State != c.want || d.Reason != "" || !d.NextAttemptAt.Equal(next) || !d.SweepAt.Equal(next.Add(limits.SweepMargin)) {
				t.Errorf("got %+v, want it %s and due at %v", d, c.want, next)
			}
			if d.AttemptCount != c.d.AttemptCount || d.Scheduled != c.d.Scheduled {
				t.Error("the pause counts as an attempt")
			}
			if verdict, _ := d.Judge(next.Add(-2 * time.Second)); verdict != delivery.Early {
				t.Errorf("got verdict %v before its time, want early", verdict)
			}
			if verdict, trigger := d.Judge(next); verdict != delivery.Go || trigger != delivery.TriggerSchedule {
				t.Errorf("got verdict %v of %s at its time, want an attempt of the schedule", verdict, trigger)
			}
		})
	}
}

func TestWhatCannotBeHeld(t *testing.T) {
	ping := recorded()
	ping.Trigger = delivery.TriggerPing
	claimed, done, early, asked := fresh(), fresh(), fresh(), fresh()
	if err := claimed.Claim("att_1", delivery.TriggerSchedule, start); err != nil {
		t.Fatal(err)
	}
	try(t, &done, start, 200, exact(webhook.ScheduleStandard))
	try(t, &early, start, 500, exact(webhook.ScheduleStandard))
	try(t, &asked, start, 500, exact(webhook.ScheduleStandard))
	ask(t, &asked, start)
	died := asked // the sender that makes the extra attempt dies
	if err := died.Claim("att_2", delivery.TriggerManual, start.Add(-limits.Lease)); err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]delivery.Delivery{
		"a ping": ping.Delivery(someWebhook), "a claimed delivery": claimed, "a delivered one": done, "one that is not due": early,
		"one with an extra attempt": asked, "one whose extra attempt a dead sender has claimed": died, "a held one": held(t, fresh(), start),
	} {
		if err := d.Hold(delivery.Paused, start); err == nil {
			t.Errorf("%s was held", name)
		}
	}
	d := fresh()
	if err := d.Hold(delivery.Disabled, start); err == nil {
		t.Error("a delivery was held for a reason that ends deliveries")
	}
}

func TestADroppedDeliveryNeedsNoPerson(t *testing.T) {
	d := held(t, fresh(), start)
	if err := d.Drop(start); err != nil {
		t.Fatal(err)
	}
	if d.State != delivery.Dead || d.Reason != delivery.Dropped || d.NeedsPerson() || !d.FinishedAt.Equal(start) {
		t.Errorf("got %+v, want it dead, dropped and finished", d)
	}
	ask(t, &d, start) // a person can change their mind
}

func TestAHeldDeliveryIsNotRetried(t *testing.T) {
	d := held(t, fresh(), start)
	if added, err := d.Ask(delivery.TriggerManual, start, delivery.Clock{}); added || err == nil {
		t.Errorf("got %v, %v, want an error", added, err)
	}
}

func TestAPostponedFirstAttemptCanBeMadeByHand(t *testing.T) {
	d := held(t, fresh(), start)
	next := start.Add(time.Minute)
	if err := d.Release(next, start, delivery.Clock{}); err != nil {
		t.Fatal(err)
	}
	ask(t, &d, start)
	try(t, &d, start, 500, exact(webhook.ScheduleStandard))
	if d.State != delivery.Pending || !d.NextAttemptAt.Equal(next) || d.SweepAt.IsZero() {
		t.Errorf("got %+v, want the first attempt of the schedule still to come", d)
	}
}

func TestAHeldDeliveryIsShownAsExpiredWithItsEvent(t *testing.T) {
	d := held(t, fresh(), start)
	expiry := d.ExpiresAt.Add(-limits.RowKept)
	if got := d.Shown(expiry.Add(-1)); got.State != delivery.Held {
		t.Errorf("got %s before the event expires, want held", got.State)
	}
	got := d.Shown(expiry)
	if got.State != delivery.Dead || got.Reason != delivery.Expired || !got.FinishedAt.Equal(expiry) {
		t.Errorf("got %+v, want it dead and expired", got)
	}
	if d.State != delivery.Held {
		t.Error("Shown changed the delivery")
	}
}

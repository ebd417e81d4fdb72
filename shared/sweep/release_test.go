package sweep_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// paused creates a paused webhook.
func (r *rig) paused() webhook.Webhook {
	r.t.Helper()
	w := webhook.Webhook{
		ID: id.New(id.Webhook, start), PayloadURL: "https://receiver.example/hooks", Enabled: true,
		Subscription:  webhook.Subscription{Events: []string{"*"}, Projects: webhook.Projects{All: true}},
		PayloadFormat: webhook.FormatNepenthes, Timeout: limits.ExchangeTimeout, RetrySchedule: webhook.ScheduleStandard,
		CreatedAt: start, UpdatedAt: start, StatusSince: start,
	}
	w.Name = w.ID
	w.Pause(start)
	must(r.t, r.store.PutWebhook(r.t.Context(), &w))
	return w
}

// hold stores n deliveries that are held for a webhook, each of an event a millisecond later than the last.
func (r *rig) hold(w webhook.Webhook, n int) (keys []delivery.Key) {
	r.t.Helper()
	for range n {
		r.held++
		received := start.Add(time.Duration(r.held) * time.Millisecond)
		rec := record.Event{
			Event:      events.Event{ID: id.New(id.Event, received), Source: events.DefaultSource, Type: "user:created"},
			ReceivedAt: received, ExpiresAt: start.Add(30 * 24 * time.Hour), Trigger: delivery.TriggerSchedule,
		}
		d := rec.Delivery(w.ID)
		must(r.t, d.Hold(delivery.Paused, r.clock()))
		r.put(d)
		keys = append(keys, d.Key)
	}
	return keys
}

func (r *rig) change(w *webhook.Webhook, change func(*webhook.Webhook)) {
	r.t.Helper()
	change(w)
	must(r.t, r.store.PutWebhook(r.t.Context(), w))
}

func (r *rig) resume(w *webhook.Webhook, release webhook.Release) {
	r.t.Helper()
	r.change(w, func(w *webhook.Webhook) { w.Resume(release, r.clock()) })
}

// states returns how many deliveries of a webhook have each state and reason.
func (r *rig) states(keys []delivery.Key) map[string]int {
	r.t.Helper()
	rows := map[delivery.Key]delivery.Delivery{}
	for part := range slices.Chunk(keys, 1000) {
		found, err := r.store.DeliveriesByKey(r.t.Context(), part...)
		must(r.t, err)
		for key, d := range found {
			rows[key] = d
		}
	}
	states := map[string]int{}
	for _, d := range rows {
		states[string(d.State)+" "+string(d.Reason)]++
	}
	return states
}

func (r *rig) jobs() int {
	r.t.Helper()
	jobs, err := r.store.ReleaseJobs(r.t.Context())
	must(r.t, err)
	return len(jobs)
}

// isAll checks that all of the deliveries have one state and reason.
func (r *rig) isAll(keys []delivery.Key, want string) {
	r.t.Helper()
	if got := r.states(keys); len(got) != 1 || got[want] != len(keys) {
		r.t.Errorf("got %v, want %d times %q", got, len(keys), want)
	}
}

func TestNothingIsReleasedDuringAPause(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	keys := r.hold(w, 3)
	for minute := range 5 {
		if bells := r.sweepAt(start.Add(time.Duration(minute) * time.Minute)); len(bells) > 0 {
			t.Fatalf("got %d doorbells, want none", len(bells))
		}
	}
	r.isAll(keys, "held paused")
	if r.jobs() != 1 {
		t.Error("the job is gone during the pause")
	}
}

func TestWhatIsHeldIsReleasedOldestFirst(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	keys := r.hold(w, 250)
	r.resume(&w, webhook.Release{PerSecond: 100})
	r.sweepAt(start)
	r.isAll(keys, "pending ")
	if len(r.bells) != len(keys) {
		t.Fatalf("got %d doorbells, want %d", len(r.bells), len(keys))
	}
	for i, key := range keys {
		d, err := r.store.Delivery(t.Context(), key)
		must(t, err)
		if want := start.Add(time.Duration(i) * 10 * time.Millisecond); !d.NextAttemptAt.Equal(want) {
			t.Fatalf("delivery %d is due at %v, want %v", i, d.NextAttemptAt, want)
		}
	}
	if bells := r.sweepAt(start.Add(time.Minute)); len(bells) != 0 {
		t.Errorf("the next sweep sent %d doorbells, want none", len(bells))
	}
}

// TestTheRateHoldsForAllSweeps releases ten thousand deliveries, with sweeps that come a little early and late.
func TestTheRateHoldsForAllSweeps(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	keys := r.hold(w, 10_000)
	r.resume(&w, webhook.Release{PerSecond: 100})
	for _, seconds := range []int{0, 59, 121, 180} {
		r.sweepAt(start.Add(time.Duration(seconds) * time.Second))
	}
	r.isAll(keys, "pending ")
	perSecond := map[int64]int{}
	var last time.Time
	for _, key := range keys {
		d, err := r.store.Delivery(t.Context(), key)
		must(t, err)
		perSecond[d.NextAttemptAt.Unix()]++
		if d.NextAttemptAt.Before(last) {
			t.Fatal("a newer delivery is due before an older one")
		}
		last = d.NextAttemptAt
	}
	for second, n := range perSecond {
		if n > 100 {
			t.Errorf("got %d deliveries in second %d, want at most 100", n, second-start.Unix())
		}
	}
	if took := last.Sub(start); took > 100*time.Second+limits.SweepPeriod {
		t.Errorf("the last delivery is due after %v, want 100 s and at most a period more", took)
	}
}

func TestHowHeldDeliveriesEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(r *rig, w *webhook.Webhook)
		want string
	}{
		"dropped": {func(r *rig, w *webhook.Webhook) { r.resume(w, webhook.Release{Drop: true}) }, "dead dropped"},
		"disabled": {func(r *rig, w *webhook.Webhook) {
			r.change(w, func(w *webhook.Webhook) { w.Disable(webhook.Manual, r.now) })
		}, "skipped disabled"},
		"deleted": {func(r *rig, w *webhook.Webhook) { must(r.t, r.store.DeleteWebhook(r.t.Context(), w.ID, 0)) }, "skipped deleted"},
		"expired": {func(r *rig, w *webhook.Webhook) {
			r.setNow(start.Add(30 * 24 * time.Hour))
			r.resume(w, webhook.Release{})
		}, "dead expired"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.paused()
			keys := r.hold(w, 150)
			c.end(r, &w)
			if bells := r.sweepAt(r.now); len(bells) > 0 {
				t.Errorf("got %d doorbells, want none", len(bells))
			}
			r.isAll(keys, c.want)
		})
	}
}

// TestTheJobWaitsForLateSenders holds a delivery after the pause, as a sender does that read the webhook before its end.
func TestTheJobWaitsForLateSenders(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	r.resume(&w, webhook.Release{})
	r.sweepAt(start)
	if r.jobs() != 1 {
		t.Fatal("the job is gone with the pause")
	}
	r.setNow(start.Add(limits.Lease - time.Second))
	late := r.hold(w, 1)
	r.sweepAt(start.Add(limits.SweepPeriod))
	r.isAll(late, "pending ")
	if r.jobs() != 1 {
		t.Error("the job is gone although the last look found something")
	}
	r.sweepAt(start.Add(2 * limits.SweepPeriod))
	if r.jobs() != 0 {
		t.Error("the job is still there")
	}
}

func TestANewPauseStopsARelease(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	keys := r.hold(w, 350)
	r.resume(&w, webhook.Release{})
	var once sync.Once
	r.sent = func() { once.Do(func() { r.change(&w, func(w *webhook.Webhook) { w.Pause(start) }) }) }
	r.sweepAt(start)
	if got := r.states(keys); got["pending "] != 100 || got["held paused"] != 250 {
		t.Errorf("got %v, want 100 released before the pause and the others held", got)
	}
	r.sent = nil
	r.sweepAt(start.Add(time.Minute))
	if got := r.states(keys); got["held paused"] != 250 || r.jobs() != 1 {
		t.Errorf("got %v and %d jobs, want 250 held and the job", got, r.jobs())
	}
}

func TestConcurrentSweepersReleaseOnce(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	keys := r.hold(w, 300)
	r.resume(&w, webhook.Release{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := r.sweeper.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.isAll(keys, "pending ")
	rung := map[string]bool{}
	for _, m := range r.bells {
		rung[string(m.Body)] = true
	}
	if len(r.bells) != len(keys) || len(rung) != len(keys) {
		t.Errorf("got %d doorbells for %d deliveries, want one for each of %d", len(r.bells), len(rung), len(keys))
	}
}

// TestALostDoorbellOfAReleaseIsFound fails the lane after the rows were written, as a crash does.
func TestALostDoorbellOfAReleaseIsFound(t *testing.T) {
	r := newRig(t)
	w := r.paused()
	keys := r.hold(w, 3)
	r.resume(&w, webhook.Release{PerSecond: 1})
	r.setNow(start)
	r.err = errors.New("no")
	if err := r.sweeper.Sweep(t.Context()); err == nil {
		t.Fatal("got no error, want the error of the lane")
	}
	r.isAll(keys, "pending ")
	r.err = nil
	if bells := r.sweepAt(start.Add(limits.SweepMargin + 5*time.Second)); len(bells) != len(keys) {
		t.Errorf("got %d doorbells, want %d", len(bells), len(keys))
	}
}

func TestOneWebhookDoesNotHoldUpAnother(t *testing.T) {
	r := newRig(t)
	first, second := r.paused(), r.paused()
	many, one := r.hold(first, 7000), r.hold(second, 1)
	r.resume(&first, webhook.Release{PerSecond: 100})
	r.resume(&second, webhook.Release{})
	r.sweepAt(start)
	r.isAll(one, "pending ")
	if got := r.states(many); got["pending "] != 6000 || got["held paused"] != 1000 {
		t.Errorf("got %v, want a minute's worth of 6,000", got)
	}
}

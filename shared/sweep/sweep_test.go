package sweep_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/sweep"
	"nepenthes/shared/webhook"
)

var start = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)

// rig is a sweeper with a store in memory, a clock that the tests set, and a lane that records its messages.
type rig struct {
	t       *testing.T
	store   *sqlite.DB
	sweeper *sweep.Sweeper

	mu    sync.Mutex
	now   time.Time
	bells []lane.Message
	err   error
	// sent is called when doorbells were sent. It may be nil.
	sent func()
	held int // deliveries that were held
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: start}
	store, err := sqlite.Open("", sqlite.Options{Now: r.clock})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	r.store = store
	r.sweeper = sweep.New(sweep.Config{Deliveries: store, Held: store, Jobs: store, Webhooks: store, Retries: r, Now: r.clock, Logger: slog.New(slog.DiscardHandler)})
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) setNow(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = now
}

func (r *rig) Send(_ context.Context, messages ...lane.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.bells = append(r.bells, messages...)
	}
	if r.sent != nil {
		defer r.sent()
	}
	return r.err
}

// sweepAt sweeps at the given time and returns the delays of the doorbells that were sent.
func (r *rig) sweepAt(at time.Time) []time.Duration {
	r.t.Helper()
	r.setNow(at)
	r.bells = nil
	must(r.t, r.sweeper.Sweep(r.t.Context()))
	var delays []time.Duration
	for _, m := range r.bells {
		delays = append(delays, m.Delay)
	}
	return delays
}

// failing stores a delivery whose first attempts failed, the last one at the time of the rig. made is the number of
// attempts. The schedule is the standard one.
func (r *rig) failing(made int) delivery.Key {
	r.t.Helper()
	rec := record.Event{
		Event:      events.Event{ID: id.New(id.Event, r.now), Source: events.DefaultSource, Type: "user:created"},
		ReceivedAt: start, ExpiresAt: start.Add(30 * 24 * time.Hour), Trigger: delivery.TriggerSchedule,
	}
	d := rec.Delivery(id.New(id.Webhook, start))
	for range made {
		d.NextAttemptAt = time.Time{}
		a := &delivery.Attempt{ID: id.New(id.Attempt, r.now), Trigger: delivery.TriggerSchedule, Outcome: delivery.OutcomeFailed, ErrorClass: delivery.ErrTimeout}
		must(r.t, d.Claim(a.ID, a.Trigger, r.now))
		must(r.t, d.Record(a, delivery.Rules{Schedule: webhook.ScheduleStandard, Dice: 0.5}, r.now))
	}
	r.put(d)
	return d.Key
}

func (r *rig) put(d delivery.Delivery) {
	r.t.Helper()
	if _, won, err := r.store.PutDelivery(r.t.Context(), d, nil); !won || err != nil {
		r.t.Fatal(won, err)
	}
}

func TestALongWaitEndsOnTheSecond(t *testing.T) {
	r := newRig(t)
	key := r.failing(4) // 2 h
	next := start.Add(2 * time.Hour)
	for at := start; at.Before(next.Add(-limits.SweepLead)); at = at.Add(limits.SweepPeriod) {
		if delays := r.sweepAt(at); len(delays) != 0 {
			t.Fatalf("got doorbells with delays %v at %v, want none yet", delays, at)
		}
	}
	at := next.Add(-limits.SweepLead).Add(17 * time.Second)
	delays := r.sweepAt(at)
	if len(delays) != 1 || !at.Add(delays[0]).Equal(next) || delays[0] > limits.MaxDelay {
		t.Fatalf("got delays %v, want one that ends at %v", delays, next)
	}
	if name, err := lane.Called(r.bells[0]); err != nil || name != key.ID() || r.bells[0].Group != key.Webhook || r.bells[0].Attributes[lane.Again] == "" {
		t.Errorf("got doorbell %+v, want one for %s that says that the row exists", r.bells[0], key.ID())
	}
}

func TestALostDoorbellIsFound(t *testing.T) {
	r := newRig(t)
	r.failing(1) // due after 5 s; the doorbell was lost
	if delays := r.sweepAt(start.Add(2 * time.Minute)); len(delays) != 0 {
		t.Fatal("got a doorbell, want none yet: the lane may only be slow")
	}
	if delays := r.sweepAt(start.Add(2*time.Minute + 5*time.Second)); len(delays) != 1 || delays[0] != 0 {
		t.Fatalf("got %v, want a doorbell without delay", delays)
	}
	if delays := r.sweepAt(start.Add(3 * time.Minute)); len(delays) != 0 {
		t.Errorf("got %v, want no doorbells for a lane that falls behind", delays)
	}
	if delays := r.sweepAt(start.Add(4*time.Minute + 6*time.Second)); len(delays) != 1 {
		t.Errorf("got %v, want a second doorbell", delays)
	}
}

func TestASweepOfSeveralPages(t *testing.T) {
	r := newRig(t)
	for range 350 {
		r.failing(1)
	}
	if delays := r.sweepAt(start.Add(time.Hour)); len(delays) != 350 {
		t.Errorf("got %d doorbells, want 350", len(delays))
	}
}

func TestConcurrentSweepersRingOnce(t *testing.T) {
	r := newRig(t)
	for range 50 {
		r.failing(1)
	}
	r.setNow(start.Add(time.Hour))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := r.sweeper.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(r.bells) != 50 {
		t.Errorf("got %d doorbells, want 50", len(r.bells))
	}
}

func TestNoDoorbellDuringALease(t *testing.T) {
	r := newRig(t)
	key := r.failing(1)
	d, err := r.store.Delivery(t.Context(), key)
	must(t, err)
	r.setNow(start.Add(2*time.Minute + 4*time.Second))
	must(t, d.Claim("att_1", delivery.TriggerSchedule, r.now))
	r.put(d)
	if delays := r.sweepAt(start.Add(2*time.Minute + 6*time.Second)); len(delays) != 0 {
		t.Error("got a doorbell for a delivery with a live lease")
	}
	// The sender died and its message was lost. The sweeper finds the delivery after the lease.
	if delays := r.sweepAt(r.now.Add(limits.Lease + limits.SweepMargin + time.Second)); len(delays) != 1 {
		t.Error("got no doorbell for the delivery of a sender that died")
	}
}

func TestSweepAfterAnError(t *testing.T) {
	r := newRig(t)
	r.failing(1)
	r.setNow(start.Add(time.Hour))
	r.err = errors.New("no")
	if err := r.sweeper.Sweep(t.Context()); err == nil {
		t.Fatal("got no error, want the error of the lane")
	}
	r.err = nil
	if delays := r.sweepAt(r.now.Add(2*time.Minute + time.Second)); len(delays) != 1 {
		t.Errorf("the next sweep sent %d doorbells, want 1", len(delays))
	}
}

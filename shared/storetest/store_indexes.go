package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/store"
)

var indexCases = []storeCase{
	{"of due deliveries are sorted by time", (*storeTest).dueInOrder},
	{"of due deliveries are updated by every write", (*storeTest).dueFollows},
	{"of due deliveries leave out expired deliveries", (*storeTest).dueExpired},
	{"of dead deliveries list only those that need a person", (*storeTest).deadNeedsPerson},
	{"are exact after any sequence of writes", (*storeTest).indexProperty},
}

func (t *storeTest) dueInOrder() {
	var want []delivery.Key
	for _, i := range []int{3, 1, 4, 0, 2} {
		d := newDelivery(newID(id.Webhook), "evt_"+strconv.Itoa(i))
		d.SweepAt = epoch.Add(time.Duration(i) * time.Minute)
		t.put(d, nil)
	}
	t.put(newDelivery(newID(id.Webhook), "evt_waits_for_nothing"), nil)

	keys, err := t.Due(t.Context(), epoch.Add(time.Hour), 10)
	t.ok(err)
	for _, key := range keys {
		d, err := t.Delivery(t.Context(), key)
		t.ok(err)
		same(t, "the time at which the delivery is due", d.SweepAt, epoch.Add(time.Duration(len(want))*time.Minute))
		want = append(want, key)
	}
	same(t, "the number of due deliveries", len(want), 5)
	t.dueIs(epoch.Add(-1))
	t.dueIs(epoch, want[:1]...)
	t.dueIs(epoch.Add(time.Minute-1), want[:1]...)
	t.dueIs(epoch.Add(time.Minute), want[:2]...)
	some, err := t.Due(t.Context(), epoch.Add(time.Hour), 2)
	t.ok(err)
	same(t, "the first two due deliveries", some, want[:2])
}

func (t *storeTest) dueFollows() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	d.SweepAt = epoch
	d = t.put(d, nil)
	t.dueIs(epoch, d.Key)
	d.SweepAt = epoch.Add(time.Hour)
	d = t.put(d, nil)
	t.dueIs(epoch)
	t.dueIs(epoch.Add(time.Hour), d.Key)
	d.SweepAt = time.Time{}
	d = t.put(d, nil)
	t.dueIs(never)
	d.SweepAt = epoch
	d = t.put(d, nil)
	t.dueIs(epoch, d.Key)
}

// dueExpired checks that a list leaves out expired rows that the store has not removed yet.
func (t *storeTest) dueExpired() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	d.SweepAt, d.ExpiresAt = epoch, epoch.Add(time.Hour)
	d = t.put(d, nil)
	t.clock.advance(30 * time.Minute)
	t.dueIs(never, d.Key)
	t.clock.advance(time.Hour)
	t.dueIs(never)
}

func (t *storeTest) deadNeedsPerson() {
	hook := newID(id.Webhook)
	list := store.Query{Limit: 10}
	for _, state := range delivery.States() {
		d := newDelivery(hook, "evt_"+string(state))
		d.State = state
		t.put(d, nil)
	}
	ping := newDelivery(hook, "evt_ping")
	ping.Origin, ping.State = delivery.TriggerPing, delivery.Dead
	t.put(ping, nil)
	dropped := newDelivery(hook, "evt_dropped")
	dropped.State, dropped.Reason = delivery.Dead, delivery.Dropped
	t.put(dropped, nil)

	dead := t.walk(t, list)
	if len(dead) != 1 || !dead[0].NeedsPerson() {
		t.Fatalf("got %+v, want only the dead delivery that is neither a ping nor dropped", dead)
	}
	d := dead[0]
	d.State = delivery.Delivered
	d = t.put(d, nil)
	same(t, "the list of dead deliveries", t.walk(t, list), nil)
	d.State = delivery.Dead
	d = t.put(d, nil)
	same(t, "the list of dead deliveries", t.walk(t, list), []delivery.Delivery{d})
}

// indexProperty makes random writes, some of them with old versions, and compares the indexes with the rows.
func (t *storeTest) indexProperty() {
	rapid.Check(t.T, func(r *rapid.T) {
		hook, rows := newID(id.Webhook), map[delivery.Key]delivery.Delivery{}
		for range rapid.IntRange(1, 30).Draw(r, "writes") {
			d := newDelivery(hook, fmt.Sprintf("evt_%d", rapid.IntRange(0, 4).Draw(r, "event")))
			stored := rows[d.Key]
			d.Version = max(0, stored.Version-int64(rapid.IntRange(0, 1).Draw(r, "behind")))
			d.State = rapid.SampledFrom(delivery.States()).Draw(r, "state")
			d.Origin = rapid.SampledFrom([]delivery.Trigger{delivery.TriggerSchedule, delivery.TriggerPing}).Draw(r, "origin")
			d.Reason = rapid.SampledFrom([]delivery.Reason{"", delivery.Dropped}).Draw(r, "reason")
			d.AttemptCount = len(rows) // so that some writes are repetitions, and most are not
			if rapid.Bool().Draw(r, "waits") {
				d.SweepAt = epoch.Add(time.Duration(rapid.IntRange(0, 9).Draw(r, "minutes")) * time.Minute)
			}
			t.randomWrite(r, rows, d)
		}
		t.indexesAre(r, hook, values(rows))
	})
}

// randomWrite stores d and, if the write must win, updates rows.
func (t *storeTest) randomWrite(r *rapid.T, rows map[delivery.Key]delivery.Delivery, d delivery.Delivery) {
	stored := rows[d.Key]
	now, won, err := t.PutDelivery(t.Context(), d, nil)
	if err != nil {
		r.Fatal(err)
	}
	want := d.Version == stored.Version
	d.Version++
	repeated := d == stored // the deliveries of this test contain no pointers
	if won != (want || repeated) {
		r.Fatalf("a write with version %d won: %v; the stored version was %d", d.Version-1, won, stored.Version)
	}
	if won {
		rows[d.Key] = d
	}
	same(r, "the row that a write returned", now, rows[d.Key])
}

func (t *storeTest) indexesAre(r *rapid.T, hook string, rows []delivery.Delivery) {
	until := epoch.Add(5 * time.Minute)
	var dead, held []delivery.Delivery
	due := map[delivery.Key]bool{}
	for _, d := range newestFirst(rows) {
		if d.NeedsPerson() {
			dead = append(dead, d)
		}
		if d.State == delivery.Held {
			held = append([]delivery.Delivery{d}, held...) // oldest first
		}
		if !d.SweepAt.IsZero() && !d.SweepAt.After(until) {
			due[d.Key] = true
		}
	}
	ofOthers := func(d delivery.Delivery) bool { return d.Webhook != hook }
	same(r, "the list of dead deliveries", slices.DeleteFunc(t.walk(r, store.Query{Limit: 7}), ofOthers), dead)
	keys, err := t.Due(t.Context(), until, 10_000)
	if err != nil {
		r.Fatal(err)
	}
	got := map[delivery.Key]bool{}
	for _, key := range keys {
		if key.Webhook == hook {
			got[key] = true
		}
	}
	same(r, "the due deliveries", got, due)
	found, _, err := t.Held(t.Context(), hook, delivery.Key{}, 100)
	if err != nil {
		r.Fatal(err)
	}
	same(r, "the held deliveries", found, held)
}

func (t *storeTest) dueIs(until time.Time, want ...delivery.Key) {
	t.Helper()
	got, err := t.Due(t.Context(), until, 100)
	t.ok(err)
	same(t, "the due deliveries", got, want)
}

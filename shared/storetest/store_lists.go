package storetest

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/delivery"
	"nepenthes/shared/id"
	"nepenthes/shared/store"
)

var listCases = []storeCase{
	{"of a webhook without deliveries are empty", (*storeTest).listEmpty},
	{"return each delivery once and in order, with any filters", (*storeTest).listProperty},
	{"compare bounds to the nanosecond", (*storeTest).listBounds},
	{"end, even if no delivery passes the filter", (*storeTest).listNothing},
	{"continue from a delivery that no longer exists", (*storeTest).listFromGone},
	{"leave out expired deliveries", (*storeTest).listExpired},
}

func (t *storeTest) listEmpty() {
	for _, q := range []store.Query{
		{Webhook: newID(id.Webhook), Limit: 10},
		{Webhook: newID(id.Webhook), Limit: 10, Backward: true},
		{Limit: 10},
		{Limit: 10, Backward: true},
	} {
		same(t, "the list", t.walk(t, q), nil)
	}
}

// listed stores deliveries of a few webhooks, many of them in the same millisecond, and returns them.
func (t *storeTest) listed(hooks []string) (all []delivery.Delivery) {
	source := rand.New(rand.NewPCG(1, 2)) // a fixed seed, so that failures can be reproduced
	for i := range 240 {
		e := smallEvent("evt_" + strconv.Itoa(i/3)) // three deliveries of each event
		e.ReceivedAt = received.Add(time.Duration(source.IntN(12)) * time.Millisecond)
		e.Type = []string{"user:created", "user:updated"}[source.IntN(2)]
		if source.IntN(8) == 0 {
			e.Trigger = delivery.TriggerPing
		}
		d := e.Delivery(hooks[i%len(hooks)])
		d.State = delivery.States()[source.IntN(len(delivery.States()))]
		if source.IntN(2) == 0 {
			d.State = delivery.Dead
		}
		all = append(all, t.put(d, nil))
	}
	return all
}

// listProperty compares pages of random queries with the deliveries that inQuery selects.
func (t *storeTest) listProperty() {
	hooks := []string{newID(id.Webhook), newID(id.Webhook), newID(id.Webhook)}
	all := t.listed(hooks)
	rapid.Check(t.T, func(r *rapid.T) {
		q := drawQuery(r, hooks, all)
		var want []delivery.Delivery
		for _, d := range newestFirst(all) {
			if inQuery(q, d) {
				want = append(want, d)
			}
		}
		same(r, "the list", t.walk(r, q), want)
	})
}

func drawQuery(r *rapid.T, hooks []string, all []delivery.Delivery) store.Query {
	q := store.Query{
		Webhook:   rapid.SampledFrom(append([]string{""}, hooks...)).Draw(r, "webhook"),
		State:     rapid.SampledFrom(append([]delivery.State{"", "", ""}, delivery.States()...)).Draw(r, "state"),
		EventType: rapid.SampledFrom([]string{"", "user:created", "user:deleted"}).Draw(r, "event type"),
		Since:     drawBound(r, "since"),
		Until:     drawBound(r, "until"),
		Backward:  rapid.Bool().Draw(r, "backward"),
		Limit:     rapid.IntRange(1, 100).Draw(r, "limit"),
		MayLag:    rapid.Bool().Draw(r, "may lag"),
	}
	if rapid.Bool().Draw(r, "from the middle") {
		q.From = rapid.SampledFrom(all).Draw(r, "from").Key
		if q.Webhook != "" {
			q.From.Webhook = q.Webhook // a cursor is for one webhook, but its row need not exist
		}
	}
	return q
}

func drawBound(r *rapid.T, name string) time.Time {
	if rapid.Bool().Draw(r, name+" unbounded") {
		return time.Time{}
	}
	return received.Add(time.Duration(rapid.IntRange(-1, 13).Draw(r, name)) * time.Millisecond)
}

// inQuery reports whether d is on one of the pages of q.
func inQuery(q store.Query, d delivery.Delivery) bool {
	if q.From != (delivery.Key{}) {
		if c := compareKeys(d.Key, q.From); c == 0 || (c > 0) != q.Backward {
			return false
		}
	}
	if q.Webhook == "" && !d.NeedsPerson() {
		return false
	}
	return (q.Webhook == "" || q.Webhook == d.Webhook) && (q.State == "" || q.State == d.State) &&
		(q.EventType == "" || q.EventType == d.EventType) &&
		(q.Since.IsZero() || !d.CreatedAt.Before(q.Since)) && (q.Until.IsZero() || d.CreatedAt.Before(q.Until))
}

func (t *storeTest) listBounds() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	d.State = delivery.Dead
	d = t.put(d, nil)
	list := []delivery.Delivery{d}
	for _, hook := range []string{d.Webhook, ""} {
		q := store.Query{Webhook: hook, Limit: 10}
		for _, c := range []struct {
			since, until time.Time
			want         []delivery.Delivery
		}{
			{received, time.Time{}, list},
			{received.Add(1), time.Time{}, nil},
			{time.Time{}, received, nil},
			{time.Time{}, received.Add(1), list},
			{received, received.Add(1), list},
			{received.Add(-1), received, nil},
		} {
			q.Since, q.Until = c.since, c.until
			same(t, "the list", t.walk(t, q), c.want)
		}
	}
}

// listNothing reads many rows to find none. A store may return empty pages, but must reach the last page.
func (t *storeTest) listNothing() {
	hook := newID(id.Webhook)
	for i := range 120 {
		t.put(newDelivery(hook, "evt_"+strconv.Itoa(i)), nil)
	}
	for _, backward := range []bool{false, true} {
		q := store.Query{Webhook: hook, State: delivery.Skipped, Limit: 1, Backward: backward}
		same(t, "the list", t.walk(t, q), nil)
	}
}

// listFromGone continues from the place of a row that has expired since the last page was read.
func (t *storeTest) listFromGone() {
	hook := newID(id.Webhook)
	var stored []delivery.Delivery
	for i := range 5 {
		e := smallEvent("evt_" + strconv.Itoa(i))
		e.ReceivedAt = received.Add(-time.Duration(i) * time.Minute)
		d := e.Delivery(hook)
		if i == 2 {
			d.ExpiresAt = epoch.Add(time.Hour)
		}
		stored = append(stored, t.put(d, nil))
	}
	t.clock.advance(2 * time.Hour)
	q := store.Query{Webhook: hook, From: stored[2].Key, Limit: 10}
	same(t, "the deliveries after the one that is gone", t.walk(t, q), stored[3:])
	q.Backward = true
	same(t, "the deliveries before the one that is gone", t.walk(t, q), stored[:2])
}

func (t *storeTest) listExpired() {
	hook := newID(id.Webhook)
	var kept []delivery.Delivery
	for i := range 30 {
		d := newDelivery(hook, "evt_"+strconv.Itoa(i))
		d.State = delivery.Dead
		if i%3 > 0 {
			d.ExpiresAt = epoch.Add(time.Hour)
		}
		if d = t.put(d, nil); i%3 == 0 {
			kept = append(kept, d)
		}
	}
	t.clock.advance(2 * time.Hour)
	for _, hook := range []string{hook, ""} {
		same(t, "the list", t.walk(t, store.Query{Webhook: hook, Limit: 4}), newestFirst(kept))
	}
}

// walk follows a query to its last page and returns all deliveries, newest first.
func (t *storeTest) walk(report reporter, q store.Query) (all []delivery.Delivery) {
	report.Helper()
	for range 1000 {
		page, err := t.Deliveries(t.Context(), q)
		if err != nil {
			report.Fatalf("%v", err)
		}
		if len(page.Deliveries) > q.Limit {
			report.Fatalf("got %d deliveries on a page, want at most %d", len(page.Deliveries), q.Limit)
		}
		if q.Backward {
			all = slices.Concat(page.Deliveries, all)
		} else {
			all = append(all, page.Deliveries...)
		}
		if page.More == nil {
			return all
		}
		q.From = *page.More
	}
	report.Fatalf("the list does not end")
	return nil
}

// compareKeys compares keys by time, then by event, then by webhook. Lists of deliveries have the opposite order.
func compareKeys(a, b delivery.Key) int {
	return cmp.Or(
		cmp.Compare(a.ReceivedMs, b.ReceivedMs), bytes.Compare(a.Event[:], b.Event[:]), cmp.Compare(a.Webhook, b.Webhook),
	)
}

package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
	"nepenthes/shared/store"
)

var deliveryCases = []storeCase{
	{"are read as they were written", (*storeTest).deliveryRoundTrip},
	{"can have only the members of a new delivery", (*storeTest).deliverySmall},
	{"are not found before they are stored", (*storeTest).deliveryUnknown},
	{"are distinguished by webhook, time and event", (*storeTest).deliveryKeys},
	{"are read by their keys, a thousand at once", (*storeTest).deliveriesByKey},
	{"are not changed if the version differs", (*storeTest).deliveryVersion},
	{"accept a repeated write", (*storeTest).deliveryTwice},
	{"are first claimed by one of several concurrent senders", (*storeTest).deliveryFirstClaim},
	{"are claimed again by one of several concurrent senders", (*storeTest).deliveryLaterClaim},
	{"are not found after they expire, and can be stored again", (*storeTest).deliveryExpired},
}

var attemptCases = []storeCase{
	{"are read as they were written, oldest first", (*storeTest).attemptRoundTrip},
	{"are absent before the first attempt ends", (*storeTest).attemptNone},
	{"of four kilobytes are read as they were written", (*storeTest).attemptLarge},
	{"are limited to the newest fifty", (*storeTest).attemptsMany},
	{"are stored once, with the write that won", (*storeTest).attemptWon},
	{"expire with their delivery", (*storeTest).attemptExpired},
}

func (t *storeTest) deliveryRoundTrip() {
	want := fullDelivery()
	checkFilled(t, want)
	d := want
	d.Version = 0
	t.put(d, nil)
	t.deliveryIs(want)
}

// deliverySmall replaces a row that has all members, so that members of the old row would show.
func (t *storeTest) deliverySmall() {
	full := fullDelivery()
	full.Version = 0
	t.put(full, nil)
	small := newDelivery(full.Webhook, "evt_1")
	small.Key, small.Version = full.Key, 1
	t.put(small, nil)
	small.Version = 2
	t.deliveryIs(small)
}

func (t *storeTest) deliveryUnknown() {
	key := newDelivery(newID(id.Webhook), "evt_1").Key
	_, err := t.Delivery(t.Context(), key)
	t.fails(err, fault.NotFound)
	t.byKey(nil, key)
	t.byKey(nil)
}

// deliveryKeys stores rows whose keys differ in only one part.
func (t *storeTest) deliveryKeys() {
	e := smallEvent("evt_1")
	later := e
	later.ReceivedAt = received.Add(time.Millisecond)
	other := smallEvent("evt_2")
	one, two := newID(id.Webhook), newID(id.Webhook)
	all := []delivery.Delivery{e.Delivery(one), e.Delivery(two), later.Delivery(one), other.Delivery(one)}
	for i := range all {
		all[i].Rings = i // makes the rows differ
		all[i] = t.put(all[i], nil)
	}
	for _, d := range all {
		t.deliveryIs(d)
	}
}

// deliveriesByKey asks for more keys than one request to DynamoDB may name, with one of them twice.
func (t *storeTest) deliveriesByKey() {
	want := map[delivery.Key]delivery.Delivery{}
	var keys []delivery.Key
	hook := newID(id.Webhook)
	for i := range 1000 {
		d := newDelivery(hook, fmt.Sprintf("evt_%d", i))
		keys = append(keys, d.Key)
		if i%25 == 0 {
			want[d.Key] = t.put(d, nil)
		}
	}
	t.byKey(want, keys...)
	t.byKey(map[delivery.Key]delivery.Delivery{keys[0]: want[keys[0]]}, keys[0], keys[1], keys[0])
}

func (t *storeTest) deliveryVersion() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	ahead := d
	ahead.Version = 3
	t.loses(ahead, delivery.Delivery{})
	_, err := t.Delivery(t.Context(), d.Key)
	t.fails(err, fault.NotFound)

	stored := t.put(t.put(d, nil), nil)
	same(t, "the version after two writes", stored.Version, 2)
	for _, version := range []int64{0, 1, 3} {
		late := stored
		late.Version, late.Rings = version, 9
		t.loses(late, stored)
	}
	t.deliveryIs(stored)
}

// deliveryTwice repeats writes as a caller does that has not received the answer.
func (t *storeTest) deliveryTwice() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	first := t.put(d, nil)
	same(t, "the first write again", t.put(d, nil), first)
	first.Lease = &delivery.Lease{Attempt: newID(id.Attempt), Trigger: delivery.TriggerSchedule, Until: epoch}
	second := t.put(first, nil)
	same(t, "the second write again", t.put(first, nil), second)
	t.loses(d, second) // the first write no longer counts as a repetition
	t.deliveryIs(second)
}

func (t *storeTest) deliveryFirstClaim() {
	t.oneClaims(newDelivery(newID(id.Webhook), "evt_1"))
}

func (t *storeTest) deliveryLaterClaim() {
	t.oneClaims(t.put(newDelivery(newID(id.Webhook), "evt_1"), nil))
}

// oneClaims makes several concurrent claims of d. One must win, and all others must get the winner's row.
func (t *storeTest) oneClaims(d delivery.Delivery) {
	t.Helper()
	var mu sync.Mutex
	var winner string
	var seen []delivery.Delivery
	for _, err := range atOnce(writers, func(int) error {
		claimed, attempt := d, newID(id.Attempt)
		if err := claimed.Claim(attempt, delivery.TriggerSchedule, epoch); err != nil {
			return err
		}
		now, won, err := t.PutDelivery(t.Context(), claimed, nil)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, now)
		if won && winner != "" {
			return fmt.Errorf("%s and %s both won", winner, attempt)
		}
		if won {
			winner = attempt
		}
		return err
	}) {
		t.ok(err)
	}
	stored, err := t.Delivery(t.Context(), d.Key)
	t.ok(err)
	same(t, "the attempt that holds the delivery", stored.Lease.Attempt, winner)
	for _, now := range seen {
		same(t, "the row that a claim returned", now, stored)
	}
}

func (t *storeTest) deliveryExpired() {
	d := fullDelivery()
	d.Version, d.ExpiresAt = 0, epoch.Add(time.Hour)
	d.Lease, d.SweepAt = nil, epoch
	d = t.put(d, fullAttempt(1))
	t.clock.advance(time.Hour - 2*time.Second)
	t.deliveryIs(d)
	t.clock.advance(4 * time.Second)
	t.goneEverywhere(d)

	anew := newDelivery(d.Webhook, "evt_1")
	anew.Key = d.Key
	anew = t.put(anew, nil)
	same(t, "the version of the new row", anew.Version, 1)
	t.deliveryIs(anew)
	t.attemptsAre(d.Key)
}

// goneEverywhere checks that neither a read nor a conditional write finds the row of d.
func (t *storeTest) goneEverywhere(d delivery.Delivery) {
	t.Helper()
	_, err := t.Delivery(t.Context(), d.Key)
	t.fails(err, fault.NotFound)
	t.byKey(nil, d.Key)
	t.attemptsAre(d.Key)
	same(t, "the list of the webhook", t.walk(t, store.Query{Webhook: d.Webhook, Limit: 10}), nil)
	same(t, "the list of dead deliveries", t.walk(t, store.Query{Limit: 10}), nil)
	t.dueIs(never)
	t.loses(d, delivery.Delivery{})
}

func (t *storeTest) attemptRoundTrip() {
	checkFilled(t, fullAttempt(1))
	want := []delivery.Attempt{*fullAttempt(1), *shortAttempt(2), *fullAttempt(3)}
	d := newDelivery(newID(id.Webhook), "evt_1")
	for i := range want {
		d = t.put(d, nil) // the claim
		d = t.put(d, &want[i])
	}
	t.attemptsAre(d.Key, want...)
}

func (t *storeTest) attemptNone() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	t.attemptsAre(d.Key)
	d = t.put(d, nil)
	t.attemptsAre(d.Key)
}

// attemptLarge stores answers of the largest size. Compression does not make them smaller.
func (t *storeTest) attemptLarge() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	var want []delivery.Attempt
	for number := 1; number <= 10; number++ {
		a := fullAttempt(number)
		a.Response.Body = []byte(incompressible(limits.AnswerStored))
		a.Response.Headers = map[string][]string{"X-Long": {strings.Repeat("\xff", limits.AnswerStored-6)}}
		d = t.put(d, a)
		want = append(want, *a)
	}
	t.attemptsAre(d.Key, want...)
}

// attemptsMany makes more attempts than a store keeps.
func (t *storeTest) attemptsMany() {
	const made = limits.AttemptsMax + 7
	d := newDelivery(newID(id.Webhook), "evt_1")
	var want []delivery.Attempt
	for number := 1; number <= made; number++ {
		a := shortAttempt(number)
		d = t.put(d, a)
		want = append(want, *a)
	}
	t.attemptsAre(d.Key, want[made-limits.AttemptsMax:]...)
}

// attemptWon checks that an attempt is stored only if the write of its row succeeds, and only once if that write is
// repeated.
func (t *storeTest) attemptWon() {
	d := newDelivery(newID(id.Webhook), "evt_1")
	stored := t.put(d, nil)
	a := fullAttempt(1)
	ended := t.put(stored, a)
	same(t, "the same write again", t.put(stored, a), ended)
	late := stored
	late.Rings = 9
	_, won, err := t.PutDelivery(t.Context(), late, shortAttempt(2))
	t.ok(err)
	same(t, "whether a late write won", won, false)
	t.attemptsAre(d.Key, *a)
	t.deliveryIs(ended)
}

func (t *storeTest) attemptExpired() {
	hook := newID(id.Webhook)
	short, long := newDelivery(hook, "evt_1"), newDelivery(hook, "evt_2")
	short.ExpiresAt = epoch.Add(time.Hour)
	a, b := fullAttempt(1), shortAttempt(1)
	t.put(short, a)
	t.put(long, b)
	t.clock.advance(2 * time.Hour)
	t.attemptsAre(short.Key)
	t.attemptsAre(long.Key, *b)
}

// put stores a delivery, checks that the write won, and returns the stored row.
func (t *storeTest) put(d delivery.Delivery, ended *delivery.Attempt) delivery.Delivery {
	t.Helper()
	now, won, err := t.PutDelivery(t.Context(), d, ended)
	t.ok(err)
	if !won {
		t.Fatalf("version %d lost to %+v", d.Version, now)
	}
	d.Version++
	same(t, "the row that a write returned", now, d)
	return now
}

// loses checks that storing d loses against the stored row.
func (t *storeTest) loses(d, stored delivery.Delivery) {
	t.Helper()
	now, won, err := t.PutDelivery(t.Context(), d, nil)
	t.ok(err)
	same(t, "whether version "+strconv.FormatInt(d.Version, 10)+" won", won, false)
	same(t, "the row that another writer stored", now, stored)
}

func (t *storeTest) deliveryIs(want delivery.Delivery) {
	t.Helper()
	got, err := t.Delivery(t.Context(), want.Key)
	t.ok(err)
	same(t, "the delivery", got, want)
	t.byKey(map[delivery.Key]delivery.Delivery{want.Key: want}, want.Key)
}

func (t *storeTest) byKey(want map[delivery.Key]delivery.Delivery, keys ...delivery.Key) {
	t.Helper()
	got, err := t.DeliveriesByKey(t.Context(), keys...)
	t.ok(err)
	same(t, "the deliveries of the keys", got, want)
}

func (t *storeTest) attemptsAre(key delivery.Key, want ...delivery.Attempt) {
	t.Helper()
	got, err := t.Attempts(t.Context(), key)
	t.ok(err)
	same(t, "the attempts", got, want)
}

// newestFirst sorts deliveries in the order of lists.
func newestFirst(deliveries []delivery.Delivery) []delivery.Delivery {
	return slices.SortedFunc(slices.Values(deliveries), func(a, b delivery.Delivery) int { return compareKeys(b.Key, a.Key) })
}

// values returns the values of a map.
func values[K comparable, V any](m map[K]V) []V { return slices.Collect(maps.Values(m)) }

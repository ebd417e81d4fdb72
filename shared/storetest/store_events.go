package storetest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
)

var eventCases = []storeCase{
	{"are read as they were written", (*storeTest).eventRoundTrip},
	{"can have only the required members", (*storeTest).eventSmall},
	{"keep every byte of their data", (*storeTest).eventBytes},
	{"are not found before they are recorded", (*storeTest).eventUnknown},
	{"are distinguished by source and id together", (*storeTest).eventSources},
	{"are recorded once, even if a later write differs", (*storeTest).eventRepeated},
	{"are recorded once by concurrent writers", (*storeTest).eventAtOnce},
	{"are not found after they expire, and can be stored again", (*storeTest).eventExpired},
}

var planCases = []storeCase{
	{"keep their order and can be read in parts", (*storeTest).planParts},
	{"can be empty", (*storeTest).planEmpty},
	{"can have ten thousand webhooks for the largest event", (*storeTest).planLargest},
	{"are empty for unknown events", (*storeTest).planUnknown},
	{"expire with their event", (*storeTest).planExpired},
}

func (t *storeTest) eventRoundTrip() {
	r, plan := fullEvent("evt_1"), newPlan(1)
	checkFilled(t, r)
	r.MatchCount = 77 // ignored, because the store counts the plan
	stored, storedPlan, created, err := t.PutEvent(t.Context(), r, plan)
	t.ok(err)
	same(t, "whether the event was created", created, true)
	same(t, "the event as stored", stored, fullEvent("evt_1"))
	same(t, "the plan as stored", storedPlan, plan)
	t.eventIs(fullEvent("evt_1"))
	t.planIs(r.Key(), plan)
}

func (t *storeTest) eventSmall() {
	t.record(smallEvent("evt_1"), nil)
	t.eventIs(smallEvent("evt_1"))
}

// eventBytes stores data that a JSON encoder would change. Receivers must get the bytes that the producer sent.
func (t *storeTest) eventBytes() {
	large := `["` + strings.Repeat(`\u0000é😀`, events.MaxSize/12-1) + `"]`
	for i, data := range []string{
		"{\"n\":12345678901234567890.10e-7,\n\t\"a\":1 , \"a\":2}", `{"s":"\ud800 \u0041 \u0000 é 😀 <>&'` + "\u2028" + `"}`,
		` [ ] `, `""`, `0`, `false`, `-0.0`, large, string(bytes.Repeat([]byte{' '}, 5000)) + "1",
	} {
		r := smallEvent("evt_" + strconv.Itoa(i))
		r.Data = []byte(data)
		t.record(r, nil)
		t.eventIs(r)
		stored, _, created, err := t.PutEvent(t.Context(), r, nil)
		t.ok(err)
		same(t, "whether the event was created again", created, false)
		same(t, "the event as stored", stored, r)
	}
}

func (t *storeTest) eventUnknown() {
	_, err := t.Event(t.Context(), events.KeyOf("", "evt_1"))
	t.fails(err, fault.NotFound)
}

func (t *storeTest) eventSources() {
	one, other := smallEvent("evt_1"), smallEvent("evt_1")
	other.Source = "urn:other"
	t.record(one, newPlan(1))
	t.record(other, newPlan(2))
	one.MatchCount, other.MatchCount = 1, 2
	t.eventIs(one)
	t.eventIs(other)
}

// eventRepeated checks that the stored event and plan win, because doorbells may have been sent for them.
func (t *storeTest) eventRepeated() {
	r, plan := fullEvent("evt_1"), newPlan(3)
	t.record(r, plan)
	r.MatchCount = 3
	again := smallEvent("evt_1")
	again.Source, again.ReceivedAt, again.Data = r.Source, received.Add(time.Hour), []byte(`"other"`)
	for _, repeated := range []record.Event{r, again} {
		stored, storedPlan, created, err := t.PutEvent(t.Context(), repeated, newPlan(2))
		t.ok(err)
		same(t, "whether the event was created again", created, false)
		same(t, "the event as stored", stored, r)
		same(t, "the plan as stored", storedPlan, plan)
	}
	t.eventIs(r)
	t.planIs(r.Key(), plan)
}

// eventAtOnce checks that all writers get the same plan, because each of them sends the doorbells of the plan it got.
func (t *storeTest) eventAtOnce() {
	var mu sync.Mutex
	var created int
	var plans [][]string
	for _, err := range atOnce(writers, func(int) error {
		_, plan, won, err := t.PutEvent(t.Context(), smallEvent("evt_1"), newPlan(3))
		mu.Lock()
		defer mu.Unlock()
		if plans = append(plans, plan); won {
			created++
		}
		return err
	}) {
		t.ok(err)
	}
	same(t, "how often the event was created", created, 1)
	for _, plan := range plans {
		same(t, "the plan as stored", plan, plans[0])
	}
	t.planIs(events.KeyOf("", "evt_1"), plans[0])
}

// eventExpired leaves two seconds before and after the expiry, because stores keep it in whole seconds.
func (t *storeTest) eventExpired() {
	r := fullEvent("evt_1")
	r.ExpiresAt = epoch.Add(time.Hour)
	t.record(r, newPlan(1))
	t.clock.advance(time.Hour - 2*time.Second)
	t.eventIs(r)
	t.clock.advance(4 * time.Second)
	_, err := t.Event(t.Context(), r.Key())
	t.fails(err, fault.NotFound)

	anew, plan := smallEvent("evt_1"), newPlan(2)
	anew.Source = r.Source
	t.record(anew, plan)
	anew.MatchCount = 2
	t.eventIs(anew)
	t.planIs(anew.Key(), plan)
}

func (t *storeTest) planParts() {
	r, plan := fullEvent("evt_1"), newPlan(1001)
	slices.Reverse(plan) // the store must not sort it
	t.record(r, plan)
	for _, limit := range []int{1, 7, 100, 1000, 1001, 5000} {
		var got []string
		for offset := 0; offset < len(plan); offset += limit {
			part, err := t.Plan(t.Context(), r.Key(), offset, limit)
			t.ok(err)
			if want := min(limit, len(plan)-offset); len(part) != want {
				t.Fatalf("got %d entries from offset %d, want %d", len(part), offset, want)
			}
			got = append(got, part...)
			if limit == 1 && offset == 20 { // twenty single entries are enough
				break
			}
		}
		same(t, "the plan in parts", got, plan[:len(got)])
	}
	for _, offset := range []int{1001, 5000} {
		part, err := t.Plan(t.Context(), r.Key(), offset, 10)
		t.ok(err)
		same(t, "the plan past its end", part, nil)
	}
	t.planned(r.Key(), plan[500], true)
	t.planned(r.Key(), newID(id.Webhook), false)
	t.planned(r.Key(), "no webhook's id", false)
}

func (t *storeTest) planEmpty() {
	r := fullEvent("evt_1")
	t.record(r, nil)
	r.MatchCount = 0
	t.eventIs(r)
	t.planIs(r.Key(), nil)
	t.planned(r.Key(), newID(id.Webhook), false)
}

// planLargest stores the largest event with the longest plan. Neither compresses well.
func (t *storeTest) planLargest() {
	r, plan := fullEvent("evt_1"), newPlan(limits.MatchesMax)
	r.Data = []byte(`"` + incompressible(events.MaxSize-2) + `"`)
	t.record(r, plan)
	r.MatchCount = len(plan)
	t.eventIs(r)
	t.planIs(r.Key(), plan)
	t.planned(r.Key(), plan[0], true)
	t.planned(r.Key(), plan[len(plan)-1], true)
	t.planned(r.Key(), newID(id.Webhook), false)
	stored, storedPlan, created, err := t.PutEvent(t.Context(), r, newPlan(1))
	t.ok(err)
	same(t, "whether the event was created again", created, false)
	same(t, "the event as stored", stored, r)
	same(t, "the plan as stored", storedPlan, plan)
}

func (t *storeTest) planUnknown() {
	key := events.KeyOf("", "evt_1")
	_, err := t.Plan(t.Context(), key, 0, 10)
	t.fails(err, fault.NotFound)
	t.planned(key, newID(id.Webhook), false)
}

func (t *storeTest) planExpired() {
	r, plan := fullEvent("evt_1"), newPlan(3)
	t.record(r, plan)
	t.clock.advance(31 * 24 * time.Hour)
	_, err := t.Plan(t.Context(), r.Key(), 0, 10)
	t.fails(err, fault.NotFound)
	t.planned(r.Key(), plan[0], false)
}

// record records an event that must not exist yet.
func (t *storeTest) record(r record.Event, plan []string) {
	t.Helper()
	_, _, created, err := t.PutEvent(t.Context(), r, plan)
	t.ok(err)
	same(t, "whether the event was created", created, true)
}

func (t *storeTest) eventIs(want record.Event) {
	t.Helper()
	got, err := t.Event(t.Context(), want.Key())
	t.ok(err)
	same(t, "the event", got, want)
}

func (t *storeTest) planIs(key events.Key, want []string) {
	t.Helper()
	got, err := t.Plan(t.Context(), key, 0, limits.MatchesMax)
	t.ok(err)
	same(t, "the plan", got, want)
}

func (t *storeTest) planned(key events.Key, webhookID string, want bool) {
	t.Helper()
	got, err := t.Planned(t.Context(), key, webhookID)
	t.ok(err)
	same(t, "whether "+webhookID+" is in the plan", got, want)
}

// newPlan returns a plan of n webhooks.
func newPlan(n int) []string {
	plan := make([]string, n)
	for i := range plan {
		plan[i] = newID(id.Webhook)
	}
	return plan
}

// incompressible returns a text of n characters that hardly compresses.
func incompressible(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text, state := make([]byte, n), uint64(1)
	for i := range text {
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
		text[i] = alphabet[state>>58]
	}
	return string(text)
}

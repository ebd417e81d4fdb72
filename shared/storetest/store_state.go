package storetest

import (
	"bytes"
	"strings"
	"time"

	"nepenthes/shared/fault"
)

var stateCases = []storeCase{
	{"comes back byte for byte", (*storeTest).stateBytes},
	{"is not there before it is put, nor after it was dropped", (*storeTest).stateDropped},
	{"is replaced by put, with its expiry", (*storeTest).stateReplaced},
	{"is not replaced by add", (*storeTest).stateAdded},
	{"is added by one when several add it at once", (*storeTest).stateAtOnce},
	{"is gone when it has expired, and can be added anew", (*storeTest).stateExpired},
	{"that has expired already is not there", (*storeTest).statePast},
	{"can last for ever", (*storeTest).stateForEver},
}

var counterCases = []storeCase{
	{"add up, below zero too", (*storeTest).countAddsUp},
	{"are exact when many count at once", (*storeTest).countAtOnce},
	{"begin anew when they have expired, and not before", (*storeTest).countExpired},
	{"do not begin by being read", (*storeTest).countRead},
	{"are taken from while they are there, and not begun by that", (*storeTest).countDown},
	{"have keys of their own", (*storeTest).countKeys},
}

func (t *storeTest) stateBytes() {
	for key, value := range map[string]string{
		"empty": "", "a:bytes": anyBytes, "a:\x7fÜ\U0001F40D" + strings.Repeat("k", 200): "key",
		"large": incompressible(100_000),
	} {
		t.ok(t.PutState(t.Context(), key, []byte(value), never))
		t.stateIs(key, value)
	}
}

func (t *storeTest) stateDropped() {
	t.stateIsNot("key")
	t.ok(t.DropState(t.Context(), "key"))
	t.ok(t.PutState(t.Context(), "key", []byte("value"), never))
	t.ok(t.PutState(t.Context(), "key2", []byte("other"), never))
	t.ok(t.DropState(t.Context(), "key"))
	t.stateIsNot("key")
	t.stateIs("key2", "other")
	t.ok(t.AddState(t.Context(), "key", []byte("new"), never))
	t.stateIs("key", "new")
}

func (t *storeTest) stateReplaced() {
	t.ok(t.PutState(t.Context(), "key", []byte("first"), epoch.Add(time.Hour)))
	t.ok(t.PutState(t.Context(), "key", []byte("second"), epoch.Add(3*time.Hour)))
	t.clock.pass(2 * time.Hour)
	t.stateIs("key", "second")
	t.ok(t.PutState(t.Context(), "key", []byte("third"), epoch.Add(150*time.Minute)))
	t.clock.pass(time.Hour)
	t.stateIsNot("key")
}

func (t *storeTest) stateAdded() {
	t.ok(t.AddState(t.Context(), "key", []byte("first"), never))
	for _, value := range []string{"second", "first"} { // the same value is no proof of the same writer
		t.fails(t.AddState(t.Context(), "key", []byte(value), never), fault.UpdateConflict)
	}
	t.stateIs("key", "first")
}

func (t *storeTest) stateAtOnce() {
	t.oneWins(fault.UpdateConflict, func(int) error {
		return t.AddState(t.Context(), "key", []byte("same"), never)
	})
}

func (t *storeTest) stateExpired() {
	t.ok(t.PutState(t.Context(), "key", []byte("value"), epoch.Add(time.Hour)))
	t.clock.pass(time.Hour - 2*time.Second)
	t.stateIs("key", "value")
	t.fails(t.AddState(t.Context(), "key", []byte("early"), never), fault.UpdateConflict)
	t.clock.pass(4 * time.Second)
	t.stateIsNot("key")
	t.oneWins(fault.UpdateConflict, func(int) error {
		return t.AddState(t.Context(), "key", []byte("anew"), never)
	})
	t.stateIs("key", "anew")
}

func (t *storeTest) statePast() {
	for _, expires := range []time.Time{epoch.Add(-time.Minute), {}} {
		t.ok(t.PutState(t.Context(), "key", []byte("value"), expires))
		t.stateIsNot("key")
		t.ok(t.AddState(t.Context(), "key", []byte("added"), expires))
		t.stateIsNot("key")
	}
}

func (t *storeTest) stateForEver() {
	t.ok(t.PutState(t.Context(), "key", []byte("value"), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)))
	t.clock.pass(100 * 365 * 24 * time.Hour)
	t.stateIs("key", "value")
}

func (t *storeTest) stateIs(key, want string) {
	t.Helper()
	got, err := t.State(t.Context(), key)
	t.ok(err)
	if !bytes.Equal(got, []byte(want)) {
		t.Errorf("got %d bytes %.100q, want %d bytes %.100q", len(got), got, len(want), want)
	}
}

func (t *storeTest) stateIsNot(key string) {
	t.Helper()
	_, err := t.State(t.Context(), key)
	t.fails(err, fault.NotFound)
}

func (t *storeTest) countAddsUp() {
	var want int64
	for _, by := range []int64{1, 41, -50, 1 << 40, 0} {
		want += by
		t.counts("key", by, want)
	}
	t.counts("other", 1, 1)
}

func (t *storeTest) countAtOnce() {
	const each = 25
	for _, err := range atOnce(clients, func(int) error {
		for range each {
			if _, err := t.Count(t.Context(), "key", 3, never); err != nil {
				return err
			}
		}
		return nil
	}) {
		t.ok(err)
	}
	t.counts("key", 0, clients*each*3)
}

func (t *storeTest) countExpired() {
	count := func(by, want int64, life time.Duration) {
		t.Helper()
		got, err := t.Count(t.Context(), "key", by, t.clock.Now().Add(life))
		t.ok(err)
		same(t, "the counter", got, want)
	}
	count(5, 5, time.Hour)
	t.clock.pass(50 * time.Minute)
	count(1, 6, time.Hour) // does not make it live longer
	t.clock.pass(20 * time.Minute)
	count(0, 0, time.Hour)
	count(2, 2, time.Hour)
	t.clock.pass(50 * time.Minute)
	count(1, 3, time.Hour)
}

func (t *storeTest) countRead() {
	got, err := t.Count(t.Context(), "key", 0, epoch.Add(time.Minute))
	t.ok(err)
	same(t, "a counter that nobody began", got, 0)
	t.counts("key", 1, 1)
	t.clock.pass(time.Hour)
	t.counts("key", 1, 2) // it lives as long as its first count said
}

func (t *storeTest) countDown() {
	t.counts("key", -3, 0)
	t.counts("key", 0, 0)
	count := func(by, want int64) {
		t.Helper()
		got, err := t.Count(t.Context(), "key", by, t.clock.Now().Add(time.Hour))
		t.ok(err)
		same(t, "the counter", got, want)
	}
	count(2, 2)
	count(-1, 1)
	count(-1, 0)
	count(-1, -1)
	count(3, 2)
	t.clock.pass(2 * time.Hour)
	count(-1, 0)
	count(0, 0)
	count(1, 1)
}

func (t *storeTest) countKeys() {
	t.ok(t.PutState(t.Context(), "key", []byte("value"), never))
	t.counts("key", 2, 2)
	t.stateIs("key", "value")
	t.ok(t.DropState(t.Context(), "key"))
	t.counts("key", 1, 3)
}

// counts adds to a counter that does not expire, and demands what it then is.
func (t *storeTest) counts(key string, by, want int64) {
	t.Helper()
	got, err := t.Count(t.Context(), key, by, never)
	t.ok(err)
	same(t, "the counter", got, want)
}

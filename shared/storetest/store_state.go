package storetest

import (
	"bytes"
	"strings"
	"time"

	"nepenthes/shared/fault"
)

var stateCases = []storeCase{
	{"is read byte for byte", (*storeTest).stateBytes},
	{"is not found before PutState and after DropState", (*storeTest).stateDropped},
	{"is replaced by PutState, together with its expiry", (*storeTest).stateReplaced},
	{"is not replaced by AddState", (*storeTest).stateAdded},
	{"is added by one of several concurrent writers", (*storeTest).stateAtOnce},
	{"is not found after it expires, and can be added again", (*storeTest).stateExpired},
	{"that is put after its expiry is not found", (*storeTest).statePast},
	{"can have an expiry far in the future", (*storeTest).stateForEver},
}

var counterCases = []storeCase{
	{"add up, even below zero", (*storeTest).countAddsUp},
	{"are exact with concurrent writers", (*storeTest).countAtOnce},
	{"begin at zero again after they expire, and not before", (*storeTest).countExpired},
	{"are not created by reading", (*storeTest).countRead},
	{"can be decreased if they exist, but are not created by a decrease", (*storeTest).countDown},
	{"can have the same key as a value", (*storeTest).countKeys},
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
	t.clock.advance(2 * time.Hour)
	t.stateIs("key", "second")
	t.ok(t.PutState(t.Context(), "key", []byte("third"), epoch.Add(150*time.Minute)))
	t.clock.advance(time.Hour)
	t.stateIsNot("key")
}

func (t *storeTest) stateAdded() {
	t.ok(t.AddState(t.Context(), "key", []byte("first"), never))
	for _, value := range []string{"second", "first"} { // an equal value may come from another writer
		t.fails(t.AddState(t.Context(), "key", []byte(value), never), fault.UpdateConflict)
	}
	t.stateIs("key", "first")
}

func (t *storeTest) stateAtOnce() {
	t.oneWins(fault.UpdateConflict, func(int) error {
		return t.AddState(t.Context(), "key", []byte("same"), never)
	})
}

// stateExpired leaves two seconds before and after the expiry, because stores keep it in whole seconds.
func (t *storeTest) stateExpired() {
	t.ok(t.PutState(t.Context(), "key", []byte("value"), epoch.Add(time.Hour)))
	t.clock.advance(time.Hour - 2*time.Second)
	t.stateIs("key", "value")
	t.fails(t.AddState(t.Context(), "key", []byte("early"), never), fault.UpdateConflict)
	t.clock.advance(4 * time.Second)
	t.stateIsNot("key")
	t.oneWins(fault.UpdateConflict, func(int) error {
		return t.AddState(t.Context(), "key", []byte("anew"), never)
	})
	t.stateIs("key", "anew")
}

// statePast includes the zero time, which a store could take for "no expiry".
func (t *storeTest) statePast() {
	for _, expires := range []time.Time{epoch.Add(-time.Minute), {}} {
		t.ok(t.PutState(t.Context(), "key", []byte("value"), expires))
		t.stateIsNot("key")
		t.ok(t.AddState(t.Context(), "key", []byte("added"), expires))
		t.stateIsNot("key")
	}
}

// stateForEver uses an expiry that does not fit into an int64 of nanoseconds.
func (t *storeTest) stateForEver() {
	t.ok(t.PutState(t.Context(), "key", []byte("value"), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)))
	t.clock.advance(100 * 365 * 24 * time.Hour)
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
	for _, err := range atOnce(writers, func(int) error {
		for range each {
			if _, err := t.Count(t.Context(), "key", 3, never); err != nil {
				return err
			}
		}
		return nil
	}) {
		t.ok(err)
	}
	t.counts("key", 0, writers*each*3)
}

// countExpired checks that the first count sets the expiry. Otherwise a counter in constant use would never begin again.
func (t *storeTest) countExpired() {
	count := func(by, want int64, life time.Duration) {
		t.Helper()
		got, err := t.Count(t.Context(), "key", by, t.clock.Now().Add(life))
		t.ok(err)
		same(t, "the counter", got, want)
	}
	count(5, 5, time.Hour)
	t.clock.advance(50 * time.Minute)
	count(1, 6, time.Hour) // does not change the expiry
	t.clock.advance(20 * time.Minute)
	count(0, 0, time.Hour)
	count(2, 2, time.Hour)
	t.clock.advance(50 * time.Minute)
	count(1, 3, time.Hour)
}

// countRead checks that a read, which adds 0, does not set the expiry of a counter that is created later.
func (t *storeTest) countRead() {
	got, err := t.Count(t.Context(), "key", 0, epoch.Add(time.Minute))
	t.ok(err)
	same(t, "a counter that does not exist", got, 0)
	t.counts("key", 1, 1)
	t.clock.advance(time.Hour)
	t.counts("key", 1, 2) // the read did not set its expiry
}

// countDown decreases counters that do not exist or have expired. A decrease must not create a counter, which would begin
// below zero.
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
	t.clock.advance(2 * time.Hour)
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

// counts adds to a counter that does not expire, and checks the sum.
func (t *storeTest) counts(key string, by, want int64) {
	t.Helper()
	got, err := t.Count(t.Context(), key, by, never)
	t.ok(err)
	same(t, "the counter", got, want)
}

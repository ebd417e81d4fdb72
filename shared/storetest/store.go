// Package storetest holds the tests that every store must pass.
package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/store"
)

// Open returns an empty store for a test and closes it by t.Cleanup. The store takes the time from now.
type Open func(t *testing.T, now func() time.Time) store.Store

// Test checks that the stores that open returns keep the promises of store.Store. Each subtest opens its own store. The
// subtests run in parallel, because most of their time is spent waiting for a store.
func Test(t *testing.T, open Open) {
	for _, noun := range []struct {
		name  string
		cases []storeCase
	}{
		{"settings", settingsCases},
		{"webhooks", webhookCases},
		{"webhook names", webhookNameCases},
		{"catalogue", catalogueCases},
		{"projects", projectCases},
		{"clients", clientCases},
		{"key pairs", keyPairCases},
		{"events", eventCases},
		{"plans", planCases},
		{"deliveries", deliveryCases},
		{"attempts", attemptCases},
		{"lists", listCases},
		{"indexes", indexCases},
		{"held deliveries", heldCases},
		{"release jobs", releaseJobCases},
		{"state", stateCases},
		{"counters", counterCases},
	} {
		t.Run(noun.name, func(t *testing.T) {
			for _, c := range noun.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.test(newStoreTest(t, open))
				})
			}
		})
	}
}

// storeCase is a subtest, which has its own store.
type storeCase struct {
	name string
	test func(*storeTest)
}

// writers is the number of concurrent writers of which only one may succeed.
const writers = 8

// epoch is the time at which every test begins. It has nanoseconds, to show whether a store truncates times.
var epoch = time.Date(2026, time.January, 2, 11, 0, 0, 123_456_789, time.UTC)

// received is the time at which the samples of events were received: epoch, in whole milliseconds.
var received = epoch.Truncate(time.Millisecond)

// never is an expiry that no test reaches.
var never = epoch.AddDate(1, 0, 0)

// storeTest is a subtest with its store and the clock of the store.
type storeTest struct {
	*testing.T
	store.Store
	clock *clock
}

func newStoreTest(t *testing.T, open Open) *storeTest {
	c := &clock{now: epoch}
	return &storeTest{T: t, Store: open(t, c.Now), clock: c}
}

// clock is a clock that advances only when advance is called.
type clock struct {
	mu  sync.Mutex // protects now
	now time.Time
}

// Now returns the time of the clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// advance advances the clock by d.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ok ends the test if err is not nil.
func (t *storeTest) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails checks that err is a fault of the given kind.
func (t *storeTest) fails(err error, want fault.Kind) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Kind != want {
		t.Errorf("got error %v, want a fault of kind %v", err, want)
	}
}

// reporter reports failures. It is a test or one round of a property test.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// same checks that got equals want. An empty list or map equals nil, and times are compared as instants.
func same[T any](t reporter, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), compareData); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// compareData compares the data of events, because cmp takes a second to compare large data byte by byte.
var compareData = cmp.Comparer(func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })

// atOnce calls do from n goroutines that start together. It returns their errors in no particular order.
func atOnce(n int, do func(i int) error) []error {
	begin, errs := make(chan struct{}), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			errs[i] = do(i)
		})
	}
	close(begin)
	all.Wait()
	return errs
}

// oneWins checks that exactly one of several concurrent writers succeeds and that the others get a fault of kind losers.
func (t *storeTest) oneWins(losers fault.Kind, do func(i int) error) {
	t.Helper()
	won := 0
	for _, err := range atOnce(writers, do) {
		if err == nil {
			won++
			continue
		}
		t.fails(err, losers)
	}
	if won != 1 {
		t.Errorf("got %d winners, want 1", won)
	}
}

// newID returns an id that sorts after all earlier ids.
func newID(p id.Prefix) string { return id.New(p, epoch) }

// Package storetest holds the suite of what every store must keep.
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

// Open gives a store with nothing in it for one test, which goes by the clock now, and has it closed by
// t.Cleanup.
type Open func(t *testing.T, now func() time.Time) store.Store

// Test tests that the stores which open gives keep what store.Store promises. Every sub-test opens its own; they run
// side by side, since most of what they do is waiting for a store.
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

// storeCase is one sub-test, which has a store to itself.
type storeCase struct {
	name string
	test func(*storeTest)
}

// clients is how many write at once where only one may win.
const clients = 8

// epoch is when every test begins. Its nanoseconds show whether times are cut.
var epoch = time.Date(2026, time.January, 2, 11, 0, 0, 123_456_789, time.UTC)

// received is epoch as an event's ReceivedAt, in whole milliseconds.
var received = epoch.Truncate(time.Millisecond)

// never is an expiry that no test reaches.
var never = epoch.AddDate(1, 0, 0)

// storeTest is a sub-test with its store and the clock by which that goes.
type storeTest struct {
	*testing.T
	store.Store
	clock *clock
}

func newStoreTest(t *testing.T, open Open) *storeTest {
	c := &clock{now: epoch}
	return &storeTest{T: t, Store: open(t, c.Now), clock: c}
}

// clock stands still unless it is told.
type clock struct {
	mu  sync.Mutex // protects now
	now time.Time
}

// Now is what the clock shows.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass lets time pass.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// ok ends the test when err is not nil.
func (t *storeTest) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails demands a fault of a kind.
func (t *storeTest) fails(err error, want fault.Kind) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Kind != want {
		t.Errorf("got error %v, want a fault of kind %v", err, want)
	}
}

// reporter is told what is wrong: a test, or one round of a property test.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// same demands that got is want: an empty list or map may be nil, and times are compared as instants.
func same[T any](t reporter, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), wholeData); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// wholeData compares an event's data as a whole: byte by byte, as cmp goes about it, a large one takes a second.
var wholeData = cmp.Comparer(func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })

// atOnce calls do from n goroutines that begin together, and gives the errors of all, in no order.
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

// oneWins demands that of several who write at once one succeeds and all others fail with a fault of a kind.
func (t *storeTest) oneWins(losers fault.Kind, do func(i int) error) {
	t.Helper()
	won := 0
	for _, err := range atOnce(clients, do) {
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

// newID makes an id that sorts behind those made before.
func newID(p id.Prefix) string { return id.New(p, epoch) }

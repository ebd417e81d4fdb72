package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/awstest"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/fault"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/tables"
	"nepenthes/shared/throttle"
)

// clock is a clock that the tests advance.
type clock struct{ at atomic.Int64 }

// newClock returns a clock that stands at the beginning of a second.
func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// stores opens the stores that hold the counters.
var stores = map[string]func(t *testing.T, now func() time.Time) throttle.Counter{
	"SQLite": func(t *testing.T, now func() time.Time) throttle.Counter {
		db, err := sqlite.Open("", sqlite.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	},
	"DynamoDB": func(t *testing.T, now func() time.Time) throttle.Counter {
		t.Setenv("AWS_ENDPOINT_URL", awstest.DynamoDB(t))
		t.Setenv("AWS_REGION", "us-east-1")
		t.Setenv("AWS_ACCESS_KEY_ID", "test")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
		cfg, err := awsclient.Load(t.Context(), 16)
		if err != nil {
			t.Fatal(err)
		}
		names := tables.Prefixed(fmt.Sprintf("t%d-", made.Add(1)))
		if err := dynamo.CreateTables(t.Context(), cfg, names); err != nil {
			t.Fatal(err)
		}
		return dynamo.New(dynamo.Config{AWS: cfg, Tables: names, Now: now})
	},
}

var made atomic.Int64

// counting counts the writes that reach a store.
type counting struct {
	throttle.Counter
	writes atomic.Int64
	broken atomic.Bool
}

func (c *counting) Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error) {
	c.writes.Add(1)
	if c.broken.Load() {
		return 0, errors.New("unreachable")
	}
	if by < 1 || !strings.HasPrefix(key, "rate/") {
		return 0, fmt.Errorf("counted %s by %d", key, by)
	}
	return c.Counter.Count(ctx, key, by, expires)
}

// deployment is several processes with one store.
type deployment struct {
	*clock
	store     *counting
	processes []*throttle.Shared
	next      int
	log       strings.Builder
}

func deploy(t *testing.T, store string, processes int, perSecond float64) *deployment {
	t.Helper()
	d := &deployment{clock: newClock()}
	d.store = &counting{Counter: stores[store](t, d.Now)}
	for range processes {
		d.processes = append(d.processes, throttle.NewShared(throttle.SharedConfig{
			PerSecond: perSecond, Counter: d.store, Now: d.Now, Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
			Patience: time.Minute, // the first call to an emulator may be slow
		}))
	}
	return d
}

// take makes a request to the processes in turn and reports whether it passed.
func (d *deployment) take(t *testing.T, class throttle.Class) (passed bool) {
	t.Helper()
	p := d.processes[d.next%len(d.processes)]
	d.next++
	err := p.Take(t.Context(), "app_1", class)
	if err == nil {
		return true
	}
	f := fault.From(err)
	if f.Kind != fault.TooManyRequests || f.RetryAfter <= 0 || f.RetryAfter > time.Second {
		t.Fatalf("got %v with RetryAfter %v, want TooManyRequests with up to a second", err, f.RetryAfter)
	}
	return false
}

// passes makes perSecond requests, evenly spread, in each of several seconds. It returns how many passed in each second.
func (d *deployment) passes(t *testing.T, perSecond, seconds int, class throttle.Class) (passed []int) {
	t.Helper()
	for range seconds {
		n := 0
		for range perSecond {
			if d.take(t, class) {
				n++
			}
			d.advance(time.Second / time.Duration(perSecond))
		}
		d.at.Store(d.Now().Round(time.Second).UnixNano())
		passed = append(passed, n)
	}
	return passed
}

func TestSharedLimitsTheRateOfAllProcesses(t *testing.T) {
	const rate = 50
	for store := range stores {
		for _, processes := range []int{1, 3, 20} {
			t.Run(fmt.Sprintf("%s, %d processes", store, processes), func(t *testing.T) {
				d := deploy(t, store, processes, rate)
				passed := d.passes(t, 4*rate, 5, throttle.Requests)
				total := 0
				for i, n := range passed {
					total += n
					most := rate
					if i == 0 {
						most = 2 * rate
					}
					// A second may lack what processes have left of their leases. No second has more than its own
					// allowance and what the processes had left from the second before.
					if n > most+rate/2 || n < most/2 {
						t.Errorf("%d of %d requests passed in second %d, want about %d", n, 4*rate, i+1, most)
					}
				}
				if d.log.Len() > 0 {
					t.Fatalf("some requests were not counted: %s", d.log.String())
				}
				if total > 6*rate || total < 5*rate {
					t.Errorf("%d requests passed in 5 seconds, want 5 to 6 times %d", total, rate)
				}
			})
		}
	}
}

func TestSharedNeverRefusesAClientBelowItsRate(t *testing.T) {
	const rate = 100
	for _, processes := range []int{1, 3, 10, 40} {
		for _, perSecond := range []int{1, 10, 50, 80, 100} {
			t.Run(fmt.Sprintf("%d requests a second to %d processes", perSecond, processes), func(t *testing.T) {
				d := deploy(t, "SQLite", processes, rate)
				for second, n := range d.passes(t, perSecond, 10, throttle.Requests) {
					if n != perSecond {
						t.Errorf("%d of %d requests passed in second %d, want all", n, perSecond, second+1)
					}
				}
			})
		}
	}
}

func TestSharedAllowsABurstOfTwiceTheRate(t *testing.T) {
	d := deploy(t, "SQLite", 1, 50)
	for i := range 100 {
		if !d.take(t, throttle.Requests) {
			t.Fatalf("request %d of a burst was refused", i+1)
		}
	}
	if d.take(t, throttle.Requests) {
		t.Error("a request after the burst passed, want it refused")
	}
	if n := d.passes(t, 1000, 1, throttle.Events)[0]; n != 1000 { // 20 times the rate, counted separately
		t.Errorf("%d of 1000 events passed, want all", n)
	}
	if n := d.passes(t, 100, 3, throttle.Requests); n[0]+n[1]+n[2] != 150 {
		t.Errorf("%v requests passed in the three seconds after the burst, want 150 in total", n)
	}
}

func TestSharedCountsClientsSeparately(t *testing.T) {
	d := deploy(t, "SQLite", 1, 1)
	for client := range 100 {
		for range 2 {
			if err := d.processes[0].Take(t.Context(), fmt.Sprint("app_", client), throttle.Requests); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSharedWrites checks the budget of writes: one for each request of a quiet client, and a few a second for a busy
// one.
func TestSharedWrites(t *testing.T) {
	for name, c := range map[string]struct {
		processes, perSecond, most int // writes a second
	}{
		"one request a second":                    {1, 1, 1},
		"two requests a second in two processes":  {2, 2, 2},
		"a busy client in one process":            {1, 90, 15},
		"a busy client in five processes":         {5, 90, 30},
		"a client at four times its rate":         {1, 400, 20},
		"four times the rate in twenty processes": {20, 400, 140},
		"quiet requests, each to another process": {10, 10, 10},
		"a client at its rate, in many processes": {10, 100, 45},
	} {
		t.Run(name, func(t *testing.T) {
			const seconds = 10
			d := deploy(t, "SQLite", c.processes, 100)
			d.passes(t, c.perSecond, seconds, throttle.Requests)
			got := d.store.writes.Load()
			t.Logf("%.2f writes a request", float64(got)/float64(c.perSecond*seconds))
			if got > int64(c.most*seconds) {
				t.Errorf("got %d writes for %d requests, want at most %d", got, c.perSecond*seconds, c.most*seconds)
			}
		})
	}
}

func TestSharedWithoutItsCounter(t *testing.T) {
	d := deploy(t, "SQLite", 1, 10)
	d.store.broken.Store(true)
	for range 1000 {
		if !d.take(t, throttle.Requests) {
			t.Fatal("a request was refused while the counter is unreachable")
		}
	}
	if n := d.store.writes.Load(); n != 1 {
		t.Errorf("the counter was called %d times in a second, want once", n)
	}
	if n := strings.Count(d.log.String(), "rate.not_counted"); n != 1 {
		t.Errorf("got %d warnings in a second, want one: %s", n, d.log.String())
	}
	d.store.broken.Store(false)
	d.advance(time.Second)
	if n := d.passes(t, 100, 1, throttle.Requests)[0]; n != 20 {
		t.Errorf("%d requests passed once the counter was back, want a burst of 20", n)
	}
}

// TestSharedConcurrently makes requests from many goroutines within one second; the clock stands still. At most two
// processes can pass all of their 50 requests. Each of these may have up to 4 requests left of its last lease of 5.
func TestSharedConcurrently(t *testing.T) {
	d := deploy(t, "SQLite", 8, 50)
	var passed atomic.Int64
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			if d.processes[i%8].Take(t.Context(), "app_1", throttle.Requests) == nil {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	if n := passed.Load(); n > 100 || n < 100-2*4 {
		t.Errorf("%d of 400 requests passed, want 92 to 100", n)
	}
}

func TestProcessLimitsTheRate(t *testing.T) {
	for rate, burst := range map[float64]int{0.5: 1, 1: 2, 7: 14, 100: 200} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			c := newClock()
			p := throttle.NewProcess(rate, c.Now)
			take := func() error { return p.Take(t.Context(), "app_1", throttle.Requests) }
			for i := range burst {
				if err := take(); err != nil {
					t.Fatalf("request %d of a burst: %v", i+1, err)
				}
			}
			for range 3 { // refused requests do not count
				err := take()
				if !fault.Is(err, fault.TooManyRequests) {
					t.Fatalf("got %v, want TooManyRequests", err)
				}
				if wait := fault.From(err).RetryAfter.Seconds(); math.Abs(wait-1/rate) > 0.001 {
					t.Errorf("got a wait of %g s, want %g", wait, 1/rate)
				}
			}
			c.advance(time.Duration(math.Ceil(float64(time.Second) / rate)))
			if err := take(); err != nil {
				t.Errorf("the request after the wait was refused: %v", err)
			}
			if err := take(); err == nil {
				t.Error("two requests passed after the wait, want one")
			}
			if err := p.Take(t.Context(), "app_1", throttle.Events); err != nil {
				t.Errorf("an event was counted as a request: %v", err)
			}
		})
	}
}

func TestNewPanicsWithoutItsParts(t *testing.T) {
	for name, make := range map[string]func(){
		"Shared":  func() { throttle.NewShared(throttle.SharedConfig{PerSecond: 1}) },
		"Process": func() { throttle.NewProcess(0, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic, want one")
				}
			}()
			make()
		})
	}
}

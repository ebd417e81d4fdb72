package stats_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nepenthes/shared/delivery"
	"nepenthes/shared/stats"
)

var until = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)

// received returns a delivery whose event was received at a time before until. It has no last attempt if took is 0.
func received(before time.Duration, state delivery.State, took time.Duration, status int, class delivery.ErrorClass) delivery.Delivery {
	at := until.Add(-before)
	d := delivery.Delivery{Key: delivery.Key{ReceivedMs: at.UnixMilli()}, CreatedAt: at, State: state}
	if took != 0 {
		d.Last = &delivery.Summary{Outcome: delivery.OutcomeDelivered, Total: took, Status: status, ErrorClass: class}
		if class != "" {
			d.Last.Outcome = delivery.OutcomeFailed
		}
	}
	return d
}

const ms = time.Millisecond

func TestCount(t *testing.T) {
	since := until.Add(-3 * time.Second)
	newest := []delivery.Delivery{
		received(1*ms, delivery.Pending, 0, 0, ""),
		received(2*ms, delivery.Delivered, 10*ms, 204, ""),
		received(999*ms, delivery.Retrying, 30*ms, 0, delivery.ErrTimeout),
		received(1000*ms, delivery.Delivered, 20*ms, 503, delivery.ErrStatus), // delivered, then an extra attempt failed
		received(1001*ms, delivery.Held, 20*ms, 503, delivery.ErrStatus),
		received(1002*ms, delivery.Held, 0, 0, ""),
		received(3000*ms, delivery.Dead, 0, 0, ""),
		received(3000*ms, delivery.Skipped, 40*ms, 200, delivery.ErrReset), // the answer broke off
	}
	bucket := func(from time.Duration, delivered, failed int, p50, p95, p99 time.Duration) stats.Bucket {
		b := stats.Bucket{From: until.Add(-from), Until: until.Add(time.Second - from), Delivered: delivered, Failed: failed}
		if p50 != 0 {
			b.Durations = &stats.Durations{P50: p50, P95: p95, P99: p99}
		}
		return b
	}
	first := []stats.Bucket{bucket(3*time.Second, 0, 1, 40*ms, 40*ms, 40*ms)}
	rest := []stats.Bucket{bucket(2*time.Second, 0, 1, 20*ms, 20*ms, 20*ms), bucket(time.Second, 2, 1, 20*ms, 30*ms, 30*ms)}
	states := func(pending, retrying, held, delivered, dead, skipped int) map[delivery.State]int {
		return map[delivery.State]int{
			delivery.Pending: pending, delivery.Retrying: retrying, delivery.Held: held,
			delivery.Delivered: delivered, delivery.Dead: dead, delivery.Skipped: skipped,
		}
	}
	none := map[delivery.ErrorClass]int{}
	for name, c := range map[string]struct {
		newest []delivery.Delivery
		more   bool
		want   stats.Stats
	}{
		"all": {newest, false, stats.Stats{
			Since: since, Until: until, Complete: true, Total: 8, States: states(1, 1, 2, 2, 1, 1),
			Statuses: map[int]int{204: 1, 503: 2}, ErrorClasses: map[delivery.ErrorClass]int{delivery.ErrTimeout: 1, delivery.ErrReset: 1},
			Durations: &stats.Durations{P50: 20 * ms, P95: 40 * ms, P99: 40 * ms}, Buckets: append(first, rest...),
		}},
		"more than are counted": {newest[:6], true, stats.Stats{
			Since: until.Add(-1002 * ms), Until: until, Total: 6, States: states(1, 1, 2, 2, 0, 0),
			Statuses: map[int]int{204: 1, 503: 2}, ErrorClasses: map[delivery.ErrorClass]int{delivery.ErrTimeout: 1},
			Durations: &stats.Durations{P50: 20 * ms, P95: 30 * ms, P99: 30 * ms}, Buckets: rest,
		}},
		"none": {nil, false, stats.Stats{
			Since: since, Until: until, Complete: true, States: states(0, 0, 0, 0, 0, 0), Statuses: map[int]int{}, ErrorClasses: none,
			Buckets: []stats.Bucket{bucket(3*time.Second, 0, 0, 0, 0, 0), bucket(2*time.Second, 0, 0, 0, 0, 0), bucket(time.Second, 0, 0, 0, 0, 0)},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(&c.want, stats.Count(since, until, c.newest, c.more)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestBucketsHaveLengthsThatAreEasyToRead(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		period time.Duration
		want   int
		length time.Duration
	}{
		{day, 24, time.Hour},
		{time.Hour, 60, time.Minute},
		{time.Minute, 60, time.Second},
		{7 * day, 28, 6 * time.Hour},
		{30 * day, 30, day},
		{time.Second, 1, time.Second},
		{25 * time.Hour, 25, time.Hour},
		{90 * time.Second, 18, 5 * time.Second},
		{61 * day, 60, 61 * day / 60},
		{100 * 365 * day, 60, 100 * 365 * day / 60},
		{59 * ms, 59, ms},
		{ms, 1, ms},
		{6001 * ms, 60, 100 * ms},
	} {
		got := stats.Count(until.Add(-c.period), until, nil, false).Buckets
		if length := got[0].Until.Sub(got[0].From); len(got) != c.want || length != c.length {
			t.Errorf("%s: got %d buckets of %s, want %d of %s", c.period, len(got), length, c.want, c.length)
		}
	}
}

func TestThePercentileIsTheNearestRank(t *testing.T) {
	for n, want := range map[int]stats.Durations{
		1: {P50: 1, P95: 1, P99: 1}, 2: {P50: 1, P95: 2, P99: 2}, 20: {P50: 10, P95: 19, P99: 20}, 100: {P50: 50, P95: 95, P99: 99}, 1000: {P50: 500, P95: 950, P99: 990},
	} {
		var newest []delivery.Delivery
		for i := range n {
			newest = append(newest, received(ms, delivery.Delivered, time.Duration(n-i), 200, ""))
		}
		if got := *stats.Count(until.Add(-time.Hour), until, newest, false).Durations; got != want {
			t.Errorf("the durations 1 to %d: got %+v, want %+v", n, got, want)
		}
	}
}

// TestTheLongestPeriod has the first and the last time that a client can name.
func TestTheLongestPeriod(t *testing.T) {
	first, last := time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
	got := stats.Count(first, last, []delivery.Delivery{received(0, delivery.Delivered, ms, 200, "")}, false).Buckets
	if len(got) != 60 || !got[59].Until.Equal(last) {
		t.Fatalf("got %d buckets, the last one %+v", len(got), got[len(got)-1])
	}
	counted := slices.IndexFunc(got, func(b stats.Bucket) bool { return b.Delivered == 1 })
	if b := got[counted]; until.Before(b.From) || !until.Before(b.Until) {
		t.Errorf("got a delivery of %s in the bucket %+v", until, b)
	}
}

// TestFiguresAgree compares the figures of any deliveries in any period with each other and with a count of each bucket.
func TestFiguresAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		period := time.Duration(rapid.Int64Range(1, 100_000_000).Draw(t, "period in ms")) * ms
		newest := deliveries(t, period)
		more := len(newest) > 0 && rapid.Bool().Draw(t, "more")
		since := until.Add(-period)
		s := stats.Count(since, until, newest, more)
		checkSums(t, s, newest)
		if s.Complete == more {
			t.Errorf("got complete %v although more is %v", s.Complete, more)
		}
		if !more && !s.Buckets[0].From.Equal(since) || s.Buckets[0].From.After(s.Since) || !s.Buckets[0].Until.After(s.Since) {
			t.Errorf("the first bucket %+v does not contain %s", s.Buckets[0], s.Since)
		}
		if last := s.Buckets[len(s.Buckets)-1]; !last.Until.Equal(until) || len(s.Buckets) > stats.BucketsMax {
			t.Errorf("got %d buckets until %s", len(s.Buckets), last.Until)
		}
		for i, b := range s.Buckets {
			checkBucket(t, b, newest)
			if i > 0 && !b.From.Equal(s.Buckets[i-1].Until) {
				t.Errorf("bucket %d begins at %s, the one before ends at %s", i, b.From, s.Buckets[i-1].Until)
			}
			if got, first := b.Until.Sub(b.From), s.Buckets[0].Until.Sub(s.Buckets[0].From); got < ms || (got-first).Abs() > ms {
				t.Errorf("bucket %d has the length %s, and the first one %s", i, got, first)
			}
		}
	})
}

// deliveries returns any deliveries of the period before until, newest first.
func deliveries(t *rapid.T, period time.Duration) (newest []delivery.Delivery) {
	for range rapid.IntRange(0, 40).Draw(t, "deliveries") {
		newest = append(newest, received(
			time.Duration(rapid.Int64Range(1, period.Milliseconds()).Draw(t, "before"))*ms, rapid.SampledFrom(delivery.States()).Draw(t, "state"),
			time.Duration(rapid.IntRange(0, 50).Draw(t, "took")), rapid.SampledFrom([]int{0, 200, 503}).Draw(t, "status"),
			rapid.SampledFrom([]delivery.ErrorClass{"", delivery.ErrStatus, delivery.ErrTimeout}).Draw(t, "class"),
		))
	}
	slices.SortFunc(newest, func(a, b delivery.Delivery) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return newest
}

// checkSums checks that each delivery counts once in each group of figures.
func checkSums(t *rapid.T, s *stats.Stats, newest []delivery.Delivery) {
	t.Helper()
	inStates, attempts, inBuckets := 0, 0, 0
	for _, n := range s.States {
		inStates += n
	}
	for _, n := range s.Statuses {
		attempts += n
	}
	for _, n := range s.ErrorClasses {
		attempts += n
	}
	for _, b := range s.Buckets {
		inBuckets += b.Delivered
	}
	attempted := len(slices.DeleteFunc(slices.Clone(newest), func(d delivery.Delivery) bool { return d.Last == nil }))
	if s.Total != len(newest) || inStates != len(newest) || attempts != attempted || inBuckets != s.States[delivery.Delivered] {
		t.Errorf("%d deliveries with %d last attempts: got %d by state, %d last attempts, and %d of %d delivered in buckets",
			len(newest), attempted, inStates, attempts, inBuckets, s.States[delivery.Delivered])
	}
	if d := s.Durations; (d == nil) != (attempted == 0) || d != nil && (d.P50 > d.P95 || d.P95 > d.P99) {
		t.Errorf("%d last attempts: got %+v", attempted, d)
	}
}

// checkBucket counts the deliveries of a bucket again.
func checkBucket(t *rapid.T, got stats.Bucket, newest []delivery.Delivery) {
	t.Helper()
	want := stats.Bucket{From: got.From, Until: got.Until}
	var took []time.Duration
	for _, d := range newest {
		if d.CreatedAt.Before(got.From) || !d.CreatedAt.Before(got.Until) {
			continue
		}
		if d.Last != nil {
			took = append(took, d.Last.Total)
		}
		waiting := d.State != delivery.Delivered && d.State != delivery.Dead && d.State != delivery.Skipped
		if d.State == delivery.Delivered {
			want.Delivered++
		}
		if d.State == delivery.Dead || waiting && d.Last != nil && d.Last.Outcome == delivery.OutcomeFailed {
			want.Failed++
		}
	}
	if got.Delivered != want.Delivered || got.Failed != want.Failed || (got.Durations == nil) != (took == nil) {
		t.Errorf("got %+v, want %+v with the durations %v", got, want, took)
	}
	if got.Durations == nil {
		return
	}
	notLonger := 0
	for _, d := range took {
		if d <= got.Durations.P95 {
			notLonger++
		}
	}
	if !slices.Contains(took, got.Durations.P95) || notLonger*100 < len(took)*95 {
		t.Errorf("got the 95th percentile %s of %v", got.Durations.P95, took)
	}
}

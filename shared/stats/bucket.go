package stats

import (
	"slices"
	"time"

	"nepenthes/shared/delivery"
)

// BucketsMax is the largest number of buckets.
const BucketsMax = 60

// lengths are the lengths of buckets that people find easy to read, in ascending order.
var lengths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// division is a period that is divided into parts of equal length. Times are in milliseconds, because a time.Duration
// cannot be as long as a period.
type division struct{ since, until, parts int64 }

// divide divides the period into the shortest of lengths that fits, or else into BucketsMax parts. Then the lengths of the
// parts differ by a millisecond, because times are whole milliseconds.
func divide(since, until time.Time) division {
	p := division{since: since.UnixMilli(), until: until.UnixMilli()}
	period := p.until - p.since
	for _, length := range lengths {
		if n := period / length.Milliseconds(); n > 0 && n <= BucketsMax && period%length.Milliseconds() == 0 {
			p.parts = n
			return p
		}
	}
	p.parts = min(max(period, 1), BucketsMax)
	return p
}

// start returns when part i begins. The part before it ends then.
func (p division) start(i int64) int64 { return p.since + (p.until-p.since)*i/p.parts }

// part returns the number of the part that contains a moment of the period.
func (p division) part(ms int64) int64 {
	period := max(p.until-p.since, 1)
	return ((ms-p.since+1)*p.parts - 1) / period
}

// buckets returns the buckets of the deliveries, which are sorted newest first, beginning with the bucket that contains
// counted.
func (p division) buckets(newest []delivery.Delivery, counted time.Time) []Bucket {
	first := p.part(counted.UnixMilli())
	buckets := make([]Bucket, 0, p.parts-first)
	for i := p.parts - 1; i >= first; i-- {
		older := slices.IndexFunc(newest, func(d delivery.Delivery) bool { return d.ReceivedMs < p.start(i) })
		if older < 0 {
			older = len(newest)
		}
		buckets = append(buckets, p.bucket(i, newest[:older]))
		newest = newest[older:]
	}
	slices.Reverse(buckets)
	return buckets
}

// bucket returns the bucket of part i, with its deliveries.
func (p division) bucket(i int64, deliveries []delivery.Delivery) Bucket {
	b := Bucket{From: time.UnixMilli(p.start(i)).UTC(), Until: time.UnixMilli(p.start(i + 1)).UTC(), Durations: durations(deliveries)}
	for j := range deliveries {
		switch d := &deliveries[j]; {
		case d.State == delivery.Delivered:
			b.Delivered++
		case failed(d):
			b.Failed++
		}
	}
	return b
}

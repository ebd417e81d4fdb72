package delivery

import (
	"time"

	"nepenthes/shared/limits"
)

// Clock scales waits. Speed divides every wait: retry delays, Retry-After and the margins of the sweeper. At speed 60
// a wait of a minute takes a second. Speed 0 means 1. Leases, visibility times and timeouts are not scaled.
type Clock struct{ Speed float64 }

// Scaled returns the wait d at the speed of the clock.
func (c Clock) Scaled(d time.Duration) time.Duration {
	if c.Speed <= 0 || c.Speed == 1 {
		return d
	}
	return time.Duration(float64(d) / c.Speed)
}

// sweepAt returns when the sweeper looks at an attempt that is due at next. If a lane can delay a doorbell until then,
// the sender has sent the doorbell, and the sweeper looks after next in case the doorbell got lost. Otherwise the
// sweeper looks early enough to send the doorbell with a delay that a lane allows.
func (c Clock) sweepAt(now, next time.Time) time.Time {
	if next.Sub(now) <= c.Scaled(limits.MaxDelay) {
		return next.Add(c.Scaled(limits.SweepMargin))
	}
	return next.Add(-c.Scaled(limits.SweepLead))
}

// nextRing returns when the sweeper looks again after it has sent the given number of doorbells for an attempt: 2, 4, 8
// … and at most 60 minutes after the last doorbell.
func (c Clock) nextRing(after time.Time, rings int) time.Time {
	wait := time.Hour
	if rings < 6 {
		wait = min(wait, time.Minute<<rings)
	}
	return after.Add(c.Scaled(wait))
}

// Doorbell reports whether the sender must send a doorbell when it has recorded an outcome, and the delay of the
// doorbell. For a longer wait, the sweeper sends the doorbell.
func (c Clock) Doorbell(d *Delivery, now time.Time) (delay time.Duration, ring bool) {
	if d.Extra != nil {
		return 0, true
	}
	if d.NextAttemptAt.IsZero() || d.NextAttemptAt.Sub(now) > c.Scaled(limits.MaxDelay) {
		return 0, false
	}
	return max(0, d.NextAttemptAt.Sub(now)), true
}

// Sweep sets when the sweeper looks at the delivery again. It reports whether the sweeper must send a doorbell now, and
// the delay of the doorbell. While a sender holds the delivery, there is no doorbell: either the message of that sender
// comes back, or the sweeper looks again after the lease. A delivery that waits for nothing gets no SweepAt.
func (d *Delivery) Sweep(now time.Time, clock Clock) (delay time.Duration, ring bool) {
	switch {
	case d.Lease != nil && now.Before(d.Lease.Until):
		d.SweepAt = d.Lease.Until.Add(clock.Scaled(limits.SweepMargin))
		return 0, false
	case d.Extra == nil && d.Lease == nil && d.NextAttemptAt.IsZero():
		d.SweepAt, d.Rings = time.Time{}, 0
		return 0, false
	}
	due := now
	if d.Extra == nil && d.Lease == nil && d.NextAttemptAt.After(now) {
		due = d.NextAttemptAt
	}
	d.Rings++
	d.SweepAt = clock.nextRing(due, d.Rings)
	return due.Sub(now), true
}

package delivery

import (
	"time"

	"nepenthes/shared/limits"
)

// Clock says how long waits are. Speed divides every wait (retry delays, Retry-After, the sweeper's margins):
// with 60, a minute passes in a second; zero means 1. Leases, visibility and time-outs are real at any speed.
type Clock struct{ Speed float64 }

// Scaled is the wait d at the clock's speed.
func (c Clock) Scaled(d time.Duration) time.Duration {
	if c.Speed <= 0 || c.Speed == 1 {
		return d
	}
	return time.Duration(float64(d) / c.Speed)
}

// sweepAt is when the sweeper shall look at an attempt that is due at next: a while after it when a lane can wait
// for it, since then only a lost doorbell is left to find; else early enough to hand it to a lane in time.
func (c Clock) sweepAt(now, next time.Time) time.Time {
	if next.Sub(now) <= c.Scaled(limits.MaxDelay) {
		return next.Add(c.Scaled(limits.SweepMargin))
	}
	return next.Add(-c.Scaled(limits.SweepLead))
}

// nextRing is when to look again after the rings-th ringing for one attempt: 2, 4, 8 … 60 minutes later.
func (c Clock) nextRing(after time.Time, rings int) time.Time {
	wait := time.Hour
	if rings < 6 {
		wait = min(wait, time.Minute<<rings)
	}
	return after.Add(c.Scaled(wait))
}

// Doorbell says whether a waiting delivery shall be rung from its outcome, and with which delay.
func (c Clock) Doorbell(d *Delivery, now time.Time) (delay time.Duration, ring bool) {
	if d.Owed != nil {
		return 0, true
	}
	if d.NextAttemptAt.IsZero() || d.NextAttemptAt.Sub(now) > c.Scaled(limits.MaxDelay) {
		return 0, false
	}
	return max(0, d.NextAttemptAt.Sub(now)), true
}

// Sweep moves a delivery that the sweeper found out of the way of its next look, and says whether to ring for it
// and with which delay. A delivery in somebody's hands is not rung: its holder's message or the next look sees to
// it. One that waits for nothing leaves the index.
func (d *Delivery) Sweep(now time.Time, clock Clock) (delay time.Duration, ring bool) {
	switch {
	case d.Lease != nil && now.Before(d.Lease.Until):
		d.SweepAt = d.Lease.Until.Add(clock.Scaled(limits.SweepMargin))
		return 0, false
	case d.Owed == nil && d.Lease == nil && d.NextAttemptAt.IsZero():
		d.SweepAt, d.Rings = time.Time{}, 0
		return 0, false
	}
	due := now
	if d.Owed == nil && d.Lease == nil && d.NextAttemptAt.After(now) {
		due = d.NextAttemptAt
	}
	d.Rings++
	d.SweepAt = clock.nextRing(due, d.Rings)
	return due.Sub(now), true
}

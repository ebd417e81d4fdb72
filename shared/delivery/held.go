package delivery

import (
	"time"

	"nepenthes/shared/limits"
)

// Hold keeps back the attempt of the schedule that is due, because the webhook cannot receive. It is not an attempt, and
// nothing is due until [Delivery.Release]. Hold returns an error if no attempt of the schedule is due, and for a ping.
func (d *Delivery) Hold(reason Reason, now time.Time) error {
	if verdict, trigger := d.Judge(now); verdict != Go || trigger != TriggerSchedule || reason != Paused {
		return d.illegal("hold as " + string(reason))
	}
	d.State, d.Reason, d.NextAttemptAt = Held, reason, time.Time{}
	d.clear()
	return nil
}

// Release lets a delivery that is held go on where it was. Its next attempt is due at next. Release returns an error for a
// delivery that is not held.
func (d *Delivery) Release(next, now time.Time, clock Clock) error {
	if d.State != Held {
		return d.illegal("release")
	}
	d.State, d.Reason = Retrying, ""
	if d.Scheduled == 0 {
		d.State = Pending
	}
	d.NextAttemptAt = next
	d.SweepAt = clock.sweepAt(now, next)
	return nil
}

// Drop ends a delivery that is held because its webhook was paused, as a person decided. Drop returns an error for any
// other delivery.
func (d *Delivery) Drop(now time.Time) error {
	if d.State != Held || d.Reason != Paused {
		return d.illegal("drop")
	}
	d.finish(Dead, Dropped, now)
	return nil
}

// EventExpired reports whether the event of the delivery can no longer be read at now.
func (d *Delivery) EventExpired(now time.Time) bool {
	return !now.Before(d.ExpiresAt.Add(-limits.RowKept))
}

// Shown returns the delivery as it is shown at now. A delivery that is still held when its event expires is shown as
// expired, although nobody has stored this yet.
func (d Delivery) Shown(now time.Time) Delivery {
	if d.State == Held && d.EventExpired(now) {
		d.finish(Dead, Expired, d.ExpiresAt.Add(-limits.RowKept))
	}
	return d
}

// ReleaseJob exists for every webhook for which deliveries may be held. The sweeper works on it.
type ReleaseJob struct {
	Webhook string
	// LeaseUntil is when another sweeper may work on the job.
	LeaseUntil time.Time
	// ReceivingSince is since when the sweeper has seen that the webhook is not paused. It is zero before. A sender may
	// hold deliveries on older news for limits.Lease more.
	ReceivingSince time.Time
	// PacedUntil is the time up to which released deliveries have a place. The next sweep goes on from there, so that two
	// sweeps in short succession do not exceed the rate.
	PacedUntil time.Time
	// Version is the stored version.
	Version int64
}

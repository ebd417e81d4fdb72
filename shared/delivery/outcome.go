package delivery

import (
	"time"

	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// Rules are what Record needs to know about the webhook and the moment.
type Rules struct {
	Schedule webhook.ScheduleName
	Clock    Clock
	// RetryAfter is what the receiver asked for with a status that may ask; zero: nothing.
	RetryAfter time.Duration
	// Dice is uniform in [0,1): the jitter.
	Dice float64
}

// Record enters the outcome of the attempt that was claimed, and lets go of the claim:
//
//  1. A 2xx makes the delivery delivered, from any state.
//  2. A 410 makes it dead, gone; the caller disables the webhook (not for a ping).
//  3. Another failure of the schedule waits for the next attempt, or ends dead, exhausted.
//  4. Another failure of an extra attempt leaves state and schedule as they were.
//
// An attempt that was not claimed, or whose claim somebody else took over after it ended, is a fault of ours and
// changes nothing.
func (d *Delivery) Record(a *Attempt, rules Rules, now time.Time) error {
	if d.Lease == nil || d.Lease.Attempt != a.ID {
		return d.illegal("outcome of " + a.ID)
	}
	owed := d.Owed
	d.AttemptCount++
	summary := a.Summary()
	d.Last = &summary
	if a.Trigger == TriggerSchedule || a.Trigger == TriggerPing {
		d.Scheduled++
	}
	switch {
	case a.Outcome == OutcomeDelivered:
		d.finish(Delivered, "", now)
	case a.Gone():
		d.finish(Dead, Gone, now)
	case a.Trigger == TriggerSchedule:
		d.retry(rules, now)
	case a.Trigger == TriggerPing:
		d.finish(Dead, Exhausted, now)
	default:
		d.resume(rules.Clock, now)
	}
	d.keepAsking(owed, rules.Clock, now)
	return nil
}

// retry plans the next attempt of the schedule.
func (d *Delivery) retry(rules Rules, now time.Time) {
	wait, more := rules.Schedule.Wait(d.Scheduled)
	if !more {
		d.finish(Dead, Exhausted, now)
		return
	}
	d.rest()
	d.State, d.Reason = Retrying, ""
	d.NextAttemptAt = now.Add(rules.Clock.Scaled(backoff(wait, rules.RetryAfter, rules.Dice)))
	d.SweepAt = rules.Clock.sweepAt(now, d.NextAttemptAt)
}

// resume lets the schedule go on after an extra attempt that failed.
func (d *Delivery) resume(clock Clock, now time.Time) {
	d.rest()
	if !d.NextAttemptAt.IsZero() {
		d.SweepAt = clock.sweepAt(now, d.NextAttemptAt)
	}
}

// keepAsking restores a request that came while the attempt was under way: it was answered 202 and is kept.
func (d *Delivery) keepAsking(owed *Owed, clock Clock, now time.Time) {
	if owed != nil {
		_, _ = d.Ask(owed.Trigger, now, clock) // no state after an outcome refuses it
	}
}

// jitterShare is how far a wait is moved at random, so that what failed together does not come back together.
const jitterShare = 0.1

// backoff is the wait that follows when the schedule says wait, the receiver asked for retryAfter (zero: for
// nothing), and dice is uniform in [0,1). The later of the two counts. The schedule is moved by up to ±10 %, a
// Retry-After only upwards, since the receiver said "not before", and never beyond 24 h.
func backoff(wait, retryAfter time.Duration, dice float64) time.Duration {
	scheduled := wait + time.Duration((2*dice-1)*jitterShare*float64(wait))
	asked := min(retryAfter, limits.RetryAfterMax)
	asked = min(asked+time.Duration(dice*jitterShare*float64(asked)), limits.RetryAfterMax)
	return max(scheduled, asked)
}

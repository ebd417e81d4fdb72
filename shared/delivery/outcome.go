package delivery

import (
	"time"

	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// Rules are the rules by which Record plans the next attempt.
type Rules struct {
	Schedule webhook.ScheduleName
	Clock    Clock
	// RetryAfter is the wait that the receiver asked for in the header Retry-After. It is 0 if there was none, or if
	// the header does not count for the status of the answer.
	RetryAfter time.Duration
	// Dice is a random number in [0,1) for the jitter.
	Dice float64
}

// Record records the outcome of the claimed attempt and ends the claim:
//
//  1. After a 2xx answer the delivery is delivered, whatever its state was.
//  2. After a 410 answer the delivery is dead with reason gone. The caller disables the webhook, unless the delivery is
//     a ping.
//  3. After any other failure of an attempt of the schedule, the delivery waits for the next attempt. If there is none,
//     it is dead with reason exhausted.
//  4. After any other failure of an extra attempt, state and schedule stay as they were.
//
// Record returns an error and changes nothing if the attempt does not hold the claim.
func (d *Delivery) Record(a *Attempt, rules Rules, now time.Time) error {
	if d.Lease == nil || d.Lease.Attempt != a.ID {
		return d.illegal("record the outcome of " + a.ID)
	}
	extra := d.Extra
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
	d.restoreExtra(extra, rules.Clock, now)
	return nil
}

// retry plans the next attempt of the schedule, or ends the delivery if there is none.
func (d *Delivery) retry(rules Rules, now time.Time) {
	wait, more := rules.Schedule.Wait(d.Scheduled)
	if !more {
		d.finish(Dead, Exhausted, now)
		return
	}
	d.clear()
	d.State, d.Reason = Retrying, ""
	d.NextAttemptAt = now.Add(rules.Clock.Scaled(backoff(wait, rules.RetryAfter, rules.Dice)))
	d.SweepAt = rules.Clock.sweepAt(now, d.NextAttemptAt)
}

// resume continues with the schedule after a failed extra attempt.
func (d *Delivery) resume(clock Clock, now time.Time) {
	d.clear()
	if !d.NextAttemptAt.IsZero() {
		d.SweepAt = clock.sweepAt(now, d.NextAttemptAt)
	}
}

// restoreExtra restores an extra attempt that a person asked for during the attempt. The request was accepted, so it
// must not get lost.
func (d *Delivery) restoreExtra(extra *Extra, clock Clock, now time.Time) {
	if extra != nil {
		_, _ = d.Ask(extra.Trigger, now, clock) // never fails: after an outcome the delivery is not pending
	}
}

// jitterShare is the largest part of a wait that is added or subtracted at random. Deliveries that failed at the same
// time should not be tried again at the same time.
const jitterShare = 0.1

// backoff returns the wait before the next attempt: the longer of the schedule's wait and the receiver's retryAfter,
// which is 0 if the receiver asked for none. dice is a random number in [0,1). The wait of the schedule changes by up
// to ±10 %. A Retry-After only grows, because it means "not before", and never beyond 24 h.
func backoff(wait, retryAfter time.Duration, dice float64) time.Duration {
	scheduled := wait + time.Duration((2*dice-1)*jitterShare*float64(wait))
	asked := min(retryAfter, limits.RetryAfterMax)
	asked = min(asked+time.Duration(dice*jitterShare*float64(asked)), limits.RetryAfterMax)
	return max(scheduled, asked)
}

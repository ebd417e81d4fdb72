// Package delivery defines deliveries and the rules by which their state changes. A delivery is one event for one
// webhook.
//
// The package has neither a store nor a clock. The methods of [Delivery] get the time from the caller and change a
// value in memory, and the caller stores the value.
package delivery

import (
	"fmt"
	"time"

	"nepenthes/events"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
)

// State is the state of a delivery.
type State string

// The states. The list is closed.
const (
	Pending   State = "pending"
	Retrying  State = "retrying"
	Held      State = "held"
	Delivered State = "delivered"
	Dead      State = "dead"
	Skipped   State = "skipped"
)

// States returns all states.
func States() []State { return []State{Pending, Retrying, Held, Delivered, Dead, Skipped} }

// Reason explains why a delivery is held, dead or skipped.
type Reason string

// The reasons.
const (
	Exhausted    Reason = "exhausted"
	Gone         Reason = "gone"
	Expired      Reason = "expired"
	Dropped      Reason = "dropped"
	Disabled     Reason = "disabled"
	Deleted      Reason = "deleted"
	Unsubscribed Reason = "unsubscribed"
	Paused       Reason = "paused"
)

// Key is the key of a delivery in its table. The partition key is Webhook; the sort key is ReceivedMs, then Event.
type Key struct {
	Webhook    string // wh_…
	ReceivedMs int64  // the Unix time of the event's receipt in milliseconds
	Event      events.Key
}

// ID returns the id of the delivery, dlv_…. Clients and receivers see the key in this form.
func (k Key) ID() string { return id.Delivery(k.Webhook, k.ReceivedMs, k.Event) }

// ParseKey returns the key in the id of a delivery. It returns an error for a text that [Key.ID] cannot return.
func ParseKey(deliveryID string) (Key, error) {
	w, ms, e, err := id.ParseDelivery(deliveryID)
	return Key{Webhook: w, ReceivedMs: ms, Event: e}, err
}

// Delivery is one event for one webhook. Only its methods change its state. They change the value in memory; the
// caller stores it on the condition that Version is still the stored version.
type Delivery struct {
	Key
	EventID, EventSource, EventType string
	// Origin is the trigger of the event: schedule or ping. A ping ends with its first attempt and never needs a
	// person.
	Origin Trigger

	State  State
	Reason Reason
	// AttemptCount is the number of recorded attempts. Scheduled is the number of those that the schedule asked for.
	AttemptCount int
	Scheduled    int
	Last         *Summary // the newest attempt; nil if there is none

	// NextAttemptAt is when the next attempt of the schedule is due. It is zero if no attempt is due.
	NextAttemptAt time.Time
	// Lease is the claim of a sender that is making an attempt or died while making one. It is nil if there is no
	// claim.
	Lease *Lease
	// Extra is an extra attempt that a person asked for and that no sender has claimed yet.
	Extra *Extra
	// SweepAt is when the sweeper checks whether a doorbell got lost. It is zero if the delivery waits for nothing.
	SweepAt time.Time
	// Rings is the number of doorbells that the sweeper has sent for the waiting attempt.
	Rings int

	CreatedAt  time.Time // the event's ReceivedAt
	FinishedAt time.Time // zero if not finished
	ExpiresAt  time.Time // when the row expires: a week after its event
	// Version is the stored version. It is 0 if the row does not exist yet.
	Version int64
}

// Lease is a claim of a delivery. Until it ends no other sender makes an attempt.
type Lease struct {
	Attempt string // the attempt's id
	Trigger Trigger
	Until   time.Time
}

// Extra is an attempt outside the schedule that a person asked for.
type Extra struct {
	Trigger Trigger
	At      time.Time
}

// Verdict says what a sender does with a doorbell.
type Verdict uint8

// The verdicts.
const (
	// Nothing means that neither an attempt of the schedule nor an extra attempt is due. The sender acknowledges the
	// doorbell.
	Nothing Verdict = iota
	// Busy means that another sender holds the delivery. The doorbell goes back to its lane, because it may be the
	// message that the other sender is working on.
	Busy
	// Early means that the attempt is due in more than a second. The sender acknowledges the doorbell; the sweeper
	// will ring again.
	Early
	// Go means that an attempt may be claimed.
	Go
)

// Judge returns what a sender does with a doorbell that arrives at now, and the trigger of the attempt that it would
// make. A lease that ended without an outcome belongs to a sender that died. Its attempt is made again, with the same
// trigger.
func (d *Delivery) Judge(now time.Time) (Verdict, Trigger) {
	switch {
	case d.Lease != nil && now.Before(d.Lease.Until):
		return Busy, ""
	case d.Extra != nil:
		return Go, d.Extra.Trigger
	case d.Lease != nil:
		return Go, d.Lease.Trigger
	case d.finished(), d.State == Held:
		return Nothing, ""
	case d.NextAttemptAt.After(now.Add(limits.ClaimEarly)):
		return Early, ""
	}
	return Go, d.Origin
}

// NeedsPerson reports whether the delivery belongs in the list of deliveries that a person should look at. A person has
// decided already about a delivery that was dropped.
func (d *Delivery) NeedsPerson() bool {
	return d.State == Dead && d.Origin != TriggerPing && d.Reason != Dropped
}

// UnderWay reports whether an attempt is being made, or whether an extra attempt is waiting for a sender.
func (d *Delivery) UnderWay() bool { return d.Lease != nil || d.Extra != nil }

// Claim claims the delivery for the attempt with the id attemptID. No other sender may claim it before now +
// limits.Lease. If the trigger is that of the extra attempt, Claim sets Extra to nil. Claim returns an error if Judge
// does not return Go.
func (d *Delivery) Claim(attemptID string, trigger Trigger, now time.Time) error {
	if verdict, _ := d.Judge(now); verdict != Go {
		return d.illegal("claim")
	}
	if d.Extra != nil && d.Extra.Trigger == trigger {
		d.Extra = nil
	}
	d.Lease = &Lease{Attempt: attemptID, Trigger: trigger, Until: now.Add(limits.Lease)}
	return nil
}

// Skip ends a delivery that its webhook no longer wants. It does not count as an attempt. A delivery that has ended
// already keeps its state. Skip returns an error if a sender holds the delivery, or if the reason is not Deleted,
// Disabled or Unsubscribed.
func (d *Delivery) Skip(reason Reason, now time.Time) error {
	if d.Lease != nil && now.Before(d.Lease.Until) {
		return d.illegal("skip")
	}
	switch {
	case d.finished(): // only an extra attempt was waiting
		d.clear()
	case reason == Deleted || reason == Disabled || reason == Unsubscribed:
		d.finish(Skipped, reason, now)
	default:
		return d.illegal("skip for reason " + string(reason))
	}
	return nil
}

// Expire ends a delivery whose event can no longer be read. A delivery that has ended already keeps its state.
func (d *Delivery) Expire(now time.Time) {
	if d.finished() {
		d.clear()
		return
	}
	d.finish(Dead, Expired, now)
}

// Ask records that a person wants an extra attempt. The sweeper looks for the attempt at now + limits.SweepMargin at
// the latest. If an extra attempt is waiting already, Ask changes nothing and added is false. Ask returns an error for
// a delivery that is held, and for one whose first attempt is under way or about to be made.
func (d *Delivery) Ask(trigger Trigger, now time.Time, clock Clock) (added bool, err error) {
	if d.State == Held || d.State == Pending && d.NextAttemptAt.IsZero() {
		return false, d.illegal("retry")
	}
	if d.Extra != nil {
		return false, nil
	}
	d.Extra = &Extra{Trigger: trigger, At: now}
	d.Rings = 0
	if at := now.Add(clock.Scaled(limits.SweepMargin)); d.SweepAt.IsZero() || at.Before(d.SweepAt) {
		d.SweepAt = at
	}
	return true, nil
}

// finished reports whether the delivery has ended.
func (d *Delivery) finished() bool {
	return d.State == Delivered || d.State == Dead || d.State == Skipped
}

// finish ends the delivery in the given state.
func (d *Delivery) finish(state State, reason Reason, now time.Time) {
	d.State, d.Reason, d.FinishedAt, d.NextAttemptAt = state, reason, now, time.Time{}
	d.clear()
}

// clear removes the claim and the extra attempt, and stops the sweeper from looking. It leaves NextAttemptAt
// unchanged.
func (d *Delivery) clear() {
	d.Lease, d.Extra, d.SweepAt, d.Rings = nil, nil, time.Time{}, 0
}

// illegal returns the error of an action that the state of the delivery does not allow.
func (d *Delivery) illegal(action string) error {
	return fmt.Errorf("delivery %s: cannot %s in state %s", d.ID(), action, d.State)
}

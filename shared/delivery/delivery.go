// Package delivery is the noun of a delivery, one event for one webhook, and decides every move between its states:
// what an attempt's outcome leads to, and when the next attempt is due.
package delivery

import (
	"fmt"
	"time"

	"nepenthes/events"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
)

// State is where a delivery stands.
type State string

// The states (closed list of contract-delivery).
const (
	Pending   State = "pending"
	Retrying  State = "retrying"
	Held      State = "held"
	Delivered State = "delivered"
	Dead      State = "dead"
	Skipped   State = "skipped"
)

// States lists the states.
func States() []State { return []State{Pending, Retrying, Held, Delivered, Dead, Skipped} }

// Reason explains why a delivery is dead or skipped.
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
)

// Key is a delivery's place in its table: partition Webhook, sort ReceivedMs then Event.
type Key struct {
	Webhook    string // wh_…
	ReceivedMs int64  // when the event was received, in milliseconds
	Event      events.Key
}

// ID is the key as the outside sees it: dlv_….
func (k Key) ID() string { return id.Delivery(k.Webhook, k.ReceivedMs, k.Event) }

// ParseKey turns a delivery's id back into its key; it refuses what ID does not make.
func ParseKey(deliveryID string) (Key, error) {
	w, ms, e, err := id.ParseDelivery(deliveryID)
	return Key{Webhook: w, ReceivedMs: ms, Event: e}, err
}

// Delivery is one event for one webhook. Its methods are the only way from state to state; they change the value
// in memory, and the caller stores it on condition that Version is still the stored one.
type Delivery struct {
	Key
	EventID, EventSource, EventType string
	// Origin is the event's trigger: schedule, or ping, which ends with its first attempt and needs no person.
	Origin Trigger

	State  State
	Reason Reason
	// AttemptCount counts the attempts that are recorded; Scheduled those of them that the schedule asked for.
	AttemptCount int
	Scheduled    int
	Last         *Summary

	// NextAttemptAt is when the schedule wants the next attempt; zero: it wants none.
	NextAttemptAt time.Time
	// Lease is the claim of whoever makes an attempt now, or died making it; nil: nobody.
	Lease *Lease
	// Owed is an extra attempt that a person asked for and nobody has claimed yet.
	Owed *Owed
	// SweepAt is when the sweeper shall look whether a doorbell got lost; zero: the delivery waits for nothing.
	SweepAt time.Time
	// Rings counts the sweeper's doorbells for the attempt that waits.
	Rings int

	CreatedAt  time.Time // the event's ReceivedAt
	FinishedAt time.Time // zero: not finished
	ExpiresAt  time.Time // of the row: a week after its event
	// Version is the stored version, 0 when the row does not exist yet.
	Version int64
}

// Lease is a claim: until it ends nobody else makes an attempt.
type Lease struct {
	Attempt string // the attempt's id
	Trigger Trigger
	Until   time.Time
}

// Owed is an attempt outside the schedule, asked for by hand or by a replay.
type Owed struct {
	Trigger Trigger
	At      time.Time
}

// Verdict is what a doorbell leads to.
type Verdict uint8

// The verdicts.
const (
	// Nothing: no attempt is due and none is owed. The doorbell is acknowledged.
	Nothing Verdict = iota
	// Busy: somebody holds the delivery. The doorbell goes back to its lane: it may be the very message.
	Busy
	// Early: the attempt's time is more than a second away. The doorbell is acknowledged; the clock has it.
	Early
	// Go: an attempt may be claimed.
	Go
)

// Judge says what a doorbell that arrives at now leads to, and by which trigger an attempt would be made. A lease
// that ended without an outcome is the attempt of a holder that died: it is made again under the same trigger.
func (d *Delivery) Judge(now time.Time) (Verdict, Trigger) {
	switch {
	case d.Lease != nil && now.Before(d.Lease.Until):
		return Busy, ""
	case d.Owed != nil:
		return Go, d.Owed.Trigger
	case d.Lease != nil:
		return Go, d.Lease.Trigger
	case d.finished(), d.State == Held:
		return Nothing, ""
	case d.NextAttemptAt.After(now.Add(limits.ClaimEarly)):
		return Early, ""
	}
	return Go, d.Origin
}

// NeedsPerson reports whether the delivery belongs in the list of those that a person should look at.
func (d *Delivery) NeedsPerson() bool { return d.State == Dead && d.Origin != TriggerPing }

// Claim takes the delivery for one attempt: id names it, and nobody else may begin before now + limits.Lease.
// What is owed by hand is taken by it. Claiming what Judge does not say Go to is a fault of ours.
func (d *Delivery) Claim(attemptID string, trigger Trigger, now time.Time) error {
	if verdict, _ := d.Judge(now); verdict != Go {
		return d.illegal("claim")
	}
	if d.Owed != nil && d.Owed.Trigger == trigger {
		d.Owed = nil
	}
	d.Lease = &Lease{Attempt: attemptID, Trigger: trigger, Until: now.Add(limits.Lease)}
	return nil
}

// Skip ends a delivery that the rules no longer want. It is not counted as an attempt.
func (d *Delivery) Skip(reason Reason, now time.Time) error {
	if d.Lease != nil && now.Before(d.Lease.Until) {
		return d.illegal("skip")
	}
	switch {
	case d.finished(): // an extra attempt was asked for; what the delivery came to stands
		d.rest()
	case reason == Deleted || reason == Disabled || reason == Unsubscribed:
		d.finish(Skipped, reason, now)
	default:
		return d.illegal("skip as " + string(reason))
	}
	return nil
}

// Expire ends a delivery whose event can no longer be read. One that has come to an end keeps it.
func (d *Delivery) Expire(now time.Time) {
	if d.finished() {
		d.rest()
		return
	}
	d.finish(Dead, Expired, now)
}

// Ask records that a person wants an extra attempt; the clock looks for it at now + margin at the latest. Asking
// while one is owed adds nothing and is no fault. Pending and held deliveries cannot be asked for: fault.
func (d *Delivery) Ask(trigger Trigger, now time.Time, clock Clock) (added bool, err error) {
	if d.State == Pending || d.State == Held {
		return false, d.illegal("retry")
	}
	if d.Owed != nil {
		return false, nil
	}
	d.Owed = &Owed{Trigger: trigger, At: now}
	d.Rings = 0
	if at := now.Add(clock.Scaled(limits.SweepMargin)); d.SweepAt.IsZero() || at.Before(d.SweepAt) {
		d.SweepAt = at
	}
	return true, nil
}

// finished reports whether the schedule is through with the delivery.
func (d *Delivery) finished() bool {
	return d.State == Delivered || d.State == Dead || d.State == Skipped
}

// finish moves the delivery to a state in which nothing is waited for.
func (d *Delivery) finish(state State, reason Reason, now time.Time) {
	d.State, d.Reason, d.FinishedAt, d.NextAttemptAt = state, reason, now, time.Time{}
	d.rest()
}

// rest takes away claim and request; the schedule's own waiting, if any, goes on.
func (d *Delivery) rest() {
	d.Lease, d.Owed, d.SweepAt, d.Rings = nil, nil, time.Time{}, 0
}

func (d *Delivery) illegal(move string) error {
	return fmt.Errorf("delivery %s: %s is no move from state %s", d.ID(), move, d.State)
}

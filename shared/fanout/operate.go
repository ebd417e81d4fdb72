package fanout

import (
	"cmp"
	"context"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/record"
	"nepenthes/shared/required"
)

const defaultRetention = limits.RetentionDays * 24 * time.Hour

// OperatorConfig holds the dependencies of an Operator.
type OperatorConfig struct {
	Recorder   Recorder
	Deliveries Sender // the lane of first attempts
	// Retention is how long an event is kept. Zero means limits.RetentionDays.
	Retention time.Duration
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// Operator records events that this system creates, such as a ping. It is safe for concurrent use.
type Operator struct{ OperatorConfig }

// NewOperator returns an Operator. It panics if a dependency is missing.
func NewOperator(c OperatorConfig) *Operator {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Retention = cmp.Or(c.Retention, defaultRetention)
	return &Operator{c}
}

// Operate records an event for the given webhooks and sends its doorbells, as Fanout does for the events of producers. It
// does not change the list of projects. The id of the event should be new. If it is not, Operate sends the doorbells of
// the stored plan again.
func (o *Operator) Operate(ctx context.Context, e events.Event, trigger delivery.Trigger, webhookIDs ...string) (_ record.Event, err error) {
	defer fault.Wrap(&err, "record event %s", e.ID)
	stored, plan, _, err := o.Recorder.PutEvent(ctx, recorded(e, trigger, o.Now(), o.Retention), webhookIDs)
	if err != nil {
		return record.Event{}, err
	}
	return stored, ring(ctx, o.Deliveries, &stored, plan)
}

// recorded returns the record of an event that its lane received at the given time. This is the time of the producer's
// push, however long the event waited for fan-out. An event waits in its lane for at most 14 days, which is why the
// shortest retention is 15 days.
func recorded(e events.Event, trigger delivery.Trigger, at time.Time, retention time.Duration) record.Event {
	at = at.UTC().Truncate(time.Millisecond)
	return record.Event{Event: e, ReceivedAt: at, ExpiresAt: at.Add(retention), Trigger: trigger}
}

// ring sends a doorbell for each delivery of the plan.
func ring(ctx context.Context, deliveries Sender, r *record.Event, plan []string) error {
	if len(plan) == 0 {
		return nil
	}
	bells := make([]lane.Message, len(plan))
	for i, id := range plan {
		bells[i] = lane.Doorbell(r.DeliveryKey(id).ID(), id)
	}
	return deliveries.Send(ctx, bells...)
}

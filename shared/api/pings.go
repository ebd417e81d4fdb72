package api

import (
	"context"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/record"
)

// Operator records an event of Nepenthes itself for the given webhooks and sends doorbells for it. See fanout.Operator.
type Operator interface {
	Operate(ctx context.Context, e events.Event, trigger delivery.Trigger, webhookIDs ...string) (record.Event, error)
}

// Ping asks for a test event to one webhook.
type Ping struct {
	ID string
	// Event is the event type whose example is sent; the default is webhook:ping.
	Event Patch[string]
	// Found are the parts of the request that could not be read.
	Found fault.Details
}

// pingType is the event type of a ping for which the caller chooses none. Only pings have it.
const pingType = "webhook:ping"

// ping sends the example of an event type to this webhook only, even if the webhook is disabled or not subscribed to the
// type. Every call sends another event.
func (o webhooksResource) ping(ctx context.Context, _ Call, in *Ping) (_ *delivery.Delivery, err error) {
	defer fault.Wrap(&err, "ping webhook %s", in.ID)
	w, err := o.Catalogue.Webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found, eventType := faults{in.Found}, pingType
	in.Event.Apply(&eventType, pingType)
	e, known := events.Example(eventType)
	if !known {
		found.addf("event", "It is not in the catalogue of event types.", "Give an exact name in lower case. The resource event_types lists all names.")
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	now := o.moment()
	e.ID, e.Source, e.OccurredAt = id.New(id.Event, now), events.OperationalSource, now.Format(rfc3339Milli)
	recorded, err := o.Operator.Operate(ctx, e, delivery.TriggerPing, w.ID)
	if err != nil {
		return nil, err
	}
	sent := recorded.Delivery(w.ID)
	return &sent, nil
}

// rfc3339Milli is RFC 3339 with milliseconds. The events of Nepenthes itself have this format.
const rfc3339Milli = "2006-01-02T15:04:05.000Z07:00"

package api

import (
	"context"

	"nepenthes/events"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/strictjson"
)

// Ping asks for a test event to one webhook.
type Ping struct {
	WebhookID
	Body Body[PingEvent]
}

// PingEvent says which event to send.
type PingEvent struct {
	Event strictjson.Member[string] `json:"event,omitempty" nullable:"true" doc:"The event type whose example is sent; webhook:ping unless told otherwise." example:"work_package:updated"`
}

const pingType = "webhook:ping"

// ping sends the example of an event type to this webhook alone, whatever its subscription; every call sends one.
func (o webhooksResource) ping(ctx context.Context, call Call, in *Ping) (_ *hal.Delivery, err error) {
	defer fault.Wrap(&err, "ping webhook %s", in.ID)
	w, err := o.Catalogue.Webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found, eventType := faults{in.Body.Problems}, pingType
	in.Body.Value.Event.Take(&eventType, pingType)
	e, known := events.Example(eventType)
	if !known {
		found.addf("event", "The catalogue of event types does not have it.", "Names are exact and lower case: see event_types.")
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
	delivery := recorded.Delivery(w.ID)
	shown := hal.FromDelivery(call.Paths, &delivery)
	shown.Embedded = &hal.Attempts{Attempts: []*hal.Attempt{}}
	return shown, nil
}

// rfc3339Milli is RFC 3339 in milliseconds, as our own events tell their time.
const rfc3339Milli = "2006-01-02T15:04:05.000Z07:00"

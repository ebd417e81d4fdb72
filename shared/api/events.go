package api

import (
	"bytes"
	"context"
	"errors"
	"regexp"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
	"nepenthes/shared/required"
)

// EventStore reads events with their plans. See store.Events.
type EventStore interface {
	Event(ctx context.Context, key events.Key) (record.Event, error)
	Plan(ctx context.Context, key events.Key, offset, limit int) ([]string, error)
	Planned(ctx context.Context, key events.Key, webhookID string) (bool, error)
}

// PushEvent is an event from a producer.
type PushEvent struct {
	// Text is the event as its producer wrote it. It goes to the queue unchanged.
	Text []byte
	// Traceparent is a W3C trace context. Any other text is ignored.
	Traceparent string
}

// PushedEvent names an event that is on the queue.
type PushedEvent struct{ ID, Source string }

// EventID names an event. An empty source means urn:nepenthes.
type EventID struct{ ID, Source string }

// ListEventDeliveries asks for a page of an event's deliveries.
type ListEventDeliveries struct {
	Event  EventID
	Paging Paging
}

// ListEventTypes asks for a page of the catalogue.
type ListEventTypes struct{ Paging Paging }

// EventsConfig holds the dependencies of the operations on events.
type EventsConfig struct {
	Common
	Catalogue  WebhookReader
	Store      EventStore
	Deliveries DeliveryFinder
	Lane       Sender // the lane of events
}

// DeliveryFinder finds the deliveries that have a row. See store.Deliveries.
type DeliveryFinder interface {
	DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (map[delivery.Key]delivery.Delivery, error)
}

// Events holds the operations on events and on the catalogue of event types.
type Events struct {
	Push           Operation[*PushEvent, *PushedEvent]
	Read           Operation[*EventID, *record.Event]
	ListDeliveries Operation[*ListEventDeliveries, *Page[delivery.Delivery]]
	Explain        Operation[*Explain, *Page[Explanation]]
	ListTypes      Operation[*ListEventTypes, *Page[events.Type]]
}

// NewEvents returns the operations on events. It panics if a dependency is missing.
func NewEvents(c EventsConfig) *Events {
	required.Fields(c)
	o := eventsResource{c}
	return &Events{
		Push:           operation(access.EventsWrite, o.push),
		Read:           operation(access.EventsRead, o.read),
		ListDeliveries: operation(access.DeliveriesRead, o.listDeliveries),
		Explain:        operation(access.WebhooksRead, o.explain),
		ListTypes:      operation(access.WebhooksRead, o.listTypes),
	}
}

// eventsResource has the methods of the operations on events.
type eventsResource struct{ EventsConfig }

// unsendable are the characters that JSON allows and a message of SQS does not (API reference, SendMessage).
const unsendable = "\ufffe\uffff"

// push sends the event to the queue, where it is durable. It also sends duplicates, because fan-out ignores them. It refuses
// every event that fan-out would refuse, because the producer cannot see what happens after the queue.
func (o eventsResource) push(ctx context.Context, _ Call, in *PushEvent) (_ *PushedEvent, err error) {
	defer fault.Wrap(&err, "push an event")
	e, err := events.Decode(in.Text)
	if err != nil {
		return nil, refusedEvent(err)
	}
	if bytes.ContainsAny(in.Text, unsendable) {
		return nil, fault.Invalid(fault.Detail{
			Attribute: "data", Message: "The event contains the character U+FFFE or U+FFFF, which the queue does not accept.",
			Hint: `Write it as the escape \ufffe or \uffff, which has the same meaning in JSON.`,
		})
	}
	message := lane.Message{Body: in.Text} // not encoded again, because receivers get the bytes of the producer
	if traceparent.MatchString(in.Traceparent) {
		message.Attributes = map[string]string{lane.Traceparent: in.Traceparent}
	}
	if err := o.Lane.Send(ctx, message); err != nil {
		return nil, err
	}
	return &PushedEvent{e.ID, e.Source}, nil
}

// traceparent matches version 00 of the W3C header. Other versions are not passed on, because their form is not known.
var traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// refusedEvent turns an error of package events into a fault. Other errors stay as they are.
func refusedEvent(err error) error {
	refusal, ok := errors.AsType[*events.Error](err)
	if !ok {
		return err
	}
	switch refusal.Reason {
	case events.TooLarge:
		return fault.New(fault.PayloadTooLarge, "%s", refusal.Problems[0].Message).
			With("Leave out the data that receivers can read elsewhere.")
	case events.Malformed:
		return fault.New(fault.InvalidRequestBody, "The event cannot be read at line %d, column %d: %s",
			refusal.Line, refusal.Column, refusal.Problems[0].Message).
			With("Send one event as a JSON object in UTF-8.")
	}
	var found fault.Details
	for _, p := range refusal.Problems {
		found.Add(fault.Detail{Attribute: p.Attribute, Message: p.Message})
	}
	found.Omit(refusal.Omitted)
	return found.Err()
}

// read returns an event with the number of its matches.
func (o eventsResource) read(ctx context.Context, _ Call, in *EventID) (*record.Event, error) {
	r, err := o.recorded(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// recorded returns the event as fan-out recorded it. An event that is still on the queue is a fault of kind NotFound.
func (o eventsResource) recorded(ctx context.Context, id EventID) (record.Event, error) {
	r, err := o.Store.Event(ctx, events.KeyOf(id.Source, id.ID))
	if fault.Is(err, fault.NotFound) {
		return r, fault.New(fault.NotFound, "There is no event %s from this source.", fault.Quote(id.ID)).
			With("An event that was just pushed appears after fan-out. For another source than urn:nepenthes add ?source=.").
			Because(err)
	}
	return r, err
}

// listDeliveries returns the deliveries of an event in the order of its plan. A delivery that was not claimed yet has no
// row and is pending.
func (o eventsResource) listDeliveries(ctx context.Context, _ Call, in *ListEventDeliveries) (_ *Page[delivery.Delivery], err error) {
	defer fault.Wrap(&err, "list the deliveries of an event")
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	r, err := o.recorded(ctx, in.Event)
	if err != nil {
		return nil, err
	}
	elements, err := o.planned(ctx, &r, page)
	if err != nil {
		return nil, err
	}
	return &Page[delivery.Delivery]{Items: elements, Total: r.MatchCount, Size: page.size, Number: page.offset}, nil
}

// planned returns the deliveries on a page of an event. It reads the page of the plan, and then all rows at once, so
// that an event with many deliveries costs no more than one with few.
func (o eventsResource) planned(ctx context.Context, r *record.Event, page page) ([]delivery.Delivery, error) {
	from, to := page.bounds(r.MatchCount)
	if from == to {
		return []delivery.Delivery{}, nil
	}
	plan, err := o.Store.Plan(ctx, r.Key(), from, to-from)
	if err != nil {
		return nil, err
	}
	keys := make([]delivery.Key, len(plan))
	for i, id := range plan {
		keys[i] = r.DeliveryKey(id)
	}
	rows, err := o.Deliveries.DeliveriesByKey(ctx, keys...)
	if err != nil {
		return nil, err
	}
	elements, now := make([]delivery.Delivery, len(plan)), o.moment()
	for i, key := range keys {
		d, claimed := rows[key]
		if !claimed {
			d = r.Delivery(plan[i])
		}
		elements[i] = d.Shown(now)
	}
	return elements, nil
}

// listTypes returns a page of the catalogue of event types.
func (o eventsResource) listTypes(ctx context.Context, _ Call, in *ListEventTypes) (*Page[events.Type], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	return pageOf(page, events.Types()), nil
}

package api

import (
	"bytes"
	"context"
	"errors"
	"regexp"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
)

// EventStore keeps events with their plans, see store.Events.
type EventStore interface {
	Event(ctx context.Context, key events.Key) (record.Event, error)
	Plan(ctx context.Context, key events.Key, offset, limit int) ([]string, error)
	Planned(ctx context.Context, key events.Key, webhookID string) (bool, error)
}

// PushEvent brings an event.
type PushEvent struct {
	// Text is the event as its producer wrote it. It goes to the queue unchanged.
	Text []byte
	// Traceparent is a W3C trace context. Any other text is ignored.
	Traceparent string
}

// PushedEvent names an event that is on its way.
type PushedEvent struct{ ID, Source string }

// EventID names an event. An empty source is that of Nepenthes.
type EventID struct{ ID, Source string }

// ListEventDeliveries asks for a page of an event's deliveries.
type ListEventDeliveries struct {
	Event  EventID
	Paging Paging
}

// ListEventTypes asks for a page of the catalogue.
type ListEventTypes struct{ Paging Paging }

type eventsResource struct {
	*Config
	deliveries deliveriesResource
}

// unsendable are the characters that JSON takes as they are and a message of SQS does not (API reference, SendMessage).
const unsendable = "\ufffe\uffff"

// push sends the event to the queue, duplicates too: nil means that it is durable there. What fan-out would refuse
// is refused here.
func (o eventsResource) push(ctx context.Context, _ Call, in *PushEvent) (_ *PushedEvent, err error) {
	defer fault.Wrap(&err, "push an event")
	e, err := events.Decode(in.Text)
	if err != nil {
		return nil, refusedEvent(err)
	}
	if bytes.ContainsAny(in.Text, unsendable) {
		return nil, fault.Invalid(fault.Detail{
			Attribute: "data", Message: "The event holds the character U+FFFE or U+FFFF, which the queue does not take as it is.",
			Hint: `Write it as an escape, \ufffe or \uffff: the same text in JSON.`,
		})
	}
	message := lane.Message{Body: in.Text}
	if traceparent.MatchString(in.Traceparent) {
		message.Attributes = map[string]string{lane.Traceparent: in.Traceparent}
	}
	if err := o.Events.Send(ctx, message); err != nil {
		return nil, err
	}
	return &PushedEvent{e.ID, e.Source}, nil
}

// traceparent is version 00 of the W3C header; others are not passed on.
var traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// refusedEvent tells what package events found, in the API's words; other errors stay as they are.
func refusedEvent(err error) error {
	refusal, ok := errors.AsType[*events.Error](err)
	if !ok {
		return err
	}
	switch refusal.Reason {
	case events.TooLarge:
		return fault.New(fault.PayloadTooLarge, "%s", refusal.Problems[0].Message).
			With("Leave out of data what receivers can read elsewhere.")
	case events.Malformed:
		return fault.New(fault.InvalidRequestBody, "The event cannot be read at line %d, column %d: %s",
			refusal.Line, refusal.Column, refusal.Problems[0].Message).
			With("Send one event as a JSON object in UTF-8.")
	}
	var found fault.Details
	for _, p := range refusal.Problems {
		found.Add(fault.Detail{Attribute: p.Attribute, Message: p.Message})
	}
	found.Omit(refusal.Untold)
	return found.Err()
}

func (o eventsResource) read(ctx context.Context, _ Call, in *EventID) (*record.Event, error) {
	r, err := o.recorded(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// recorded is the event as fan-out recorded it; NotFound also when it is still on its way.
func (o eventsResource) recorded(ctx context.Context, id EventID) (record.Event, error) {
	r, err := o.Store.Event(ctx, events.KeyOf(id.Source, id.ID))
	if fault.Is(err, fault.NotFound) {
		return r, fault.New(fault.NotFound, "There is no event %s of this source.", fault.Quote(id.ID)).
			With("One that was just pushed appears once it has been fanned out. For another source than urn:nepenthes give ?source=.").
			Because(err)
	}
	return r, err
}

// listDeliveries shows the deliveries of an event in the order of its plan. Those that nobody has claimed yet have
// no row and are pending.
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
	rows, err := o.Store.DeliveriesByKey(ctx, keys...)
	if err != nil {
		return nil, err
	}
	elements := make([]delivery.Delivery, len(plan))
	for i, key := range keys {
		d, claimed := rows[key]
		if !claimed {
			d = r.Delivery(plan[i])
		}
		elements[i] = d
	}
	return elements, nil
}

func (o eventsResource) listTypes(ctx context.Context, _ Call, in *ListEventTypes) (*Page[events.Type], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	return pageOf(page, events.Types()), nil
}

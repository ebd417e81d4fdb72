package api

import (
	"context"
	"strings"

	"nepenthes/shared/access"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// Retry asks for an extra attempt.
type Retry struct{ DeliveryID }

// foundDelivery is a delivery with its event, which is nil once it has expired.
type foundDelivery struct {
	delivery.Delivery
	event *record.Event
}

func noDelivery(id string) *fault.Fault {
	return fault.New(fault.NotFound, "There is no delivery %s.", fault.Quote(id)).
		With("Deliveries are kept for a week longer than their event.")
}

// find gives the delivery of an id. One that nobody has claimed yet has no row: it is owed if the event's plan
// names its webhook.
func (o deliveriesResource) find(ctx context.Context, id string) (f foundDelivery, err error) {
	defer fault.Wrap(&err, "find a delivery")
	key, err := delivery.ParseKey(id)
	if err != nil {
		return foundDelivery{}, noDelivery(id)
	}
	event, err := o.Store.Event(ctx, key.Event)
	switch {
	case err == nil && event.ReceivedAt.UnixMilli() == key.ReceivedMs:
		f.event = &event
	case err != nil && !fault.Is(err, fault.NotFound):
		return foundDelivery{}, err
	}
	f.Delivery, err = o.Store.Delivery(ctx, key)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return f, err
	}
	if f.event == nil {
		return foundDelivery{}, noDelivery(id)
	}
	planned, err := o.Store.Planned(ctx, key.Event, key.Webhook)
	if err != nil {
		return foundDelivery{}, err
	}
	if !planned {
		return foundDelivery{}, noDelivery(id)
	}
	f.Delivery = event.Delivery(key.Webhook)
	return f, nil
}

// read shows a delivery with its attempts.
func (o deliveriesResource) read(ctx context.Context, call Call, in *ReadDelivery) (*hal.Delivery, error) {
	f, err := o.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return o.whole(ctx, call, f)
}

// whole shows a delivery with its attempts. Bodies of requests need a scope of their own, and the older ones are
// left out when the answer would grow too large.
func (o deliveriesResource) whole(ctx context.Context, call Call, f foundDelivery) (*hal.Delivery, error) {
	attempts, err := o.Store.Attempts(ctx, f.Key)
	if err != nil {
		return nil, err
	}
	shown := hal.FromDelivery(call.Paths, &f.Delivery)
	shown.Embedded = hal.FromAttempts(f.event, f.Key, attempts, call.Allows(access.EventsRead))
	return shown, shown.Fit(limits.ResponseBody)
}

// readAttempt shows one attempt as a whole, however large.
func (o deliveriesResource) readAttempt(ctx context.Context, call Call, in *ReadAttempt) (*hal.Attempt, error) {
	f, err := o.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	attempts, err := o.Store.Attempts(ctx, f.Key)
	if err != nil {
		return nil, err
	}
	for i := range attempts {
		if attempts[i].ID == in.AttemptID {
			return hal.FromAttempt(f.event, f.Key, &attempts[i], call.Allows(access.EventsRead)), nil
		}
	}
	return nil, fault.New(fault.NotFound, "The delivery has no attempt %s.", fault.Quote(in.AttemptID))
}

// retry writes down that an extra attempt is owed and rings for it. While one is owed a second request adds
// nothing. It is a fault of kind InvalidState when no attempt could be made, or the first is still to come.
func (o deliveriesResource) retry(ctx context.Context, call Call, in *Retry) (_ *hal.Delivery, err error) {
	defer fault.Wrap(&err, "retry a delivery")
	for {
		f, err := o.find(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := o.retriable(ctx, f); err != nil {
			return nil, err
		}
		added, err := f.Ask(delivery.TriggerManual, o.moment(), o.Waits)
		if err != nil {
			return nil, notRetriable("it is "+string(f.State), "Wait until an attempt has been made.").Because(err)
		}
		if !added {
			return o.whole(ctx, call, f)
		}
		stored, won, err := o.Store.PutDelivery(ctx, f.Delivery, nil)
		if err != nil {
			return nil, err
		}
		if !won { // somebody made or recorded an attempt meanwhile
			continue
		}
		f.Delivery = stored
		o.ring(ctx, &f.Delivery)
		return o.whole(ctx, call, f)
	}
}

// ring calls the sender. The request is in the row already: when the lane cannot be reached the sweeper rings.
func (o deliveriesResource) ring(ctx context.Context, d *delivery.Delivery) {
	if err := o.Retries.Send(ctx, lane.DoorbellAgain(d.ID(), d.Webhook, 0)); err != nil {
		o.Logger.WarnContext(ctx, "retry.not_rung", "delivery", d.ID(), "webhook", d.Webhook, "error", err)
	}
}

// retriable looks whether the rules at send time would let an attempt be made at all.
func (o deliveriesResource) retriable(ctx context.Context, f foundDelivery) error {
	if f.event == nil {
		return notRetriable("its event has expired", "Nothing is left to send.")
	}
	w, err := o.Catalogue.Webhook(ctx, f.Webhook)
	if fault.Is(err, fault.NotFound) {
		return notRetriable("its webhook was deleted", "There is nobody left to send it to.")
	}
	if err != nil {
		return err
	}
	if f.Origin == delivery.TriggerPing { // exempt from what follows
		return nil
	}
	var rules []string
	for _, rule := range w.Refusals(f.EventType, project.Of(f.event.Event)) {
		rules = append(rules, map[webhook.Rule]string{
			webhook.RuleEnabled: "its webhook is disabled",
			webhook.RuleEvent:   "its webhook no longer subscribes to " + f.EventType,
			webhook.RuleProject: "its webhook no longer selects the event's project",
		}[rule])
	}
	if rules != nil {
		return notRetriable(strings.Join(rules, " and "), "Change the webhook first.")
	}
	return nil
}

func notRetriable(why, hint string) *fault.Fault {
	return fault.New(fault.InvalidState, "The delivery cannot be tried again: %s.", why).With(hint)
}

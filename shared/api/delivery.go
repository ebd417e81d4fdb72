package api

import (
	"context"
	"slices"
	"strings"

	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/project"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// DeliveryID names a delivery, or asks for an extra attempt of it.
type DeliveryID struct{ ID string }

// ReadAttempt asks for one attempt of a delivery.
type ReadAttempt struct{ ID, AttemptID string }

// DeliveryDetails is a delivery with its event and its attempts.
type DeliveryDetails struct {
	delivery.Delivery
	// Event is nil once the event has expired.
	Event *record.Event
	// Attempts are the attempts that are kept, oldest first. ReadAttempt returns only the attempt that it was asked for.
	Attempts []delivery.Attempt
	// ShowBodies reports whether the caller may see the bodies of requests.
	ShowBodies bool
}

// noDelivery returns the fault of an id that no delivery has.
func noDelivery(id string) *fault.Fault {
	return fault.New(fault.NotFound, "There is no delivery %s.", fault.Quote(id)).
		With("Deliveries are kept for a week longer than their event.")
}

// find returns the delivery with the given id, without its attempts. A delivery that no sender has claimed yet has no
// row. It exists if the event's plan names its webhook.
func (o deliveriesResource) find(ctx context.Context, call Call, id string) (d DeliveryDetails, err error) {
	defer fault.Wrap(&err, "find a delivery")
	key, err := delivery.ParseKey(id)
	if err != nil {
		return DeliveryDetails{}, noDelivery(id)
	}
	d.ShowBodies = call.Allows(access.EventsRead)
	event, err := o.Events.Event(ctx, key.Event)
	switch {
	case err == nil && event.ReceivedAt.UnixMilli() == key.ReceivedMs: // not a later event with the same key
		d.Event = &event
	case err != nil && !fault.Is(err, fault.NotFound):
		return DeliveryDetails{}, err
	}
	d.Delivery, err = o.Store.Delivery(ctx, key)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return d, err
	}
	if d.Event == nil {
		return DeliveryDetails{}, noDelivery(id)
	}
	planned, err := o.Events.Planned(ctx, key.Event, key.Webhook)
	if err != nil {
		return DeliveryDetails{}, err
	}
	if !planned {
		return DeliveryDetails{}, noDelivery(id)
	}
	d.Delivery = event.Delivery(key.Webhook)
	return d, nil
}

// read returns a delivery with its attempts.
func (o deliveriesResource) read(ctx context.Context, call Call, in *DeliveryID) (*DeliveryDetails, error) {
	d, err := o.find(ctx, call, in.ID)
	if err != nil {
		return nil, err
	}
	d.Delivery = d.Shown(o.moment())
	return o.withAttempts(ctx, d)
}

// withAttempts adds the attempts that are kept.
func (o deliveriesResource) withAttempts(ctx context.Context, d DeliveryDetails) (_ *DeliveryDetails, err error) {
	d.Attempts, err = o.Store.Attempts(ctx, d.Key)
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// readAttempt returns a delivery with one of its attempts.
func (o deliveriesResource) readAttempt(ctx context.Context, call Call, in *ReadAttempt) (*DeliveryDetails, error) {
	d, err := o.read(ctx, call, &DeliveryID{in.ID})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.Attempts, func(a delivery.Attempt) bool { return a.ID == in.AttemptID })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "The delivery has no attempt %s.", fault.Quote(in.AttemptID))
	}
	d.Attempts = d.Attempts[i : i+1]
	return d, nil
}

// retry stores that an extra attempt is due and sends a doorbell for it. If an attempt is due already, retry changes
// nothing. It returns a fault of kind InvalidState if an attempt is not possible, if the delivery is held, or if
// the first attempt was not made yet.
// If another write comes between reading and writing, retry begins again.
func (o deliveriesResource) retry(ctx context.Context, call Call, in *DeliveryID) (_ *DeliveryDetails, err error) {
	defer fault.Wrap(&err, "retry a delivery")
	for {
		d, err := o.find(ctx, call, in.ID)
		if err != nil {
			return nil, err
		}
		if err := o.retriable(ctx, &d); err != nil {
			return nil, err
		}
		asked, err := d.Ask(delivery.TriggerManual, o.moment(), o.Waits)
		if err != nil {
			return nil, notYetRetriable(d.State).Because(err)
		}
		// Nothing may fail after the write. No attempt is recorded between this read and a write that wins.
		details, err := o.withAttempts(ctx, d)
		if err != nil {
			return nil, err
		}
		if !asked {
			return details, errUnchanged
		}
		stored, won, err := o.Store.PutDelivery(ctx, d.Delivery, nil)
		if err != nil {
			return nil, err
		}
		if won {
			details.Delivery = stored
			o.ring(ctx, &stored)
			return details, nil
		}
	}
}

// ring sends a doorbell. If the lane cannot be reached, ring only logs the error, because the stored delivery says that an
// attempt is due and the sweeper will send a doorbell for it.
func (o deliveriesResource) ring(ctx context.Context, d *delivery.Delivery) {
	if err := o.Retries.Send(ctx, lane.DoorbellAgain(d.ID(), d.Webhook, 0)); err != nil {
		o.Logger.WarnContext(ctx, "retry.not_rung", "delivery", d.ID(), "webhook", d.Webhook, "error", err)
	}
}

// retriable returns a fault of kind InvalidState if the rules at send time would not let an attempt be made.
func (o deliveriesResource) retriable(ctx context.Context, d *DeliveryDetails) error {
	if d.Event == nil {
		return notRetriable("its event has expired", "Nothing is left to send.")
	}
	w, err := o.Catalogue.Webhook(ctx, d.Webhook)
	if fault.Is(err, fault.NotFound) {
		return notRetriable("its webhook was deleted", "It has no receiver any more.")
	}
	if err != nil {
		return err
	}
	if d.Origin == delivery.TriggerPing { // a ping ignores the subscription and reaches a disabled webhook
		return nil
	}
	var rules []string
	for _, rule := range w.Refusals(d.EventType, project.Of(d.Event.Event)) {
		rules = append(rules, map[webhook.Rule]string{
			webhook.RuleEnabled: "its webhook is disabled",
			webhook.RuleEvent:   "its webhook no longer subscribes to " + d.EventType,
			webhook.RuleProject: "its webhook no longer selects the event's project",
		}[rule])
	}
	if rules != nil {
		return notRetriable(strings.Join(rules, " and "), "Change the webhook first.")
	}
	return nil
}

// notYetRetriable returns the fault of a delivery that is about to be attempted or that is held.
func notYetRetriable(state delivery.State) *fault.Fault {
	if state == delivery.Held {
		return notRetriable("it is held", "Resume its webhook if it is paused. Otherwise wait: the delivery is about to be released.")
	}
	return notRetriable("it is "+string(state), "Wait until an attempt has been made.")
}

// notRetriable returns the fault of a delivery that cannot be tried again.
func notRetriable(why, hint string) *fault.Fault {
	return fault.New(fault.InvalidState, "The delivery cannot be tried again: %s.", why).With(hint)
}

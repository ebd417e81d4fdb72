package rest

import (
	"net/http"
	"net/url"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/record"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/throttle"
)

const (
	pathEvents = hal.Base + "/events"
	pathEvent  = pathEvents + "/{id}"
)

// addEvents adds the routes of events and of the catalogue.
func (h *Handler) addEvents(o *api.Events) {
	addRoute(h, o.Push, spec{
		method: http.MethodPost, path: pathEvents, id: "pushEvent", tag: tagEvents, status: http.StatusAccepted,
		bodyMax: events.MaxSize, class: throttle.Events, summary: "Push an event",
		about:   "For producers that cannot use the queue. The body is an event in Nepenthes' own form, or a CloudEvents 1.0 structured JSON message, of at most 262,144 bytes. Pushing the same source, id and bytes again changes nothing.",
		answers: "The event is on the queue and will not be lost.",
	}, (*pushEvent).input, showPushedEvent)
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathEvent, id: "readEvent", tag: tagEvents,
		summary: "Read an event", about: "An event that was just pushed appears after fan-out.", answers: "The event.",
	}, (*eventID).input, showEvent)
	addPaged(h, o.ListDeliveries, spec{
		method: http.MethodGet, path: pathEvent + "/deliveries", id: "listEventDeliveries", tag: tagEvents,
		summary: "List an event's deliveries", about: "One delivery for each webhook that the event matched, in the order of the plan.", answers: "A page of deliveries.",
	}, (*listEventDeliveries).input, showEventDeliveries)
	addPaged(h, o.Explain, spec{
		method: http.MethodPost, path: pathEvents + "/explain", id: "explainEvent", tag: tagEvents, bodyMax: events.MaxSize,
		summary: "Explain which webhooks would want an event", answers: "A page with one explanation for each webhook.",
		about: "The body is an event as for a push, but id and occurredAt may be absent. Nothing is stored or sent. The answer has every webhook, with every rule that refuses the event.",
	}, (*explainEvent).input, showExplanations)
	addPaged(h, o.ListTypes, spec{
		method: http.MethodGet, path: hal.Base + "/event_types", id: "listEventTypes", tag: tagEvents,
		summary: "List the event types", about: "The catalogue. Each event type has a JSON Schema of its data and an example.", answers: "A page of event types.",
	}, (*listEventTypes).input, showEventTypes)
}

// pushEvent is a push. Its body stays bytes, because receivers get the bytes of the producer.
type pushEvent struct {
	Text        []byte `body:"event"`
	Traceparent string `header:"Traceparent" doc:"The W3C trace context. Receivers get its trace id." example:"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"`
}

func (in *pushEvent) input() (*api.PushEvent, error) {
	return &api.PushEvent{Text: in.Text, Traceparent: in.Traceparent}, nil
}

func showPushedEvent(_ view, e *api.PushedEvent) *hal.EventReceipt {
	return &hal.EventReceipt{Type: "EventReceipt", ID: e.ID, Source: e.Source}
}

// eventID is a request that only names an event.
type eventID struct {
	ID     string `path:"id" doc:"The event's id, which its producer chose." example:"evt_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Source string `query:"source" doc:"The event's source. The default is urn:nepenthes." example:"urn:nepenthes"`
}

func (in *eventID) input() (*api.EventID, error) {
	return &api.EventID{ID: in.ID, Source: in.Source}, nil
}

func showEvent(v view, r *record.Event) *hal.Event { return hal.FromEvent(v.Paths, r) }

// listEventDeliveries is the request for a page of an event's deliveries.
type listEventDeliveries struct {
	eventID
	paging
}

func (in *listEventDeliveries) input() (*api.ListEventDeliveries, error) {
	return &api.ListEventDeliveries{Event: api.EventID{ID: in.ID, Source: in.Source}, Paging: in.page()}, nil
}

// showEventDeliveries represents a page of an event's deliveries.
func showEventDeliveries(v view, in *listEventDeliveries, page *api.Page[delivery.Delivery]) *hal.Collection[hal.Delivery] {
	path := v.To("events", url.PathEscape(in.ID), "deliveries")
	return collection(path, filters("source", in.Source), page, func(d *delivery.Delivery) *hal.Delivery {
		return hal.FromDelivery(v.Paths, d)
	})
}

// explainEvent is the request for explanations. It is a POST only because an event may be too long for a query.
type explainEvent struct {
	paging
	Webhook string    `query:"webhook" doc:"Only this webhook." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Draft   api.Draft `body:"draft"`
}

func (in *explainEvent) input() (*api.Explain, error) {
	return &api.Explain{Paging: in.page(), Webhook: in.Webhook, Draft: in.Draft}, nil
}

func showExplanations(v view, in *explainEvent, page *api.Page[api.Explanation]) *hal.Collection[hal.Explanation] {
	return collection(v.To("events", "explain"), filters("webhook", in.Webhook), page, showExplanation)
}

// showExplanation represents an explanation. It names the webhook, so that a client need not read each.
func showExplanation(e *api.Explanation) *hal.Explanation {
	shown := &hal.Explanation{
		Type: "Explanation", WebhookID: e.Webhook.ID, WebhookName: e.Webhook.Name,
		Match: e.Match, Reasons: make([]hal.Reason, len(e.Reasons)),
	}
	for i, r := range e.Reasons {
		shown.Reasons[i] = hal.Reason{Rule: string(r.Rule), Detail: r.Detail}
	}
	return shown
}

// listEventTypes is the request for a page of the catalogue.
type listEventTypes struct{ paging }

func (in *listEventTypes) input() (*api.ListEventTypes, error) {
	return &api.ListEventTypes{Paging: in.page()}, nil
}

func showEventTypes(v view, _ *listEventTypes, page *api.Page[events.Type]) *hal.Collection[hal.EventType] {
	return collection(v.To("event_types"), nil, page, hal.FromEventType)
}

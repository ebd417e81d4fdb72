package api

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
	"nepenthes/shared/instant"
	"nepenthes/shared/store"
)

// DeliveryStore keeps deliveries and their attempts, see store.Deliveries.
type DeliveryStore interface {
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (map[delivery.Key]delivery.Delivery, error)
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
	Attempts(ctx context.Context, key delivery.Key) ([]delivery.Attempt, error)
	Deliveries(ctx context.Context, q store.Query) (store.Page, error)
}

// DeliveryFilters narrow a list of deliveries.
type DeliveryFilters struct {
	Event string    `query:"event" minLength:"1" doc:"Only deliveries of this event type; an exact name." example:"work_package:updated"`
	Since time.Time `query:"since" doc:"Only deliveries whose event was received then or later (RFC 3339)." example:"2026-01-02T11:00:00Z"`
	Until time.Time `query:"until" doc:"Only deliveries whose event was received before then (RFC 3339)." example:"2026-01-03T11:00:00Z"`
}

// ListDeliveries asks for a page of a webhook's deliveries.
type ListDeliveries struct {
	WebhookID
	CursorPaging
	DeliveryFilters
	State string `query:"state" enum:"pending,retrying,held,delivered,dead,skipped" doc:"Only deliveries in this state." example:"dead"`
}

// ListDeadDeliveries asks for a page of the deliveries that need a person.
type ListDeadDeliveries struct {
	CursorPaging
	DeliveryFilters
	State string `query:"state" required:"true" enum:"dead" doc:"Must be dead: only those that need a person can be listed for all webhooks." example:"dead"`
}

// DeliveryID names a delivery.
type DeliveryID struct {
	ID string `path:"id" doc:"The delivery's id." example:"dlv_AZOFyQZ0aU6_Cdna5QAVtgGThckGdA8cmT7m1aJzXy9kzg"`
}

// ReadDelivery asks for a delivery with its attempts.
type ReadDelivery struct{ DeliveryID }

// ReadAttempt asks for one attempt as a whole.
type ReadAttempt struct {
	DeliveryID
	AttemptID string `path:"attemptId" doc:"The attempt's id." example:"att_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

type deliveriesResource struct{ *Config }

func (o deliveriesResource) list(ctx context.Context, call Call, in *ListDeliveries) (*hal.CursorCollection[hal.Delivery], error) {
	if in.State != "" && !slices.Contains(delivery.States(), delivery.State(in.State)) {
		return nil, invalidQuery("state", "There is no such state.", "States are pending, retrying, held, delivered, dead and skipped.")
	}
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	query.Webhook, query.State = in.ID, delivery.State(in.State)
	return o.page(ctx, cursorList{
		path: call.To("webhooks", url.PathEscape(in.ID), "deliveries"), filters: in.filters(in.State), query: query, paging: in.CursorPaging,
		before: func() error { _, err := o.Catalogue.Webhook(ctx, in.ID); return err },
	}, call.Paths)
}

func (o deliveriesResource) listDead(ctx context.Context, call Call, in *ListDeadDeliveries) (*hal.CursorCollection[hal.Delivery], error) {
	if in.State != string(delivery.Dead) {
		return nil, invalidQuery("state", "Deliveries of all webhooks can only be listed when they are dead.",
			"Add state=dead, or list the deliveries of one webhook.")
	}
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	query.State = delivery.Dead
	return o.page(ctx, cursorList{
		path: call.To("deliveries"), filters: in.filters(in.State), query: query, paging: in.CursorPaging,
		before: func() error { return nil },
	}, call.Paths)
}

func (f DeliveryFilters) query() (store.Query, error) {
	if _, known := events.Lookup(f.Event); f.Event != "" && !known {
		return store.Query{}, invalidQuery("event", "The catalogue of event types does not have it.", "Give an exact name: see event_types.")
	}
	return store.Query{EventType: f.Event, Since: f.Since, Until: f.Until}, nil
}

func (f DeliveryFilters) filters(state string) url.Values {
	return filters("state", state, "event", f.Event, "since", rfc3339(f.Since), "until", rfc3339(f.Until))
}

// rfc3339 is empty for the zero time, which stands for none.
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return instant.Text(t)
}

// cursorList is a list of deliveries of which a page is asked for.
type cursorList struct {
	path    string
	filters url.Values
	query   store.Query
	paging  CursorPaging
	// before is asked once the query has been found right: whether what the list belongs to is there.
	before func() error
}

func (o deliveriesResource) page(ctx context.Context, l cursorList, paths hal.Paths) (*hal.CursorCollection[hal.Delivery], error) {
	size, err := o.effective(ctx, l.paging.PageSize, l.paging.Most)
	if err != nil {
		return nil, err
	}
	seal := cursors{o.CursorKey}
	name := hrefOf(strings.TrimPrefix(l.path, paths.Prefix), l.filters) // the same by whichever way the call came
	at, err := seal.read(name, l.paging.Cursor)
	if err != nil {
		return nil, err
	}
	if err := l.before(); err != nil {
		return nil, err
	}
	href := func(cursor string) string {
		if cursor == "" {
			return hrefOf(l.path, l.filters, "pageSize", strconv.Itoa(size))
		}
		return hrefOf(l.path, l.filters, "pageSize", strconv.Itoa(size), "cursor", cursor)
	}
	c := &hal.CursorCollection[hal.Delivery]{
		Type: "Collection", PageSize: size, Embedded: hal.Elements[hal.Delivery]{Elements: []hal.Delivery{}},
		Links: hal.CursorLinks{Self: hal.Link{Href: href(l.paging.Cursor)}},
	}
	if size == 0 { // there is nothing to go on from
		return c, nil
	}
	l.query.From, l.query.Backward, l.query.Limit = at.from, at.backward, size
	found, err := o.Store.Deliveries(ctx, l.query)
	if err != nil {
		return nil, err
	}
	for i := range found.Deliveries {
		c.Embedded.Elements = append(c.Embedded.Elements, *hal.FromDelivery(paths, &found.Deliveries[i]))
	}
	c.Count = len(c.Embedded.Elements)
	next, previous := neighbours(at, found)
	if next != nil {
		c.Links.Next = &hal.Link{Href: href(seal.make(name, *next))}
	}
	if previous != nil {
		c.Links.Previous = &hal.Link{Href: href(seal.make(name, *previous))}
	}
	return c, nil
}

// neighbours are the places where the pages after and before this one begin; nil where there is none. In the
// direction of the reading the store knows whether there is more; in the other there is what the reader came from.
func neighbours(at position, found store.Page) (next, previous *position) {
	list := found.Deliveries
	if at.backward {
		if found.More != nil {
			previous = &position{from: *found.More, backward: true}
		}
		if len(list) > 0 {
			return &position{from: list[len(list)-1].Key}, previous
		}
		return &position{from: newer(at.from)}, previous
	}
	if found.More != nil {
		next = &position{from: *found.More}
	}
	switch {
	case at.from == delivery.Key{}:
	case len(list) > 0:
		previous = &position{from: list[0].Key, backward: true}
	default:
		previous = &position{from: older(at.from), backward: true}
	}
	return next, previous
}

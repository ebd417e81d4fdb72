package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/cursor"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/payload"
	"nepenthes/shared/rest/hal"
)

const pathDelivery = hal.Base + "/deliveries/{id}"

// addDeliveries adds the routes of deliveries.
func (h *Handler) addDeliveries(o *api.Deliveries) {
	lists := deliveryLists{h.CursorKey}
	addPaged(h, o.List, spec{
		method: http.MethodGet, path: pathWebhook + "/deliveries", id: "listDeliveries", tag: tagDeliveries,
		summary: "List a webhook's deliveries", answers: "A page of deliveries.",
		about: "Newest first. A delivery appears here when its first attempt begins. Until then it is only in the list of its event.",
	}, lists.input, lists.show)
	addPaged(h, o.ListDead, spec{
		method: http.MethodGet, path: hal.Base + "/deliveries", id: "listDeadDeliveries", tag: tagDeliveries,
		summary: "List the deliveries that need a person", answers: "A page of deliveries.",
		about: "The dead deliveries of all webhooks, newest first. A change may appear a second later.",
	}, lists.deadInput, lists.showDead)
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathDelivery, id: "readDelivery", tag: tagDeliveries,
		summary: "Read a delivery with its attempts", answers: "The delivery.",
		about: "The bodies of requests are shown only to clients that also hold events:read. If the answer would be larger than 4 MB, the bodies of older attempts are left out.",
	}, (*deliveryID).input, showDelivery)
	addRoute(h, o.ReadAttempt, spec{
		method: http.MethodGet, path: pathDelivery + "/attempts/{attemptId}", id: "readAttempt", tag: tagDeliveries,
		summary: "Read one attempt", answers: "The attempt.",
		about: "The body of the request is shown only to clients that also hold events:read.",
	}, (*readAttempt).input, showAttempt)
	addRoute(h, o.Retry, spec{
		method: http.MethodPost, path: pathDelivery + "/retries", id: "retryDelivery", tag: tagDeliveries,
		status: http.StatusAccepted, faults: []fault.Kind{fault.InvalidState}, summary: "Try a delivery again",
		about:   "Makes one extra attempt outside the schedule, with the same webhook-id. While an attempt is waiting, another request adds nothing. The attempt is made although the webhook is paused, but a delivery that is held cannot be tried again.",
		answers: "The delivery. The attempt will be made.",
	}, (*deliveryID).input, showDelivery)
}

// deliveryFilters narrow a list of deliveries.
type deliveryFilters struct {
	Event string    `query:"event" minLength:"1" doc:"Only deliveries of this event type. It is an exact name." example:"work_package:updated"`
	Since time.Time `query:"since" doc:"Only deliveries whose event was received at this time or later (RFC 3339)." example:"2026-01-02T11:00:00Z"`
	Until time.Time `query:"until" doc:"Only deliveries whose event was received before this time (RFC 3339)." example:"2026-01-03T11:00:00Z"`
}

// filters returns the filters of the operation.
func (f deliveryFilters) filters() api.DeliveryFilters {
	return api.DeliveryFilters{Event: f.Event, Since: f.Since, Until: f.Until}
}

// listDeliveries is the request for a page of a webhook's deliveries.
type listDeliveries struct {
	webhookID
	cursorPaging
	deliveryFilters
	State string `query:"state" enum:"pending,retrying,held,delivered,dead,skipped" doc:"Only deliveries in this state." example:"dead"`
}

// listDeadDeliveries is the request for a page of the dead deliveries of all webhooks. Its state must be dead, because only
// the dead deliveries have an index over all webhooks.
type listDeadDeliveries struct {
	cursorPaging
	deliveryFilters
	State string `query:"state" required:"true" enum:"dead" doc:"Must be dead. Only deliveries that need a person can be listed for all webhooks." example:"dead"`
}

// deliveryLists reads and writes the cursors of lists of deliveries.
type deliveryLists struct{ key cursor.Key }

func (l deliveryLists) input(in *listDeliveries) (*api.ListDeliveries, error) {
	asked := &api.ListDeliveries{Webhook: in.ID, State: delivery.State(in.State), Filters: in.filters()}
	asked.Paging = l.paging(in.cursorPaging, cursor.ListOf(asked))
	return asked, nil
}

func (l deliveryLists) deadInput(in *listDeadDeliveries) (*api.ListDeadDeliveries, error) {
	if in.State != string(delivery.Dead) {
		return nil, fault.BadParameter("state", "Deliveries of all webhooks can only be listed when they are dead.",
			"Add state=dead, or list the deliveries of one webhook.")
	}
	asked := &api.ListDeadDeliveries{Filters: in.filters()}
	asked.Paging = l.paging(in.cursorPaging, cursor.ListOfDead(asked))
	return asked, nil
}

// paging reads the cursor. The operation returns the fault of a bad cursor, because other faults come first.
func (l deliveryLists) paging(p cursorPaging, list cursor.List) api.DeliveryPaging {
	start, err := l.key.Read(list, p.Cursor)
	return api.DeliveryPaging{PageSize: p.PageSize, Start: start, BadStart: err}
}

func (l deliveryLists) show(v view, in *listDeliveries, page *api.DeliveryPage) *hal.CursorCollection[hal.Delivery] {
	state := delivery.State(in.State)
	return l.collection(v, page, deliveriesPage{
		list:  cursor.ListOf(&api.ListDeliveries{Webhook: in.ID, State: state, Filters: in.filters()}),
		path:  v.To("webhooks", url.PathEscape(in.ID), "deliveries"),
		query: cursor.Query(state, in.filters()), cursor: in.Cursor,
	})
}

func (l deliveryLists) showDead(v view, in *listDeadDeliveries, page *api.DeliveryPage) *hal.CursorCollection[hal.Delivery] {
	return l.collection(v, page, deliveriesPage{
		list:  cursor.ListOfDead(&api.ListDeadDeliveries{Filters: in.filters()}),
		path:  v.To("deliveries"),
		query: cursor.Query(delivery.Dead, in.filters()), cursor: in.Cursor,
	})
}

// deliveriesPage holds the path and the query of a list of deliveries, and the cursor of one of its pages.
type deliveriesPage struct {
	list   cursor.List
	path   string
	query  url.Values
	cursor string
}

// href returns the address of the page of the same list and size that begins at the cursor.
func (p *deliveriesPage) href(size int, cursor string) hal.Link {
	more := []string{"pageSize", strconv.Itoa(size)}
	if cursor != "" {
		more = append(more, "cursor", cursor)
	}
	return hal.Link{Href: hrefOf(p.path, p.query, more...)}
}

// collection represents a page of a list of deliveries.
func (l deliveryLists) collection(v view, page *api.DeliveryPage, at deliveriesPage) *hal.CursorCollection[hal.Delivery] {
	elements := make([]hal.Delivery, len(page.Deliveries))
	for i := range page.Deliveries {
		elements[i] = *hal.FromDelivery(v.Paths, &page.Deliveries[i])
	}
	neighbour := func(p *api.Position) *hal.Link {
		if p == nil {
			return nil
		}
		link := at.href(page.Size, l.key.Write(at.list, *p))
		return &link
	}
	return &hal.CursorCollection[hal.Delivery]{
		Type: "Collection", Count: len(elements), PageSize: page.Size, Embedded: hal.Elements[hal.Delivery]{Elements: elements},
		Links: hal.CursorLinks{Self: at.href(page.Size, at.cursor), Next: neighbour(page.Next), Previous: neighbour(page.Previous)},
	}
}

type deliveryID struct {
	ID string `path:"id" doc:"The delivery's id." example:"dlv_AZOFyQZ0aU6_Cdna5QAVtgGThckGdA8cmT7m1aJzXy9kzg"`
}

func (in *deliveryID) input() (*api.DeliveryID, error) { return &api.DeliveryID{ID: in.ID}, nil }

type readAttempt struct {
	deliveryID
	AttemptID string `path:"attemptId" doc:"The attempt's id." example:"att_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *readAttempt) input() (*api.ReadAttempt, error) {
	return &api.ReadAttempt{ID: in.ID, AttemptID: in.AttemptID}, nil
}

// showDelivery represents a delivery with its attempts.
func showDelivery(v view, d *api.DeliveryDetails) *hal.Delivery {
	shown := hal.FromDelivery(v.Paths, &d.Delivery)
	shown.Embedded = hal.FromAttempts(requests(d))
	return shown
}

// showAttempt represents the requested attempt of a delivery. It does not leave out a large body, because there is no other
// way to read it.
func showAttempt(_ view, d *api.DeliveryDetails) *hal.Attempt {
	return hal.FromAttempt(&requests(d)[0])
}

// requests returns the requests of the attempts, with their bodies if the caller may see them.
func requests(d *api.DeliveryDetails) []payload.Request {
	return payload.Requests(d.Event, d.Key, d.Attempts, d.ShowBodies)
}

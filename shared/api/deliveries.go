package api

import (
	"context"
	"slices"
	"time"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/required"
	"nepenthes/shared/stats"
	"nepenthes/shared/store"
)

// DeliveryStore stores deliveries and their attempts. See store.Deliveries.
type DeliveryStore interface {
	Delivery(ctx context.Context, key delivery.Key) (delivery.Delivery, error)
	PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (now delivery.Delivery, won bool, err error)
	Attempts(ctx context.Context, key delivery.Key) ([]delivery.Attempt, error)
	Deliveries(ctx context.Context, q store.Query) (store.Page, error)
}

// ListDeliveries asks for a page of a webhook's deliveries.
type ListDeliveries struct {
	Webhook string
	// State selects only deliveries in this state. An empty State selects all.
	State   delivery.State
	Filters DeliveryFilters
	Paging  DeliveryPaging
}

// ListDeadDeliveries asks for a page of the deliveries that need a person, of all webhooks.
type ListDeadDeliveries struct {
	Filters DeliveryFilters
	Paging  DeliveryPaging
}

// DeliveryFilters narrow a list of deliveries. A zero field narrows nothing.
type DeliveryFilters struct {
	// Event is the exact name of an event type.
	Event string
	// Since and Until limit the time at which the event was received. Since is included, and Until is not.
	Since, Until time.Time
}

// DeliveryPaging asks for a page of deliveries. The zero DeliveryPaging asks for the first one.
type DeliveryPaging struct {
	// Most and PageSize are as in Paging.
	Most     int
	PageSize *int
	// Start is where the page begins.
	Start Position
	// BadStart is the fault of a caller's text that is not a Position, or nil. The operation returns it after the faults
	// of filters and page size, and before it looks for the webhook.
	BadStart error
}

// DeliveryPage is a page of deliveries, newest first. It may have fewer deliveries than Size, even none, and still not
// be the last page.
type DeliveryPage struct {
	Deliveries []delivery.Delivery
	// Size is the page size that was used.
	Size int
	// Next and Previous are where the neighbouring pages begin. Only a nil Next is the end of the list.
	Next, Previous *Position
}

// DeliveriesConfig holds the dependencies of the operations on deliveries.
type DeliveriesConfig struct {
	Common
	Catalogue WebhookReader
	Store     DeliveryStore
	Events    EventStore
	Retries   Sender // the lane of later attempts
	// Waits scales the waits of the retry schedule. The zero Clock is real time.
	Waits delivery.Clock
}

// Deliveries holds the operations on deliveries.
type Deliveries struct {
	List        Operation[*ListDeliveries, *DeliveryPage]
	ListDead    Operation[*ListDeadDeliveries, *DeliveryPage]
	Read        Operation[*DeliveryID, *DeliveryDetails]
	ReadAttempt Operation[*ReadAttempt, *DeliveryDetails]
	Retry       Operation[*DeliveryID, *DeliveryDetails]
	Stats       Operation[*ReadStats, *stats.Stats]
}

// NewDeliveries returns the operations on deliveries. It panics if a dependency is missing.
func NewDeliveries(c DeliveriesConfig) *Deliveries {
	required.Fields(c)
	o := deliveriesResource{c}
	return &Deliveries{
		List:        operation(access.DeliveriesRead, o.list),
		ListDead:    operation(access.DeliveriesRead, o.listDead),
		Read:        operation(access.DeliveriesRead, o.read),
		ReadAttempt: operation(access.DeliveriesRead, o.readAttempt),
		Retry:       write(&c.Common, access.DeliveriesWrite, RetriedDelivery, o.retry, func(in *DeliveryID, _ *DeliveryDetails) string { return in.ID }),
		Stats:       operation(access.DeliveriesRead, o.stats),
	}
}

// deliveriesResource has the methods of the operations on deliveries. Each reads the store, because deliveries are too
// many for the catalogue.
type deliveriesResource struct{ DeliveriesConfig }

// list returns a page of a webhook's deliveries. A delivery is listed from its first attempt on, because fan-out does not write
// a row for each delivery.
func (o deliveriesResource) list(ctx context.Context, _ Call, in *ListDeliveries) (*DeliveryPage, error) {
	if in.State != "" && !slices.Contains(delivery.States(), in.State) {
		return nil, fault.BadParameter("state", "There is no such state.", "The states are pending, retrying, held, delivered, dead and skipped.")
	}
	size, err := o.checkList(ctx, in.Filters, in.Paging)
	if err != nil {
		return nil, err
	}
	if _, err := o.Catalogue.Webhook(ctx, in.Webhook); err != nil {
		return nil, err
	}
	return o.page(ctx, store.Query{Webhook: in.Webhook, State: in.State, Limit: size}, in.Filters, in.Paging.Start)
}

// listDead returns a page of the deliveries that need a person.
func (o deliveriesResource) listDead(ctx context.Context, _ Call, in *ListDeadDeliveries) (*DeliveryPage, error) {
	size, err := o.checkList(ctx, in.Filters, in.Paging)
	if err != nil {
		return nil, err
	}
	return o.page(ctx, store.Query{State: delivery.Dead, Limit: size}, in.Filters, in.Paging.Start)
}

// checkList checks the filters and the paging of a list of deliveries, and returns the page size that is used.
func (o deliveriesResource) checkList(ctx context.Context, f DeliveryFilters, p DeliveryPaging) (size int, err error) {
	if _, known := events.Lookup(f.Event); f.Event != "" && !known {
		return 0, fault.BadParameter("event", "It is not in the catalogue of event types.", "Give an exact name. The resource event_types lists all names.")
	}
	if size, err = o.effective(ctx, p.PageSize, p.Most); err != nil {
		return 0, err
	}
	return size, p.BadStart
}

// page returns the page of q that begins at start. A page of size 0 has no neighbours, because only a delivery on the page
// could say where they begin.
func (o deliveriesResource) page(ctx context.Context, q store.Query, f DeliveryFilters, start Position) (*DeliveryPage, error) {
	if q.Limit == 0 {
		return &DeliveryPage{}, nil
	}
	q.EventType, q.Since, q.Until = f.Event, f.Since, f.Until
	q.From, q.Backward = start.From, start.Backward
	found, err := o.Store.Deliveries(ctx, q)
	if err != nil {
		return nil, err
	}
	next, previous := neighbours(start, found)
	shown := o.shown(found.Deliveries, q.State)
	return &DeliveryPage{Deliveries: shown, Size: q.Limit, Next: next, Previous: previous}, nil
}

// shown returns the deliveries as they are shown now, without those that are not in the state any more. An empty state
// keeps all.
func (o deliveriesResource) shown(stored []delivery.Delivery, state delivery.State) []delivery.Delivery {
	shown, now := make([]delivery.Delivery, 0, len(stored)), o.moment()
	for _, d := range stored {
		if d = d.Shown(now); state == "" || d.State == state {
			shown = append(shown, d)
		}
	}
	return shown
}

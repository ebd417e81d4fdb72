package console

import (
	"io"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
)

func (x *exchange) listDeliveries() error { return x.deadPage(0, nil) }

// deadPage shows the deliveries that need a person. After a retry it says how many will be tried again, and why
// others will not.
func (x *exchange) deadPage(retried int, refused []error) error {
	asked, err := cursorPaging(x.r.URL.Query())
	if err != nil {
		return err
	}
	list, err := do(x, x.h.Operations.ListDeadDeliveries, &api.ListDeadDeliveries{CursorPaging: asked, State: string(delivery.Dead)})
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, d := range list.Embedded.Elements {
		ids[d.WebhookID] = true
	}
	webhooks, err := x.webhooksOf(ids)
	if err != nil {
		return err
	}
	p := page.NewDeadDeliveries(x.frame(), list, webhooks, x.may(access.DeliveriesWrite))
	status := http.StatusOK
	if len(refused) > 0 {
		p.Summary, status = page.NotRetried(retried, refused), http.StatusUnprocessableEntity
	}
	return x.render(status, "deliveries", p)
}

// retryDeliveries asks for an attempt of one delivery, or of those that are ticked.
func (x *exchange) retryDeliveries() error {
	ids := x.r.PostForm["id"]
	if one := x.r.PostForm.Get("retry"); one != "ticked" {
		ids = []string{one}
	}
	if len(ids) == 0 {
		return x.deadPage(0, []error{fault.New(fault.InvalidState, "Nothing is ticked.")})
	}
	outcomes := make([]error, min(len(ids), settings.MaxPageSizeLimit)) // a page has no more
	var group errgroup.Group
	group.SetLimit(sideBySide)
	for i := range outcomes {
		group.Go(func() error {
			_, outcomes[i] = do(x, x.h.Operations.Retry, &api.Retry{DeliveryID: api.DeliveryID{ID: ids[i]}})
			return ours(outcomes[i])
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if refused := slices.DeleteFunc(slices.Clone(outcomes), func(err error) bool { return err == nil }); len(refused) > 0 {
		return x.deadPage(len(outcomes)-len(refused), refused)
	}
	return x.done("/deliveries", "retry")
}

// ours keeps those errors that are no answer to who asked for a retry.
func ours(err error) error {
	if err == nil || fault.Is(err, fault.InvalidState) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (x *exchange) deliveryID() api.DeliveryID { return api.DeliveryID{ID: x.r.PathValue("id")} }

func (x *exchange) showDelivery() error {
	d, err := do(x, x.h.Operations.ReadDelivery, &api.ReadDelivery{DeliveryID: x.deliveryID()})
	if err != nil {
		return err
	}
	return x.deliveryPage(d, nil)
}

// deliveryPage shows a delivery; refused is what a retry met.
func (x *exchange) deliveryPage(d *hal.Delivery, refused error) error {
	webhooks, err := x.webhooksOf(map[string]bool{d.WebhookID: true})
	if err != nil {
		return err
	}
	return x.render(formStatus(refused), "delivery", page.NewDelivery(x.frame(), d, webhooks, page.DeliveryOptions{
		Retriable: x.may(access.DeliveriesWrite), Bodies: x.may(access.EventsRead),
		Raw: x.r.URL.Query().Get("body") == "raw", Now: x.h.Now(),
	}, refused))
}

// retryDelivery asks for an attempt; while one is owed, asking again adds nothing.
func (x *exchange) retryDelivery() error {
	in := &api.Retry{DeliveryID: x.deliveryID()}
	_, err := do(x, x.h.Operations.Retry, in)
	if !fault.Is(err, fault.InvalidState) {
		if err != nil {
			return err
		}
		return x.done("/deliveries/"+in.ID, "retry")
	}
	d, unread := do(x, x.h.Operations.ReadDelivery, &api.ReadDelivery{DeliveryID: x.deliveryID()})
	if unread != nil {
		return unread
	}
	return x.deliveryPage(d, err)
}

// showBody answers with the whole body of an attempt's request, as it was sent, as plain text.
func (x *exchange) showBody() error {
	a, err := do(x, x.h.Operations.ReadAttempt, &api.ReadAttempt{DeliveryID: x.deliveryID(), AttemptID: x.r.PathValue("attempt")})
	if err != nil {
		return err
	}
	if a.Request.Body == nil {
		return fault.New(fault.NotFound, "What was sent can no longer be told: its event has expired.")
	}
	x.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(x, *a.Request.Body) // who has gone need not be told
	return nil
}

package console

import (
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/page"
	"nepenthes/shared/cursor"
	"nepenthes/shared/fault"
	"nepenthes/shared/payload"
	"nepenthes/shared/settings"
)

func (x *exchange) listDeliveries() error { return x.deadPage(0, nil) }

// deadPage shows the deliveries that need a person. If some deliveries could not be retried, it also shows how many will be
// retried, and why the others will not.
func (x *exchange) deadPage(retried int, refused []error) error {
	dead := cursor.ListOfDead(&api.ListDeadDeliveries{})
	asked, err := x.deliveryPaging(dead)
	if err != nil {
		return err
	}
	list, err := do(x, x.h.Operations.Deliveries.ListDead, &api.ListDeadDeliveries{Paging: asked})
	if err != nil {
		return err
	}
	ids := map[string]bool{} // a set, because many deliveries may have the same webhook
	for i := range list.Deliveries {
		ids[list.Deliveries[i].Webhook] = true
	}
	webhooks, err := x.webhooksOf(ids)
	if err != nil {
		return err
	}
	p := page.NewDeadDeliveries(x.frame(), list, webhooks, x.may(access.DeliveriesWrite))
	p.Pages = x.pageLinks(p.Action, "", dead, list)
	status := http.StatusOK
	if len(refused) > 0 {
		p.Summary, status = page.NotRetried(retried, refused), http.StatusUnprocessableEntity
	}
	return x.render(status, "deliveries", p)
}

// retryDeliveries requests an attempt of one delivery, or of the selected ones.
func (x *exchange) retryDeliveries() error {
	ids := x.r.PostForm["id"]
	if one := x.r.PostForm.Get("retry"); one != "ticked" { // the button of a row has the id of its delivery
		ids = []string{one}
	}
	if len(ids) == 0 {
		return x.deadPage(0, []error{fault.New(fault.InvalidState, "No delivery is selected.")})
	}
	outcomes := make([]error, min(len(ids), settings.MaxPageSizeLimit)) // a page never has more deliveries
	var group errgroup.Group
	group.SetLimit(concurrentReads)
	for i := range outcomes {
		group.Go(func() error {
			_, outcomes[i] = do(x, x.h.Operations.Deliveries.Retry, &api.DeliveryID{ID: ids[i]})
			return serverFault(outcomes[i])
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if refused := slices.DeleteFunc(slices.Clone(outcomes), func(err error) bool { return err == nil }); len(refused) > 0 {
		return x.deadPage(len(outcomes)-len(refused), refused)
	}
	return x.redirectWithNotice("/deliveries", "retry")
}

// serverFault returns err, or nil if err only says that the delivery cannot be retried. Such a delivery must not keep the
// others from being retried.
func serverFault(err error) error {
	if err == nil || fault.Is(err, fault.InvalidState) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (x *exchange) deliveryID() *api.DeliveryID { return &api.DeliveryID{ID: x.r.PathValue("id")} }

func (x *exchange) showDelivery() error {
	d, err := do(x, x.h.Operations.Deliveries.Read, x.deliveryID())
	if err != nil {
		return err
	}
	return x.deliveryPage(d, nil)
}

// deliveryPage shows a delivery. refused is the fault of a retry, or nil.
func (x *exchange) deliveryPage(d *api.DeliveryDetails, refused error) error {
	webhooks, err := x.webhooksOf(map[string]bool{d.Webhook: true})
	if err != nil {
		return err
	}
	return x.render(formStatus(refused), "delivery", page.NewDelivery(x.frame(), d, webhooks, page.DeliveryOptions{
		Retriable: x.may(access.DeliveriesWrite), Raw: x.r.URL.Query().Get("body") == "raw", Now: x.h.Now(),
	}, refused))
}

// retryDelivery requests an attempt. If one was requested before and has not been made, a second request changes nothing.
func (x *exchange) retryDelivery() error {
	in := x.deliveryID()
	_, err := do(x, x.h.Operations.Deliveries.Retry, in)
	if !fault.Is(err, fault.InvalidState) {
		if err != nil {
			return err
		}
		return x.redirectWithNotice("/deliveries/"+in.ID, "retry")
	}
	d, readErr := do(x, x.h.Operations.Deliveries.Read, in)
	if readErr != nil {
		return readErr
	}
	return x.deliveryPage(d, err)
}

// showBody answers with the body of the request of an attempt, as it was sent. Its type is plain text, so that a browser does
// not interpret what a producer wrote.
func (x *exchange) showBody() error {
	d, err := do(x, x.h.Operations.Deliveries.ReadAttempt, &api.ReadAttempt{ID: x.deliveryID().ID, AttemptID: x.r.PathValue("attempt")})
	if err != nil {
		return err
	}
	if d.Event == nil || !d.ShowBodies {
		return fault.New(fault.NotFound, "The body is no longer available, because its event has expired.")
	}
	x.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.WriteHeader(http.StatusOK)
	_, _ = x.Write(payload.Body(d.Attempts[0].Format, d.Event.Event)) // it is not an error when the client has gone
	return nil
}

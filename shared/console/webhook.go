package console

import (
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/cursor"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// stripMost is how many deliveries the strip shows.
const stripMost = 100

func (x *exchange) showWebhook() error {
	w, err := x.readWebhook()
	if err != nil {
		return err
	}
	return x.webhookPage(w, "", nil)
}

// webhookPage shows a webhook with its deliveries; refused is what a rotation of the secret met, with the overlap that
// was typed.
func (x *exchange) webhookPage(w *webhook.Webhook, overlap string, refused error) error {
	names, err := x.namesFor(*w)
	if err != nil {
		return err
	}
	p := page.NewWebhook(x.frame(), w, page.WebhookOptions{Names: names, Writable: x.may(access.WebhooksWrite), Once: once(), Now: x.h.Now()})
	if refused != nil {
		p.Refuse(overlap, refused)
	}
	if x.may(access.DeliveriesRead) {
		if err := x.addDeliveries(p); err != nil {
			return err
		}
	}
	status := formStatus(refused)
	if p.FilterFault != "" {
		status = http.StatusUnprocessableEntity
	}
	return x.render(status, "webhook", p)
}

// addDeliveries reads the page of deliveries that was asked for, and the newest ones, side by side. Filters that make
// no sense are told on the page.
func (x *exchange) addDeliveries(p *page.Webhook) error {
	query := x.r.URL.Query()
	filters := page.Filters{State: query.Get("state"), Event: query.Get("event"), From: query.Get("from"), Until: query.Get("until")}
	var asked *api.ListDeliveries
	var list *api.DeliveryPage
	var newest []delivery.Delivery
	var refused error
	var group errgroup.Group
	group.Go(func() (err error) {
		newest, err = x.newest(p.ID, stripMost)
		return err
	})
	group.Go(func() (err error) {
		if asked, err = x.deliveriesAsked(p.ID, filters); err == nil {
			list, err = do(x, x.h.Operations.Deliveries.List, asked)
		}
		if fault.Is(err, fault.InvalidQuery) {
			refused = err
			return nil
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	p.AddDeliveries(list, newest, filters, refused)
	if list != nil {
		p.Pages = x.neighbours(p.Self, "#recent", cursor.ListOf(asked), list)
	}
	return nil
}

// deliveriesAsked returns which page of a webhook's deliveries was asked for.
func (x *exchange) deliveriesAsked(webhookID string, typed page.Filters) (*api.ListDeliveries, error) {
	in := &api.ListDeliveries{Webhook: webhookID, State: delivery.State(typed.State), Filters: api.DeliveryFilters{Event: typed.Event}}
	var err error
	if in.Filters.Since, err = moment("From", typed.From); err != nil {
		return nil, err
	}
	if in.Filters.Until, err = moment("Until", typed.Until); err != nil {
		return nil, err
	}
	in.Paging, err = x.deliveryPaging(cursor.ListOf(in))
	return in, err
}

// moment reads the value of a field for local times (HTML standard, "local date and time string"), which are in UTC
// here. Empty is no bound.
func moment(label, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.New(fault.InvalidQuery, "%s: It is not a time. Write it as 2026-01-31T18:30.", label)
}

// orGone makes nothing of a webhook that was deleted meanwhile.
func orGone(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// overlap reads for how many hours former secrets go on; empty leaves it to the operation.
func overlap(text string) (api.Patch[int], fault.Details) {
	if text == "" {
		return api.Patch[int]{}, fault.Details{}
	}
	return form.WholeNumber("overlapHours", text)
}

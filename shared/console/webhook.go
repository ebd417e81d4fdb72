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
	"nepenthes/shared/stats"
)

const (
	stripMax   = 100   // the largest number of deliveries that the strip shows
	figuresMax = 1_000 // the largest number of deliveries that the figures count
)

func (x *exchange) showWebhook() error {
	w, err := x.readDetails()
	if err != nil {
		return err
	}
	return x.webhookPage(w, "", nil)
}

// webhookPage shows a webhook with its deliveries. refused is the fault of a rotation of the secret, or nil, and overlap
// is its input.
func (x *exchange) webhookPage(w *api.WebhookDetails, overlap string, refused error) error {
	names, err := x.namesFor(w.Webhook)
	if err != nil {
		return err
	}
	p := page.NewWebhook(x.frame(), w, page.WebhookOptions{Names: names, Writable: x.may(access.WebhooksWrite), FormNumber: newFormNumber(), Now: x.h.Now()})
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

// following reports whether the script asks for the page again while it follows the page. Such a page is read often, so it
// has no figures.
func (x *exchange) following() bool { return x.r.Header.Get("X-Follow") != "" }

// addDeliveries concurrently reads the requested page of deliveries, the newest deliveries and the figures. The page shows
// the fault of an invalid filter.
func (x *exchange) addDeliveries(p *page.Webhook) error {
	query := x.r.URL.Query()
	filters := page.Filters{State: query.Get("state"), Event: query.Get("event"), From: query.Get("from"), Until: query.Get("until")}
	var asked *api.ListDeliveries
	var list *api.DeliveryPage
	var newest []delivery.Delivery
	var figures *stats.Stats
	var refused error
	var group errgroup.Group
	group.Go(func() (err error) {
		newest, err = x.newest(p.ID, stripMax)
		return err
	})
	if !x.following() {
		group.Go(func() (err error) {
			figures, err = do(x, x.h.Operations.Deliveries.Stats, &api.ReadStats{Webhook: p.ID, Most: figuresMax})
			return ignoreNotFound(err)
		})
	}
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
	if figures != nil {
		p.AddFigures(figures, figuresMax)
	}
	if list != nil {
		p.Pages = x.pageLinks(p.Self, "#recent", cursor.ListOf(asked), list)
	}
	return nil
}

// deliveriesAsked returns the request for the page of deliveries that the query asks for.
func (x *exchange) deliveriesAsked(webhookID string, typed page.Filters) (*api.ListDeliveries, error) {
	in := &api.ListDeliveries{Webhook: webhookID, State: delivery.State(typed.State), Filters: api.DeliveryFilters{Event: typed.Event}}
	var err error
	if in.Filters.Since, err = parseTime("From", typed.From); err != nil {
		return nil, err
	}
	if in.Filters.Until, err = parseTime("Until", typed.Until); err != nil {
		return nil, err
	}
	in.Paging, err = x.deliveryPaging(cursor.ListOf(in))
	return in, err
}

// parseTime parses the value of a datetime-local field as a time in UTC. The field has no zone; without a script its label
// says UTC, and the script converts the times of the user. parseTime returns the zero time for an empty value.
func parseTime(label, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.New(fault.InvalidQuery, "%s is not a time. Write it as 2026-01-31T18:30.", label)
}

// ignoreNotFound returns err, or nil for a fault of kind NotFound.
func ignoreNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// overlap parses the number of hours for which previous secrets stay valid. An empty text means the default.
func overlap(text string) (api.Patch[int], fault.Details) {
	if text == "" {
		return api.Patch[int]{}, fault.Details{}
	}
	return form.WholeNumber("overlapHours", text)
}

package api

import (
	"context"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
	"nepenthes/shared/stats"
	"nepenthes/shared/store"
)

// ReadStats asks for figures of a webhook's deliveries.
type ReadStats struct {
	Webhook string
	// Since and Until limit the time at which the event was received. Since is included, and Until is not. A zero Until
	// means now, and a zero Since means limits.StatsPeriod before Until.
	Since, Until time.Time
	// Most is the largest number of deliveries that are counted, newest first. 0 means limits.StatsCounted.
	Most int
}

// statsRead is the largest number of deliveries that one read of the store returns.
const statsRead = 1000

// stats returns figures of a webhook's deliveries. A change of a delivery may be counted a second later.
func (o deliveriesResource) stats(ctx context.Context, _ Call, in *ReadStats) (_ *stats.Stats, err error) {
	since, until, err := in.period(o.moment())
	if err != nil {
		return nil, err
	}
	if _, err := o.Catalogue.Webhook(ctx, in.Webhook); err != nil {
		return nil, err
	}
	defer fault.Wrap(&err, "count the deliveries of webhook %s", in.Webhook)
	most := in.Most
	if most == 0 {
		most = limits.StatsCounted
	}
	newest, more, err := o.newest(ctx, store.Query{Webhook: in.Webhook, Since: since, Until: until, MayLag: true}, most)
	if err != nil {
		return nil, err
	}
	return stats.Count(since, until, newest, more), nil
}

// period returns the period that is asked for.
func (in *ReadStats) period(now time.Time) (since, until time.Time, err error) {
	since, until = in.Since, in.Until
	if until.IsZero() {
		until = now.Add(time.Millisecond) // so that what was received in this millisecond is counted
	}
	if since.IsZero() {
		since = until.Add(-limits.StatsPeriod)
	}
	if !since.Before(until) {
		return since, until, fault.BadParameter("since", "It is not before until.", "Without until, the period ends now.")
	}
	return since, until, nil
}

// newest returns the newest deliveries of a query as they are shown now, at most as many as asked for. more reports whether
// there are others.
func (o deliveriesResource) newest(ctx context.Context, q store.Query, most int) (newest []delivery.Delivery, more bool, err error) {
	for {
		q.Limit = min(most-len(newest), statsRead)
		page, err := o.Store.Deliveries(ctx, q)
		if err != nil {
			return nil, false, err
		}
		newest = append(newest, o.shown(page.Deliveries, "")...)
		if page.More == nil || len(newest) >= most {
			return newest, page.More != nil, nil
		}
		q.From = *page.More
	}
}

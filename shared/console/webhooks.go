package console

import (
	"net/http"

	"golang.org/x/sync/errgroup"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/webhook"
)

// listWebhooks shows the list of webhooks, with the newest delivery of each webhook if the client may see deliveries.
func (x *exchange) listWebhooks() error {
	query := x.r.URL.Query()
	asked, err := paging(query)
	if err != nil {
		return err
	}
	list, err := do(x, x.h.Operations.Webhooks.List, &api.ListWebhooks{Paging: asked, Name: query.Get("name")})
	if err != nil {
		return err
	}
	names, err := x.namesFor(list.Items...)
	if err != nil {
		return err
	}
	last, err := x.lastDeliveries(list.Items)
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "webhooks", page.NewWebhooks(x.frame(), list, query.Get("name"), x.may(access.WebhooksWrite), last, names))
}

// lastDeliveries returns the newest delivery of each webhook, read concurrently. It returns nil if the client may not see
// deliveries.
func (x *exchange) lastDeliveries(webhooks []webhook.Webhook) (last []*delivery.Delivery, err error) {
	if !x.may(access.DeliveriesRead) {
		return last, nil
	}
	last = make([]*delivery.Delivery, len(webhooks))
	var group errgroup.Group
	group.SetLimit(concurrentReads)
	for i := range webhooks {
		group.Go(func() error {
			newest, err := x.newest(webhooks[i].ID, 1)
			if len(newest) > 0 {
				last[i] = &newest[0]
			}
			return err
		})
	}
	return last, group.Wait()
}

// newest returns the newest deliveries of a webhook, at most as many as asked for. It returns none if the webhook was
// deleted meanwhile. It reads several pages, because the store may return fewer deliveries than a page has room for.
func (x *exchange) newest(webhookID string, most int) (all []delivery.Delivery, err error) {
	in := &api.ListDeliveries{Webhook: webhookID}
	for {
		in.Paging.Most = most - len(all)
		list, err := do(x, x.h.Operations.Deliveries.List, in)
		if err != nil {
			return all, ignoreNotFound(err)
		}
		all = append(all, list.Deliveries...)
		if list.Next == nil || len(all) >= most {
			return all, nil
		}
		in.Paging.Start = *list.Next
	}
}

func (x *exchange) webhookID() string { return x.r.PathValue("id") }

func (x *exchange) readDetails() (*api.WebhookDetails, error) {
	return do(x, x.h.Operations.Webhooks.Read, &api.WebhookID{ID: x.webhookID()})
}

func (x *exchange) readWebhook() (*webhook.Webhook, error) {
	read, err := x.readDetails()
	if err != nil {
		return nil, err
	}
	return &read.Webhook, nil
}

// pingWebhook sends a test event and leads to its delivery. It leads to the webhook if the client may not see deliveries.
func (x *exchange) pingWebhook() error {
	in := &api.Ping{ID: x.webhookID()}
	if event := x.r.PostForm.Get("event"); event != "" {
		in.Event = api.Set(event)
	}
	d, err := do(x, x.h.Operations.Webhooks.Ping, in)
	if err != nil {
		return err
	}
	if x.may(access.DeliveriesRead) {
		return x.redirectWithNotice("/deliveries/"+d.ID(), "ping")
	}
	return x.redirectWithNotice("/webhooks/"+in.ID, "ping")
}

func (x *exchange) enableWebhook() error  { return x.switchWebhook(true, "enabled") }
func (x *exchange) disableWebhook() error { return x.switchWebhook(false, "disabled") }

// switchWebhook enables or disables a webhook. It does not check the version, because it sets a single attribute and cannot
// overwrite another change.
func (x *exchange) switchWebhook(on bool, what string) error {
	in := &api.ChangeWebhook{ID: x.webhookID(), WebhookPatch: api.WebhookPatch{Enabled: api.Set(on)}}
	if _, err := do(x, x.h.Operations.Webhooks.Change, in); err != nil {
		return err
	}
	return x.redirectWithNotice("/webhooks/"+in.ID, what)
}

// rotateSecret creates another secret and shows it.
func (x *exchange) rotateSecret() error {
	w, err := x.readDetails()
	if err != nil {
		return err
	}
	frame := x.frame()
	first, err := x.useFormNumber(frame.To("/webhooks/" + w.ID))
	if !first {
		return err
	}
	hours := x.r.PostForm.Get("overlap")
	in := &api.AddSecret{ID: w.ID, Secret: api.Set(api.Generate)}
	in.OverlapHours, in.Found = overlap(hours)
	s, err := do(x, x.h.Operations.Webhooks.AddSecret, in)
	if err != nil {
		x.freeFormNumber()
		if correctable(err) {
			return x.webhookPage(w, hours, err)
		}
		return err
	}
	return x.render(http.StatusOK, "secret",
		page.NewWebhookSecret(frame, &w.Webhook, "The new secret", s.Text, s.PublicKey, s.Warnings, page.Overlap(hours)))
}

func (x *exchange) confirmWebhook() error {
	w, err := x.readWebhook()
	if err != nil {
		return err
	}
	return x.render(http.StatusOK, "confirm", page.NewDeleteWebhook(x.frame(), w))
}

// deleteWebhook deletes a webhook. Its outstanding deliveries are skipped.
func (x *exchange) deleteWebhook() error {
	if _, err := do(x, x.h.Operations.Webhooks.Delete, &api.DeleteWebhook{ID: x.webhookID()}); err != nil {
		return err
	}
	return x.redirectWithNotice("/webhooks", "deleted")
}

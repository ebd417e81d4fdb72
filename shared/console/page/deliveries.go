package page

import (
	"fmt"
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/webhook"
)

// Deliveries is a table of deliveries.
type Deliveries struct {
	Caption  string
	Webhooks bool // whether there is a column for the webhook
	Ticks    bool // whether there are boxes and buttons to retry
	Rows     []DeliveryRow
}

// DeliveryRow is a delivery in a table.
type DeliveryRow struct {
	ID, Href, Event      string
	Webhook, WebhookHref string
	State                Mark
	Answer, Took         string
	Attempts             int
	Received             *Time
	NoRetry              string // why the delivery cannot be retried; empty if it can
}

// DeadDeliveries is the page of the deliveries that need a person.
type DeadDeliveries struct {
	Frame
	Summary *Summary
	Action  string
	List    Deliveries
	Pages   Pages
}

// NewDeadDeliveries returns the page without its links to other pages. webhooks has the webhooks of the deliveries by
// id. It is nil if the client may not see them; a webhook that is missing was deleted.
func NewDeadDeliveries(f Frame, list *api.DeliveryPage, webhooks map[string]*webhook.Webhook, writable bool) *DeadDeliveries {
	f.Title = "Deliveries"
	p := &DeadDeliveries{
		Frame: f, Action: f.To("/deliveries"),
		List: Deliveries{Caption: "Deliveries that need a person", Webhooks: true, Ticks: writable},
	}
	for i := range list.Deliveries {
		d := &list.Deliveries[i]
		row := deliveryRow(f, d, webhookName(d.Webhook, webhooks))
		if webhooks[d.Webhook] != nil {
			row.WebhookHref = f.To("/webhooks/" + d.Webhook)
		}
		row.NoRetry = noRetry(d.Webhook, webhooks)
		p.List.Rows = append(p.List.Rows, row)
	}
	return p
}

// webhookName returns the name of a webhook, or its id if the client may not see webhooks.
func webhookName(id string, webhooks map[string]*webhook.Webhook) string {
	switch w := webhooks[id]; {
	case w != nil:
		return NameOf(w.Name, w.ID)
	case webhooks == nil:
		return id
	}
	return "a deleted webhook"
}

// noRetry returns why a delivery to the webhook cannot be retried, or an empty string if nothing that the client may see
// prevents a retry.
func noRetry(id string, webhooks map[string]*webhook.Webhook) string {
	switch w := webhooks[id]; {
	case webhooks == nil:
	case w == nil:
		return "Its webhook was deleted, so nothing more can be sent."
	case !w.Enabled:
		return "Its webhook is disabled. Enable the webhook first."
	}
	return ""
}

// deliveryRow returns the row of a delivery. It shows the last attempt from the delivery itself, which saves a read for each
// row.
func deliveryRow(f Frame, d *delivery.Delivery, webhookName string) DeliveryRow {
	id := d.ID()
	row := DeliveryRow{
		ID: id, Href: f.To("/deliveries/" + id), Event: d.EventType, Webhook: webhookName, State: deliveryMark(d.State),
		Attempts: d.AttemptCount, Received: Moment(d.CreatedAt), Answer: "None yet",
	}
	if last := d.Last; last != nil {
		row.Answer, row.Took = answerText(last), durationText(last.Total)
	}
	return row
}

// answerText returns the status of the last answer, and the class of the failure unless the status is the failure.
func answerText(last *delivery.Summary) string {
	text := ""
	if last.Status != 0 {
		text = statusText(last.Status)
	}
	switch {
	case last.ErrorClass == "" || last.ErrorClass == delivery.ErrStatus:
		return text
	case text != "":
		return text + ", " + className(last.ErrorClass)
	}
	return asWords(className(last.ErrorClass))
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

// deliveryMark returns the mark for a delivery's state.
func deliveryMark(s delivery.State) Mark {
	switch s {
	case delivery.Held:
		return Mark{held, "pause", "Held"}
	case delivery.Delivered:
		return Mark{good, "check", "Delivered"}
	case delivery.Retrying:
		return Mark{warn, "again", "Retrying"}
	case delivery.Dead:
		return Mark{bad, "cross", "Dead"}
	case delivery.Skipped:
		return Mark{calm, "dash", "Skipped"}
	}
	return Mark{info, "dots", "Pending"}
}

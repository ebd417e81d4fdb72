package page

import (
	"fmt"
	"net/http"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
	"nepenthes/shared/webhook"
)

// Deliveries is a table of deliveries.
type Deliveries struct {
	Caption  string
	Webhooks bool // with the column of the webhook
	Ticks    bool // with boxes and buttons to retry
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
	Hopeless             string // why no retry can be asked for
}

// DeadDeliveries is the page of the deliveries that need a person.
type DeadDeliveries struct {
	Frame
	Summary *Summary
	Action  string
	List    Deliveries
	Pages   Pages
}

// NewDeadDeliveries makes the page. webhooks are theirs by id; nil when they may not be seen, and one that is missing
// is gone.
func NewDeadDeliveries(f Frame, list *hal.CursorCollection[hal.Delivery], webhooks map[string]*webhook.Webhook, writable bool) *DeadDeliveries {
	f.Title = "Deliveries"
	p := &DeadDeliveries{
		Frame: f, Action: f.To("/deliveries"),
		List:  Deliveries{Caption: "Deliveries that need a person", Webhooks: true, Ticks: writable},
		Pages: Pages{Previous: samePage(f.To("/deliveries"), list.Links.Previous), Next: samePage(f.To("/deliveries"), list.Links.Next)},
	}
	for i := range list.Embedded.Elements {
		d := &list.Embedded.Elements[i]
		row := deliveryRow(f, d, webhookName(d.WebhookID, webhooks))
		if webhooks[d.WebhookID] != nil {
			row.WebhookHref = f.To("/webhooks/" + d.WebhookID)
		}
		row.Hopeless = hopeless(d.WebhookID, webhooks)
		p.List.Rows = append(p.List.Rows, row)
	}
	return p
}

func webhookName(id string, webhooks map[string]*webhook.Webhook) string {
	switch w := webhooks[id]; {
	case w != nil:
		return NameOf(w.Name, w.ID)
	case webhooks == nil:
		return id
	}
	return "a deleted webhook"
}

// hopeless says why no retry can be asked for as the webhook is; empty: one can, as far as may be seen.
func hopeless(id string, webhooks map[string]*webhook.Webhook) string {
	switch w := webhooks[id]; {
	case webhooks == nil:
	case w == nil:
		return "Its webhook was deleted: nothing can be sent to it any more."
	case !w.Enabled:
		return "Its webhook is disabled: enable that first."
	}
	return ""
}

func deliveryRow(f Frame, d *hal.Delivery, webhookName string) DeliveryRow {
	row := DeliveryRow{
		ID: d.ID, Href: f.To("/deliveries/" + d.ID), Event: d.EventType, Webhook: webhookName, State: deliveryMark(d),
		Attempts: d.AttemptCount, Received: At(&d.CreatedAt), Answer: "None yet",
	}
	if last := d.LastAttempt; last != nil {
		row.Answer, row.Took = answered(last.Status, last.ErrorClass), took(last.TotalMs)
	}
	return row
}

// answered says what came back: the status, and the failure when that is not what failed.
func answered(status *int, class *string) string {
	text := ""
	if status != nil {
		text = statusText(*status)
	}
	if failure := reason(class); failure != "" && failure != string(delivery.ErrStatus) {
		if text != "" {
			return text + ", " + classWords(failure)
		}
		return words(classWords(failure))
	}
	return text
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprint(status)
}

// deliveryMark shows a delivery's state at a glance.
func deliveryMark(d *hal.Delivery) Mark {
	switch delivery.State(d.State) {
	case delivery.Delivered:
		return Mark{good, "check", "Delivered"}
	case delivery.Retrying:
		return Mark{warn, "again", "Retrying"}
	case delivery.Held:
		return Mark{calm, "pause", "Held"}
	case delivery.Dead:
		return Mark{bad, "cross", "Dead"}
	case delivery.Skipped:
		return Mark{calm, "dash", "Skipped"}
	}
	return Mark{info, "dots", "Pending"}
}

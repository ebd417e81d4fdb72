package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/strictjson"
	"nepenthes/shared/webhook"
)

const (
	pathWebhooks = hal.Base + "/webhooks"
	pathWebhook  = pathWebhooks + "/{id}"
)

func (h *Handler) addWebhooks(o *api.Webhooks) {
	addPaged(h, o.List, spec{
		method: http.MethodGet, path: pathWebhooks, id: "listWebhooks", tag: tagWebhooks,
		summary: "List webhooks", about: "Oldest first, in short: long members are cut.", answers: "A page of webhooks.",
	}, (*listWebhooks).input, showWebhooks)
	addRoute(h, o.Create, spec{
		method: http.MethodPost, path: pathWebhooks, id: "createWebhook", tag: tagWebhooks, status: http.StatusCreated,
		summary: "Create a webhook", answers: "The webhook. A secret that was generated is shown only here.",
		about: "Needs a name, a payload URL and at least one event type. A new webhook is enabled and for all projects unless told otherwise.",
	}, (*createWebhook).input, showWrittenWebhook)
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathWebhook, id: "readWebhook", tag: tagWebhooks,
		summary: "Read a webhook", about: "Secrets and header values are never shown.", answers: "The webhook.",
	}, (*webhookID).input, showWebhook)
	addRoute(h, o.Change, spec{
		method: http.MethodPatch, path: pathWebhook, id: "changeWebhook", tag: tagWebhooks, faults: stale,
		summary: "Change a webhook", answers: "The webhook as it is now. A secret that was generated is shown only here.",
		about: "A merge patch (RFC 7396): absent members stay, null is the default again. With If-Match or lockVersion the change is made only if nobody else changed the webhook meanwhile; without, it is applied to whatever is there.",
	}, (*changeWebhook).input, showWrittenWebhook)
	addRoute(h, o.Delete, spec{
		method: http.MethodDelete, path: pathWebhook, id: "deleteWebhook", tag: tagWebhooks, status: http.StatusNoContent, faults: stale,
		summary: "Delete a webhook", about: "What is still owed to it is skipped. Its deliveries stay readable by their ids until they expire.",
		answers: "The webhook is gone.",
	}, (*deleteWebhook).input, noAnswer)
	addRoute(h, o.Ping, spec{
		method: http.MethodPost, path: pathWebhook + "/ping", id: "pingWebhook", tag: tagWebhooks,
		status: http.StatusAccepted, optionalBody: true, summary: "Send a test event",
		about:   "Sends the example of an event type to this webhook alone, whatever its subscription, also while it is disabled: one attempt, which does not count for its health.",
		answers: "The delivery, which is on its way.",
	}, (*ping).input, showPing)
}

type listWebhooks struct {
	paging
	Name string `query:"name" doc:"Only webhooks whose name contains this, whatever the case of its letters." example:"bill"`
}

func (in *listWebhooks) input() (*api.ListWebhooks, error) {
	return &api.ListWebhooks{Paging: in.page(), Name: in.Name}, nil
}

func showWebhooks(v view, in *listWebhooks, page *api.Page[webhook.Webhook]) *hal.Collection[hal.Webhook] {
	return collection(v.To("webhooks"), filters("name", in.Name), page, func(w *webhook.Webhook) *hal.Webhook {
		return hal.FromWebhookInShort(v.Paths, w, v.now)
	})
}

func showWebhook(v view, w *webhook.Webhook) *hal.Webhook { return hal.FromWebhook(v.Paths, w, v.now) }

func showWrittenWebhook(v view, w *api.WrittenWebhook) *hal.Webhook {
	shown := showWebhook(v, &w.Webhook)
	shown.Secret, shown.Warnings = w.Secret, showWarnings(w.Warnings)
	return shown
}

func showWarnings(warnings []api.Warning) (shown []hal.Warning) {
	for _, w := range warnings {
		shown = append(shown, hal.Warning{Attribute: w.Attribute, Message: w.Message})
	}
	return shown
}

type webhookID struct {
	ID string `path:"id" doc:"The webhook's id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *webhookID) input() (*api.WebhookID, error) { return &api.WebhookID{ID: in.ID}, nil }

type createWebhook struct{ Body body[WebhookPatch] }

func (in *createWebhook) input() (*api.CreateWebhook, error) {
	return &api.CreateWebhook{WebhookPatch: in.Body.value.patch(in.Body.problems)}, nil
}

type changeWebhook struct {
	webhookID
	ifMatch
	Body body[WebhookPatch]
}

func (in *changeWebhook) input() (*api.ChangeWebhook, error) {
	insists, err := in.insistence(in.Body.value.LockVersion)
	return &api.ChangeWebhook{ID: in.ID, WebhookPatch: in.Body.value.patch(in.Body.problems), Insistence: insists}, err
}

type deleteWebhook struct {
	webhookID
	ifMatch
}

func (in *deleteWebhook) input() (*api.DeleteWebhook, error) {
	insists, err := in.insistence(noVersion)
	return &api.DeleteWebhook{ID: in.ID, Insistence: insists}, err
}

type ping struct {
	webhookID
	Body body[PingEvent]
}

// PingEvent says which event to send.
type PingEvent struct {
	Event strictjson.Member[string] `json:"event,omitempty" nullable:"true" doc:"The event type whose example is sent; webhook:ping unless told otherwise." example:"work_package:updated"`
}

func (in *ping) input() (*api.Ping, error) {
	return &api.Ping{ID: in.ID, Event: patch(in.Body.value.Event), Found: in.Body.problems}, nil
}

// showPing represents the delivery of a test event, of which no attempt has been made yet.
func showPing(v view, d *delivery.Delivery) *hal.Delivery {
	shown := hal.FromDelivery(v.Paths, d)
	shown.Embedded = &hal.Attempts{Attempts: []*hal.Attempt{}}
	return shown
}

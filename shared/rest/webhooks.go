package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
	"nepenthes/shared/webhook"
)

const (
	pathWebhooks = hal.Base + "/webhooks"
	pathWebhook  = pathWebhooks + "/{id}"
)

// addWebhooks adds the routes of webhooks.
func (h *Handler) addWebhooks(o *api.Webhooks) {
	addPaged(h, o.List, spec{
		method: http.MethodGet, path: pathWebhooks, id: "listWebhooks", tag: tagWebhooks,
		summary: "List webhooks", about: "Oldest first. Long members are left out.", answers: "A page of webhooks.",
	}, (*listWebhooks).input, showWebhooks)
	addRoute(h, o.Create, spec{
		method: http.MethodPost, path: pathWebhooks, id: "createWebhook", tag: tagWebhooks, status: http.StatusCreated,
		summary: "Create a webhook", answers: "The webhook. A generated secret is shown only once.",
		about: "A webhook needs a name, a payload URL and at least one event type. By default it is enabled, and for all projects.",
	}, (*createWebhook).input, showWrittenWebhook)
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: pathWebhook, id: "readWebhook", tag: tagWebhooks,
		summary: "Read a webhook", about: "Secrets and header values are never shown.", answers: "The webhook.",
	}, (*webhookID).input, showWebhook)
	addRoute(h, o.Change, spec{
		method: http.MethodPatch, path: pathWebhook, id: "changeWebhook", tag: tagWebhooks, faults: stale,
		summary: "Change a webhook", answers: "The webhook as it is now. A generated secret is shown only once.",
		about: "The body is a merge patch (RFC 7396): absent members stay as they are, and null resets a member to its default. With If-Match or lockVersion the change is made only if nobody else has changed the webhook. Without them it is applied to the current webhook.",
	}, (*changeWebhook).input, showWrittenWebhook)
	addRoute(h, o.Delete, spec{
		method: http.MethodDelete, path: pathWebhook, id: "deleteWebhook", tag: tagWebhooks, status: http.StatusNoContent, faults: stale,
		summary: "Delete a webhook", about: "Deliveries to the webhook that are not final are skipped. All its deliveries can be read by their ids until they expire.",
		answers: "The webhook was deleted.",
	}, (*deleteWebhook).input, noAnswer)
	addRoute(h, o.Ping, spec{
		method: http.MethodPost, path: pathWebhook + "/ping", id: "pingWebhook", tag: tagWebhooks,
		status: http.StatusAccepted, optionalBody: true, summary: "Send a test event",
		about:   "Sends the example of an event type to this webhook only, whatever its subscription, and also while it is disabled or paused. There is one attempt.",
		answers: "The delivery. The attempt will be made.",
	}, (*ping).input, showPing)
}

// listWebhooks is the request for a page of webhooks.
type listWebhooks struct {
	paging
	Name string `query:"name" doc:"Only webhooks whose name contains this text. Case does not matter." example:"bill"`
}

func (in *listWebhooks) input() (*api.ListWebhooks, error) {
	return &api.ListWebhooks{Paging: in.page(), Name: in.Name}, nil
}

// showWebhooks represents a page. It leaves out long members, because a page may have a thousand webhooks.
func showWebhooks(v view, in *listWebhooks, page *api.Page[webhook.Webhook]) *hal.Collection[hal.Webhook] {
	return collection(v.To("webhooks"), filters("name", in.Name), page, func(w *webhook.Webhook) *hal.Webhook {
		return hal.FromWebhookInShort(v.Paths, w, v.now)
	})
}

// showWebhook represents a webhook with the number of its held deliveries.
func showWebhook(v view, w *api.WebhookDetails) *hal.Webhook {
	shown := hal.FromWebhook(v.Paths, &w.Webhook, v.now)
	shown.Status.Held = &w.Held
	return shown
}

// showWrittenWebhook represents a webhook after a change. A generated secret is shown only in this answer.
func showWrittenWebhook(v view, w *api.WrittenWebhook) *hal.Webhook {
	shown := showWebhook(v, &w.WebhookDetails)
	shown.Secret, shown.Warnings = w.Secret, showWarnings(w.Warnings)
	return shown
}

func showWarnings(warnings []api.Warning) (shown []hal.Warning) {
	for _, w := range warnings {
		shown = append(shown, hal.Warning{Attribute: w.Attribute, Message: w.Message})
	}
	return shown
}

// webhookID is a request that only names a webhook.
type webhookID struct {
	ID string `path:"id" doc:"The webhook's id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

func (in *webhookID) input() (*api.WebhookID, error) { return &api.WebhookID{ID: in.ID}, nil }

// createWebhook is the request for a new webhook.
type createWebhook struct{ Body body[WebhookPatch] }

func (in *createWebhook) input() (*api.CreateWebhook, error) {
	return &api.CreateWebhook{WebhookPatch: in.Body.value.patch(in.Body.problems)}, nil
}

// changeWebhook is the request for a change of a webhook.
type changeWebhook struct {
	webhookID
	ifMatch
	Body body[WebhookPatch]
}

func (in *changeWebhook) input() (*api.ChangeWebhook, error) {
	insists, err := in.insistence(in.Body.value.LockVersion)
	return &api.ChangeWebhook{ID: in.ID, WebhookPatch: in.Body.value.patch(in.Body.problems), Insistence: insists}, err
}

// deleteWebhook is the request to delete a webhook.
type deleteWebhook struct {
	webhookID
	ifMatch
}

func (in *deleteWebhook) input() (*api.DeleteWebhook, error) {
	insists, err := in.insistence(noVersion)
	return &api.DeleteWebhook{ID: in.ID, Insistence: insists}, err
}

// ping is the request for a test event.
type ping struct {
	webhookID
	Body body[PingEvent]
}

// PingEvent is the choice of the event to send.
type PingEvent struct {
	Event mergepatch.Member[string] `json:"event,omitempty" nullable:"true" doc:"The event type whose example is sent. The default is webhook:ping." example:"work_package:updated"`
}

func (in *ping) input() (*api.Ping, error) {
	return &api.Ping{ID: in.ID, Event: patch(in.Body.value.Event), Found: in.Body.problems}, nil
}

// showPing represents the delivery of a test event before its first attempt.
func showPing(v view, d *delivery.Delivery) *hal.Delivery {
	shown := hal.FromDelivery(v.Paths, d)
	shown.Embedded = &hal.Attempts{Attempts: []*hal.Attempt{}}
	return shown
}

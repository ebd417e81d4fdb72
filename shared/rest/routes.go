package rest

import (
	"net/http"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
)

// Tags group the operations in the document.
const (
	tagRoot       = "Root"
	tagSettings   = "Settings"
	tagWebhooks   = "Webhooks"
	tagDeliveries = "Deliveries"
	tagEvents     = "Events"
	tagProjects   = "Projects"
	tagClients    = "OAuth clients"
)

// Paths of resources with several methods.
const (
	pathWebhooks = hal.Base + "/webhooks"
	pathWebhook  = pathWebhooks + "/{id}"
	pathDelivery = hal.Base + "/deliveries/{id}"
)

// stale is what a change under optimistic locking can meet.
var stale = []fault.Kind{fault.UpdateConflict}

// addRoutes is the whole API.
func (h *Handler) addRoutes() {
	addRoute(h, h.Operations.Root, spec{
		method: http.MethodGet, path: hal.Base, id: "readRoot", tag: tagRoot,
		summary: "Where the API begins", about: "Links to every collection. Any valid token will do.", answers: "The root.",
	}, noInput, showRoot)
	h.addSettings()
	h.addWebhooks()
	h.addSecrets()
	h.addDeliveries()
	h.addEvents()
	h.addProjects()
	h.addClients()
}

func (h *Handler) addWebhooks() {
	add(h, h.Operations.ListWebhooks, spec{
		method: http.MethodGet, path: pathWebhooks, id: "listWebhooks", tag: tagWebhooks,
		summary: "List webhooks", about: "Oldest first, in short: long members are cut.", answers: "A page of webhooks.",
	})
	add(h, h.Operations.CreateWebhook, spec{
		method: http.MethodPost, path: pathWebhooks, id: "createWebhook", tag: tagWebhooks, status: http.StatusCreated,
		summary: "Create a webhook", answers: "The webhook. A secret that was generated is shown only here.",
		about: "Needs a name, a payload URL and at least one event type. A new webhook is enabled and for all projects unless told otherwise.",
	})
	add(h, h.Operations.ReadWebhook, spec{
		method: http.MethodGet, path: pathWebhook, id: "readWebhook", tag: tagWebhooks,
		summary: "Read a webhook", about: "Secrets and header values are never shown.", answers: "The webhook.",
	})
	add(h, h.Operations.ChangeWebhook, spec{
		method: http.MethodPatch, path: pathWebhook, id: "changeWebhook", tag: tagWebhooks, faults: stale,
		summary: "Change a webhook", answers: "The webhook as it is now. A secret that was generated is shown only here.",
		about: "A merge patch (RFC 7396): absent members stay, null is the default again. With If-Match or lockVersion the change is made only if nobody else changed the webhook meanwhile; without, it is applied to whatever is there.",
	})
	addRoute(h, h.Operations.DeleteWebhook, spec{
		method: http.MethodDelete, path: pathWebhook, id: "deleteWebhook", tag: tagWebhooks, status: http.StatusNoContent, faults: stale,
		summary: "Delete a webhook", about: "What is still owed to it is skipped. Its deliveries stay readable by their ids until they expire.",
		answers: "The webhook is gone.",
	}, (*deleteWebhook).input, noAnswer)
	addRoute(h, h.Operations.Ping, spec{
		method: http.MethodPost, path: pathWebhook + "/ping", id: "pingWebhook", tag: tagWebhooks,
		status: http.StatusAccepted, optionalBody: true, summary: "Send a test event",
		about:   "Sends the example of an event type to this webhook alone, whatever its subscription, also while it is disabled: one attempt, which does not count for its health.",
		answers: "The delivery, which is on its way.",
	}, (*ping).input, showPing)
}

func (h *Handler) addSecrets() {
	add(h, h.Operations.AddSecret, spec{
		method: http.MethodPost, path: pathWebhook + "/secrets", id: "addSecret", tag: tagWebhooks,
		status: http.StatusCreated, optionalBody: true, faults: []fault.Kind{fault.InvalidState}, summary: "Rotate the signature secret",
		about:   "Adds a secret; the former ones of its kind go on signing beside it for a while, so that receivers can change over. At most four sign at once.",
		answers: "The secret. One that was generated is shown only here.",
	})
	addRoute(h, h.Operations.RemoveSecret, spec{
		method: http.MethodDelete, path: pathWebhook + "/secrets/{secretId}", id: "removeSecret", tag: tagWebhooks,
		status: http.StatusNoContent, summary: "Remove a signature secret", about: "It signs nothing from the next attempt on.",
		answers: "The secret is gone.",
	}, (*removeSecret).input, noAnswer)
}

func (h *Handler) addDeliveries() {
	add(h, h.Operations.ListDeliveries, spec{
		method: http.MethodGet, path: pathWebhook + "/deliveries", id: "listDeliveries", tag: tagDeliveries,
		summary: "List a webhook's deliveries", answers: "A page of deliveries.",
		about: "Newest first. A delivery appears here once its first attempt has begun; until then it is found under its event.",
	})
	add(h, h.Operations.ListDeadDeliveries, spec{
		method: http.MethodGet, path: hal.Base + "/deliveries", id: "listDeadDeliveries", tag: tagDeliveries,
		summary: "List the deliveries that need a person", answers: "A page of deliveries.",
		about: "The dead deliveries of all webhooks, newest first. A change may show a second later.",
	})
	add(h, h.Operations.ReadDelivery, spec{
		method: http.MethodGet, path: pathDelivery, id: "readDelivery", tag: tagDeliveries,
		summary: "Read a delivery with its attempts", answers: "The delivery.",
		about: "The bodies of requests are shown only to clients that also hold events:read. When the answer would grow beyond 4 MB, those of older attempts are left out.",
	})
	add(h, h.Operations.ReadAttempt, spec{
		method: http.MethodGet, path: pathDelivery + "/attempts/{attemptId}", id: "readAttempt", tag: tagDeliveries,
		summary: "Read one attempt as a whole", answers: "The attempt.",
		about: "The body of the request is shown only to clients that also hold events:read.",
	})
	add(h, h.Operations.Retry, spec{
		method: http.MethodPost, path: pathDelivery + "/retries", id: "retryDelivery", tag: tagDeliveries,
		status: http.StatusAccepted, faults: []fault.Kind{fault.InvalidState}, summary: "Try a delivery again",
		about:   "One extra attempt outside of the schedule, with the same webhook-id. While one is owed, asking again adds nothing.",
		answers: "The delivery; the attempt is owed.",
	})
}

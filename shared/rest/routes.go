package rest

import (
	"net/http"

	"nepenthes/shared/api"
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

func showRoot(v view, version *api.Version) *hal.Root { return hal.NewRoot(v.Paths, string(*version)) }

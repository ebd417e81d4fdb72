package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
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

func showRoot(v view, version *api.Version) *hal.Root { return hal.NewRoot(v.Paths, string(*version)) }

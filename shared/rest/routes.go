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

// stale is the list of faults of operations that check a version, in addition to those of all operations.
var stale = []fault.Kind{fault.UpdateConflict}

// addRoutes adds the routes of the resources that the handler has. The order is the order of the document.
func (h *Handler) addRoutes() {
	o := h.Operations
	if o.Root != nil {
		h.addRoot(o.Root)
	}
	if o.Settings != nil {
		h.addSettings(o.Settings)
	}
	if o.Webhooks != nil {
		h.addWebhooks(o.Webhooks)
		h.addPauses(o.Webhooks)
		h.addSecrets(o.Webhooks)
	}
	if o.Deliveries != nil {
		h.addDeliveries(o.Deliveries)
		h.addStats(o.Deliveries)
	}
	if o.Events != nil {
		h.addEvents(o.Events)
	}
	if o.Projects != nil {
		h.addProjects(o.Projects)
	}
	if o.Clients != nil {
		h.addClients(o.Clients)
	}
}

// addRoot adds the route of the root.
func (h *Handler) addRoot(o *api.Root) {
	addRoute(h, o.Read, spec{
		method: http.MethodGet, path: hal.Base, id: "readRoot", tag: tagRoot,
		summary: "Read the root of the API", about: "The root links to every collection. It needs a valid token, but no scope.", answers: "The root.",
	}, noInput, showRoot)
}

func showRoot(v view, version *api.Version) *hal.Root { return hal.NewRoot(v.Paths, string(*version)) }

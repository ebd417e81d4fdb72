// Package rest puts the operations of package api on the wire: routes, the order in which a request is checked,
// problem documents, cross-origin resource sharing, and the OpenAPI document.
//
// Package huma makes the document and its schemas from the route table and the types of requests and answers. Package
// rest reads the requests itself, because huma checks them in another order and reports faults in another form.
package rest

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"sync/atomic"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/cursor"
	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
	"nepenthes/shared/required"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/settings"
	"nepenthes/shared/throttle"
)

// Verifier finds the caller of a bearer token. It returns a fault of kind Unauthenticated if the token is not valid.
type Verifier interface {
	Verify(ctx context.Context, token string) (auth.Caller, error)
}

// Settings reads the current settings.
type Settings interface {
	Settings(ctx context.Context) (settings.Settings, error)
}

// Throttle counts the requests of clients.
type Throttle interface {
	// Take counts a request. It returns a fault of kind TooManyRequests if the client has made too many.
	Take(ctx context.Context, client string, class throttle.Class) error
}

// Mount is a route that answers without a token, such as the routes of the authorization server.
type Mount struct {
	Method, Path string
	Handler      http.Handler
}

// Config configures a Handler. Fields that do not state a default are required.
type Config struct {
	// Operations are the operations that get routes. Only a handler that has all of them serves the OpenAPI document.
	Operations api.Operations
	Verifier   Verifier
	Settings   Settings
	// CursorKey authenticates the cursors of lists of deliveries. It has at least cursor.KeySize bytes, and only a
	// handler with the operations on deliveries needs it.
	CursorKey cursor.Key
	Mounts    []Mount
	// Docs are the files of the documentation page by their names. The name of the page itself is "". Nil means that
	// there is no page.
	Docs map[string]http.Handler
	// Throttle limits the rate of each client. Nil means no limit.
	Throttle Throttle
	// Prefix returns the stage path of a request, or "". Nil means that no request has a stage path.
	Prefix func(*http.Request) string
	// Version is the version of the service, which the OpenAPI document shows. It may be empty.
	Version string
	Logger  *slog.Logger
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	Config
	edge     httpedge.Edge
	mux      *http.ServeMux
	routes   []*route
	document document
	// lastSettings are the settings that were read last. They decide about CORS headers if the settings cannot be read now:
	// without the headers a page could not read the fault.
	lastSettings atomic.Pointer[settings.Settings]
}

// New returns a Handler. It panics if a dependency is missing, or if CursorKey is too short.
func New(c Config) *Handler {
	required.Fields(c, "Throttle")
	required.That(c.Operations.Deliveries == nil || len(c.CursorKey) >= cursor.KeySize, c, "CursorKey is too short")
	if c.Prefix == nil {
		c.Prefix = func(*http.Request) string { return "" }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Handler{Config: c, edge: httpedge.Edge{Name: "request", Logger: c.Logger, Now: c.Now}, mux: http.NewServeMux()}
	h.addRoutes()
	h.mount()
	return h
}

// ServeHTTP answers requests for any path, also for paths that do not exist.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, r := h.edge.Begin(w, r)
	x := &exchange{Answer: answer, h: h, r: r}
	defer x.End(x.writeProblem)
	settingsErr := x.readSettings()
	x.shareAcrossOrigins()
	switch {
	case x.isPreflight():
		x.WriteHeader(http.StatusNoContent)
	case settingsErr != nil:
		x.fail(settingsErr)
	case path.Clean(r.URL.Path) != r.URL.Path: // the mux would redirect it, without the stage path
		x.fail(noPath())
	default:
		h.mux.ServeHTTP(x, x.r)
	}
}

// exchange is one request with its answer.
type exchange struct {
	*httpedge.Answer
	h        *Handler
	r        *http.Request
	settings settings.Settings
	call     api.Call
	paths    hal.Paths // for the links of the answer
	plain    bool      // whether the answer is application/json instead of application/hal+json
}

// readSettings reads the settings that apply to the request.
func (x *exchange) readSettings() error {
	s, err := x.h.Settings.Settings(x.r.Context())
	if err != nil {
		if last := x.h.lastSettings.Load(); last != nil {
			x.settings = *last
		}
		return err
	}
	x.settings = s
	x.h.lastSettings.Store(&s)
	return nil
}

// fail answers with a problem document for err.
func (x *exchange) fail(err error) { x.writeProblem(x.Fault(err)) }

// noPath returns the fault of a path that does not exist.
func noPath() *fault.Fault {
	return fault.New(fault.NotFound, "There is nothing at this path.").
		With("The API begins at " + hal.Base + ". Its root links to everything.")
}

// Package rest puts the operations of package api on the wire: routes, the order in which a request is checked,
// problem documents, cross-origin resource sharing, and the OpenAPI document.
//
// The document and its schemas come out of the route table and the types of the operations by package huma. The
// requests are read by this package itself: the contract wants them checked in an order, and faults told in a
// shape, that huma's own pipeline does not have.
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

// Verifier turns a bearer token into its caller; a fault of kind Unauthenticated when it is not good.
type Verifier interface {
	Verify(ctx context.Context, token string) (auth.Caller, error)
}

// Settings knows the present settings.
type Settings interface {
	Settings(ctx context.Context) (settings.Settings, error)
}

// Throttle counts the requests of clients.
type Throttle interface {
	// Take counts a request; a fault of kind TooManyRequests when the client may not make it now.
	Take(ctx context.Context, client string, class throttle.Class) error
}

// Mount is an operation that answers by itself, without a token of ours: those of the authorization server.
type Mount struct {
	Method, Path string
	Handler      http.Handler
}

// Config names what a Handler needs. Everything without a default must be given.
type Config struct {
	// Operations are the operations that get routes. Only a handler that has all of them serves the OpenAPI document.
	Operations api.Operations
	Verifier   Verifier
	Settings   Settings
	// CursorKey authenticates the cursors of lists of deliveries. It has at least cursor.KeySize bytes, and only a handler
	// with the operations on deliveries needs it.
	CursorKey cursor.Key
	Mounts    []Mount
	// Docs are the files of the documentation page by their names, the page itself by ""; nil means that there is none.
	Docs map[string]http.Handler
	// Throttle holds clients to their rate; nil means that there is no limit.
	Throttle Throttle
	// Prefix is the stage path by which a request came, "" for none; nil means that there never is one.
	Prefix func(*http.Request) string
	// Version is the service's version.
	Version string
	Logger  *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	Config
	edge     httpedge.Edge
	mux      *http.ServeMux
	routes   []*route
	document document
	// lastSettings let an answer carry its CORS headers even when the settings cannot be read.
	lastSettings atomic.Pointer[settings.Settings]
}

// New returns a Handler. It panics if a dependency is missing.
func New(c Config) *Handler {
	required.Fields(c, "Throttle")
	if c.Operations.Deliveries != nil && len(c.CursorKey) < cursor.KeySize {
		panic("rest.Config: CursorKey is too short")
	}
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

// ServeHTTP answers any path: those that lead nowhere, too, are ours.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, r := h.edge.Begin(w, r)
	x := &exchange{Answer: answer, h: h, r: r}
	defer x.End(x.writeProblem)
	unread := x.readSettings()
	x.shareAcrossOrigins()
	switch {
	case x.isPreflight():
		x.WriteHeader(http.StatusNoContent)
	case unread != nil:
		x.fail(unread)
	case path.Clean(r.URL.Path) != r.URL.Path: // the mux would redirect it
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
	paths    hal.Paths // make the links of the answer
	plain    bool      // the answer is application/json instead of application/hal+json
}

// readSettings reads the settings that the request goes by.
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

// fail answers with the problem document of err.
func (x *exchange) fail(err error) { x.writeProblem(x.Fault(err)) }

func noPath() *fault.Fault {
	return fault.New(fault.NotFound, "There is nothing at this path.").
		With("The API begins at " + hal.Base + "; its root links to everything.")
}

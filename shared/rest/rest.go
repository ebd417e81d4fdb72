// Package rest puts the operations of package api on the wire: routes, the order in which a request is checked,
// problem documents, cross-origin resource sharing, and the OpenAPI document.
//
// The document and its schemas come out of the route table and the types of the operations by package huma. The
// requests are read by this package itself: the contract wants them checked in an order, and faults told in a
// shape, that huma's own pipeline does not have.
package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"sync/atomic"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
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
	Operations *api.Operations
	Verifier   Verifier
	Settings   Settings
	Mounts     []Mount
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
	mux      *http.ServeMux
	routes   []*route
	document document
	// lastSettings let an answer carry its CORS headers even when the settings cannot be read.
	lastSettings atomic.Pointer[settings.Settings]
}

// New makes a Handler; it panics when a part is missing.
func New(c Config) *Handler {
	if c.Operations == nil || c.Verifier == nil || c.Settings == nil || c.Logger == nil {
		panic("rest: a part of Config is missing")
	}
	if c.Prefix == nil {
		c.Prefix = func(*http.Request) string { return "" }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Handler{Config: c, mux: http.NewServeMux()}
	h.addRoutes()
	h.mount()
	return h
}

// ServeHTTP answers any path: those that lead nowhere, too, are ours.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), limits.APITimeout)
	defer cancel()
	x := &exchange{ResponseWriter: w, h: h, r: r.WithContext(ctx), id: id.New(id.Request, h.Now())}
	defer x.recover()
	x.Header().Set("X-Request-Id", x.id)
	x.Header().Set("X-Content-Type-Options", "nosniff")
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
	http.ResponseWriter
	h        *Handler
	r        *http.Request
	id       string
	settings settings.Settings
	call     api.Call
	wrote    bool
	plain    bool // the answer is application/json instead of application/hal+json
}

// WriteHeader notes that the answer has begun.
func (x *exchange) WriteHeader(status int) {
	x.wrote = true
	x.ResponseWriter.WriteHeader(status)
}

// Write writes the answer's body, unless the request was HEAD.
func (x *exchange) Write(b []byte) (int, error) {
	if !x.wrote {
		x.WriteHeader(http.StatusOK)
	}
	if x.r.Method == http.MethodHead {
		return len(b), nil
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

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

// recover turns a panic into an answer that tells only the request's id; the log has the rest. An answer that has
// begun is broken off.
func (x *exchange) recover() {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	x.h.Logger.ErrorContext(x.r.Context(), "request.panicked", "request", x.id, "method", x.r.Method, "panic", v, "stack", string(debug.Stack()))
	if x.wrote {
		panic(http.ErrAbortHandler)
	}
	x.writeProblem(fault.From(errors.New("panic")))
}

// fail answers with the problem document of err. What is ours to mend is logged under the request's id.
func (x *exchange) fail(err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal && errors.Is(err, context.DeadlineExceeded) {
		f = fault.New(fault.Unavailable, "The request took too long.").With("Try again in a moment.").Because(err)
	}
	if (f.Kind == fault.Internal || f.Kind == fault.Unavailable) && !errors.Is(err, context.Canceled) {
		x.h.Logger.ErrorContext(x.r.Context(), "request.failed", "request", x.id, "method", x.r.Method, "route", x.r.Pattern, "error", err)
	}
	x.writeProblem(f)
}

func noPath() *fault.Fault {
	return fault.New(fault.NotFound, "There is nothing at this path.").
		With("The API begins at " + hal.Base + "; its root links to everything.")
}

// Package console serves the administrator's pages. They are rendered on the server and work without a script; what
// they show and change goes through the operations of package api, with the scopes of the client that is signed in, so
// that no rule stands twice.
//
// A page is one template of package web, one view model of package page, and one short handler here.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/console/session"
	"nepenthes/shared/cursor"
	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
	"nepenthes/shared/limits"
	"nepenthes/shared/project"
	"nepenthes/shared/required"
	"nepenthes/shared/settings"
)

// Settings knows the present settings.
type Settings interface {
	Settings(ctx context.Context) (settings.Settings, error)
}

// State keeps what may be lost (store.State): sessions, and the numbers of forms that were used.
type State interface {
	session.Store
	AddState(ctx context.Context, key string, value []byte, expires time.Time) error
}

// Config names what a Handler needs. Everything without a default must be given.
type Config struct {
	// Operations must have every resource but the root.
	Operations    api.Operations
	Authenticator *auth.Authenticator
	// Clients finds the client of a session, as the Authenticator found it.
	Clients  auth.ClientReader
	State    State
	Settings Settings
	// CursorKey authenticates the cursors of lists. It has at least cursor.KeySize bytes.
	CursorKey cursor.Key
	// PlainHTTP: the console is served without TLS, as on a developer's machine.
	PlainHTTP bool
	// Prefix is the stage path by which a request came, "" for none; nil means that there never is one.
	Prefix func(*http.Request) string
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Handler serves the console under /admin. It is safe for concurrent use.
type Handler struct {
	Config
	edge     httpedge.Edge
	mux      *http.ServeMux
	sessions *session.Keeper
	origins  *http.CrossOriginProtection
}

// New returns a Handler. It panics if a dependency is missing.
func New(c Config) *Handler {
	required.Fields(c)
	required.Fields(c.Operations, "Root")
	if len(c.CursorKey) < cursor.KeySize {
		panic("console.Config: CursorKey is too short")
	}
	if c.Prefix == nil {
		c.Prefix = func(*http.Request) string { return "" }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Handler{
		Config: c, edge: httpedge.Edge{Name: "console", Logger: c.Logger, Now: c.Now},
		mux: http.NewServeMux(), origins: http.NewCrossOriginProtection(),
		sessions: session.NewKeeper(session.Config{Store: c.State, Clients: c.Clients, PlainHTTP: c.PlainHTTP, Now: c.Now}),
	}
	h.addRoutes()
	return h
}

// policy is the Content-Security-Policy of every page: no other host, no inline script or style, in nobody's frame.
const policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// ServeHTTP answers any path: those that lead nowhere, too, are ours.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, r := h.edge.Begin(w, r)
	x := &exchange{Answer: answer, h: h, r: r, base: h.Prefix(r)}
	defer x.End(x.failWith)
	header := x.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		x.WriteHeader(http.StatusNoContent) // a preflight, which lets no other origin in
		return
	}
	if err := h.origins.Check(x.r); err != nil {
		x.foreign()
		return
	}
	x.r.Body = http.MaxBytesReader(w, r.Body, limits.RequestBody)
	if x.tidied() {
		return
	}
	if !isText(x.r.URL.Query()) {
		x.greet()
		x.fail(fault.New(fault.InvalidQuery, "The address is not UTF-8."))
		return
	}
	h.mux.ServeHTTP(x, x.r)
}

// exchange is one request with its answer.
type exchange struct {
	*httpedge.Answer
	h    *Handler
	r    *http.Request
	base string
	// client is who is signed in, and call how it calls the operations; the zero Client: nobody.
	client access.Client
	call   api.Call
	// section is the entry of the navigation to which the page belongs, and action what its form's button is called.
	section, action string
	docs            bool
	// allProjects are the projects once they have been read, see projects.
	allProjects []project.Project
}

// may reports whether who is signed in holds the scope.
func (x *exchange) may(scope access.Scope) bool { return x.call.Allows(scope) }

// do carries out an operation of the API for who is signed in.
func do[I, O any](x *exchange, op api.Operation[I, O], in *I) (*O, error) {
	return op.Do(x.r.Context(), x.call, in)
}

// correctable reports whether err is about what was typed, so that the form comes again.
func correctable(err error) bool {
	switch fault.From(err).Kind {
	case fault.PropertyConstraintViolation, fault.PropertyIsReadOnly, fault.MultipleErrors, fault.InvalidRequestBody, fault.PayloadTooLarge, fault.InvalidState:
		return true
	}
	return false
}

// Package console serves the administrator's pages. The pages are rendered on the server and work without a script. They
// read and change everything through the operations of package api, with the scopes of the client that is signed in. So no
// rule is written twice, and a page cannot do more than the API.
//
// A page is a template of package web, a view model of package page, and a short handler in this package.
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
	"nepenthes/web"
)

// Settings returns the current settings.
type Settings interface {
	Settings(ctx context.Context) (settings.Settings, error)
}

// State keeps data that may be lost (store.State): sessions, and the numbers of forms that were sent.
type State interface {
	session.Store
	AddState(ctx context.Context, key string, value []byte, expires time.Time) error
}

// Config configures a Handler. Fields that do not state a default are required.
type Config struct {
	// Operations must have every resource but the root.
	Operations    api.Operations
	Authenticator *auth.Authenticator
	// Clients finds the client of a session. It must be the ClientReader of the Authenticator.
	Clients  auth.ClientReader
	State    State
	Settings Settings
	// CursorKey authenticates the cursors of lists. It has at least cursor.KeySize bytes.
	CursorKey cursor.Key
	// PlainHTTP reports whether the console is served without TLS, as on the machine of a developer.
	PlainHTTP bool
	// Prefix returns the stage path of a request, such as "/dev". Nil means that there is no stage path.
	Prefix func(*http.Request) string
	Logger *slog.Logger
	// Now returns the current time. Nil means time.Now.
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

// New returns a new Handler. It panics if a required field is missing.
func New(c Config) *Handler {
	required.Fields(c)
	required.Fields(c.Operations, "Root")
	required.That(len(c.CursorKey) >= cursor.KeySize, c, "CursorKey is too short")
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

// ServeHTTP serves the page at the path. It answers every path, since an unknown path also gets a page of the console.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, r := h.edge.Begin(w, r)
	x := &exchange{Answer: answer, h: h, r: r, base: h.Prefix(r)}
	defer x.End(x.showFault)
	header := x.Header()
	header.Set("Content-Security-Policy", web.Policy)
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store") // the back button must not show a page after signing out
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		x.WriteHeader(http.StatusNoContent) // a preflight: without CORS headers the browser refuses the request
		return
	}
	if err := h.origins.Check(x.r); err != nil {
		x.refuseForeignOrigin()
		return
	}
	x.r.Body = http.MaxBytesReader(w, r.Body, limits.RequestBody)
	if x.answerUncleanPath() {
		return
	}
	if !isText(x.r.URL.Query()) {
		x.tryRecognise()
		x.fail(fault.New(fault.InvalidQuery, "The address is not UTF-8."))
		return
	}
	h.mux.ServeHTTP(x, x.r)
}

// exchange is one request and its answer.
type exchange struct {
	*httpedge.Answer
	h    *Handler
	r    *http.Request
	base string // the stage path
	// client is the client that is signed in, and call has its identity for the operations. client is zero if nobody is
	// signed in.
	client access.Client
	call   api.Call
	// section is the path of the page's entry in the navigation. action is the label of the button of its form.
	section, action string
	docs            bool // whether the documentation page is on
	// allProjects are all projects. It is nil until projects has read them.
	allProjects []project.Project
}

// may reports whether the client holds the scope.
func (x *exchange) may(scope access.Scope) bool { return x.call.Allows(scope) }

// do carries out an operation of the API for the client.
func do[I, O any](x *exchange, op api.Operation[I, O], in I) (O, error) {
	return op.Do(x.r.Context(), x.call, in)
}

// correctable reports whether err is about the input, so that the form must be shown again. A conflict of versions is not
// correctable: its page also shows the values that somebody else saved.
func correctable(err error) bool {
	switch fault.From(err).Kind {
	case fault.PropertyConstraintViolation, fault.PropertyIsReadOnly, fault.MultipleErrors, fault.InvalidRequestBody, fault.PayloadTooLarge, fault.InvalidState:
		return true
	}
	return false
}

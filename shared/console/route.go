package console

import (
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
)

// route is a page or the target of a form.
type route struct {
	method, path string
	// scope is the scope that a client needs. If it is empty, every client may use the route.
	scope access.Scope
	// section is the path of its entry in the navigation.
	section string
	// action is the label of the button that sends the form.
	action string
	serve  func(*exchange) error
}

// routes are the routes that need a session.
var routes = []route{
	{http.MethodGet, "", "", "", "", (*exchange).redirectToFirst},

	{http.MethodGet, "/api", access.SettingsRead, "/api", "", (*exchange).showSettings},
	{http.MethodPost, "/api", access.SettingsWrite, "/api", "Save", (*exchange).saveSettings},

	{http.MethodGet, "/webhooks", access.WebhooksRead, "/webhooks", "", (*exchange).listWebhooks},
	{http.MethodGet, "/webhooks/new", access.WebhooksWrite, "/webhooks", "", (*exchange).newWebhook},
	{http.MethodPost, "/webhooks/new", access.WebhooksWrite, "/webhooks", "Save", (*exchange).createWebhook},
	{http.MethodGet, "/webhooks/{id}", access.WebhooksRead, "/webhooks", "", (*exchange).showWebhook},
	{http.MethodGet, "/webhooks/{id}/edit", access.WebhooksWrite, "/webhooks", "", (*exchange).editWebhook},
	{http.MethodPost, "/webhooks/{id}/edit", access.WebhooksWrite, "/webhooks", "Save", (*exchange).saveWebhook},
	{http.MethodPost, "/webhooks/{id}/ping", access.WebhooksWrite, "/webhooks", "Send test event", (*exchange).pingWebhook},
	{http.MethodPost, "/webhooks/{id}/rotate", access.WebhooksWrite, "/webhooks", "Rotate secret", (*exchange).rotateSecret},
	{http.MethodPost, "/webhooks/{id}/enable", access.WebhooksWrite, "/webhooks", "Enable", (*exchange).enableWebhook},
	{http.MethodPost, "/webhooks/{id}/disable", access.WebhooksWrite, "/webhooks", "Disable", (*exchange).disableWebhook},
	{http.MethodPost, "/webhooks/{id}/pause", access.WebhooksWrite, "/webhooks", "Pause", (*exchange).pauseWebhook},
	{http.MethodGet, "/webhooks/{id}/resume", access.WebhooksWrite, "/webhooks", "", (*exchange).askHowToResume},
	{http.MethodPost, "/webhooks/{id}/resume", access.WebhooksWrite, "/webhooks", "Resume", (*exchange).resumeWebhook},
	{http.MethodGet, "/webhooks/{id}/delete", access.WebhooksWrite, "/webhooks", "", (*exchange).confirmWebhook},
	{http.MethodPost, "/webhooks/{id}/delete", access.WebhooksWrite, "/webhooks", "Delete", (*exchange).deleteWebhook},

	{http.MethodGet, "/deliveries", access.DeliveriesRead, "/deliveries", "", (*exchange).listDeliveries},
	{http.MethodPost, "/deliveries", access.DeliveriesWrite, "/deliveries", "Retry", (*exchange).retryDeliveries},
	{http.MethodGet, "/deliveries/{id}", access.DeliveriesRead, "/deliveries", "", (*exchange).showDelivery},
	{http.MethodPost, "/deliveries/{id}/retry", access.DeliveriesWrite, "/deliveries", "Retry now", (*exchange).retryDelivery},
	{http.MethodGet, "/deliveries/{id}/attempts/{attempt}/request", access.EventsRead, "/deliveries", "", (*exchange).showBody},

	{http.MethodGet, "/why", access.WebhooksRead, "/why", "", (*exchange).why},
	{http.MethodPost, "/why", access.WebhooksRead, "/why", "Explain event", (*exchange).why},

	{http.MethodGet, "/applications", access.ClientsRead, "/applications", "", (*exchange).listApplications},
	{http.MethodGet, "/applications/new", access.ClientsWrite, "/applications", "", (*exchange).newApplication},
	{http.MethodPost, "/applications/new", access.ClientsWrite, "/applications", "Save", (*exchange).createApplication},
	{http.MethodGet, "/applications/{id}", access.ClientsRead, "/applications", "", (*exchange).showApplication},
	{http.MethodPost, "/applications/{id}", access.ClientsWrite, "/applications", "Save", (*exchange).saveApplication},
	{http.MethodPost, "/applications/{id}/rotate", access.ClientsWrite, "/applications", "Rotate secret", (*exchange).rotateClientSecret},
	{http.MethodGet, "/applications/{id}/secrets/{secret}/remove", access.ClientsWrite, "/applications", "", (*exchange).confirmSecret},
	{http.MethodPost, "/applications/{id}/secrets/{secret}/remove", access.ClientsWrite, "/applications", "Remove", (*exchange).removeClientSecret},
	{http.MethodGet, "/applications/{id}/revoke", access.ClientsWrite, "/applications", "", (*exchange).confirmRevocation},
	{http.MethodPost, "/applications/{id}/revoke", access.ClientsWrite, "/applications", "End all", (*exchange).revokeApplication},
	{http.MethodGet, "/applications/{id}/delete", access.ClientsWrite, "/applications", "", (*exchange).confirmApplication},
	{http.MethodPost, "/applications/{id}/delete", access.ClientsWrite, "/applications", "Delete", (*exchange).deleteApplication},
}

// publicRoutes are the routes that need no session.
var publicRoutes = []route{
	{method: http.MethodGet, path: "/sign_in", serve: (*exchange).showSignIn},
	{method: http.MethodPost, path: "/sign_in", serve: (*exchange).signIn},
	{method: http.MethodPost, path: "/sign_out", serve: (*exchange).signOut},
	{method: http.MethodGet, path: "/static/{file}", serve: (*exchange).asset},
}

// addRoutes registers the routes, and the answers to other methods and other paths.
func (h *Handler) addRoutes() {
	paths := map[string]byMethod{}
	add := func(rt route, serve func(*exchange) error) {
		if paths[rt.path] == nil {
			paths[rt.path] = byMethod{}
		}
		paths[rt.path][rt.method] = serve
	}
	for _, rt := range publicRoutes {
		add(rt, rt.serve)
	}
	for _, rt := range routes {
		add(rt, func(x *exchange) error { return x.serveSignedIn(rt) })
	}
	for path, methods := range paths {
		h.handle(page.Console+path, methods.serve)
	}
	h.handle("/", func(x *exchange) error {
		x.tryRecognise() // a client that is signed in keeps the navigation
		return fault.New(fault.NotFound, "There is no such page.")
	})
}

// handle registers serve for a pattern. serve returns an error instead of writing it, so that every fault has a page.
func (h *Handler) handle(pattern string, serve func(*exchange) error) {
	h.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		x := w.(*exchange) // only ServeHTTP of the Handler calls the mux
		if err := serve(x); err != nil {
			x.fail(err)
		}
	})
}

// byMethod has the handlers of a path by their methods. A ServeMux could choose by the method too, but its answer to
// other methods would not be a page of the console.
type byMethod map[string]func(*exchange) error

// serve calls the handler for the method of the request. HEAD is served like GET.
func (m byMethod) serve(x *exchange) error {
	method := x.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if serve, known := m[method]; known {
		return serve(x)
	}
	allowed := slices.Sorted(maps.Keys(m))
	if m[http.MethodGet] != nil {
		allowed = append(allowed, http.MethodHead)
	}
	x.Header().Set("Allow", strings.Join(allowed, ", "))
	x.tryRecognise()
	return fault.New(fault.MethodNotAllowed, "This page does not accept the method of the request.")
}

// answerUncleanPath answers a path that is not clean, and reports whether it did. The mux would redirect such a path
// without the stage path. A path with a slash at the end leads to the page; any other unclean path is unknown.
func (x *exchange) answerUncleanPath() bool {
	given := x.r.URL.Path
	clean := path.Clean(given)
	switch {
	case clean == given:
		return false
	case clean+"/" == given && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead):
		x.redirect(x.base + clean)
	default:
		x.tryRecognise()
		x.fail(fault.New(fault.NotFound, "There is no such page."))
	}
	return true
}

// serveSignedIn serves a route to a client that is signed in and holds the scope. Without a session, a GET leads to the
// sign-in and back, and the input of a form is kept.
func (x *exchange) serveSignedIn(rt route) error {
	x.section, x.action = rt.section, rt.action
	err := x.recognise()
	switch {
	case fault.Is(err, fault.Unauthenticated) && rt.method == http.MethodGet:
		x.redirect(x.signInHref())
		return nil
	case fault.Is(err, fault.Unauthenticated):
		return x.keepInput()
	case err != nil:
		return err
	}
	// The operations check scopes too. This check also protects pages that only show a form.
	if err := api.Permit(x.call.Caller, rt.scope); err != nil {
		return err
	}
	if rt.method == http.MethodPost {
		if err := x.readForm(); err != nil {
			return err
		}
	}
	return rt.serve(x)
}

// headerFollow marks the requests of the script that follows a delivery. They do not count as a use of the session, so that a
// page that is left open does not keep its session alive.
const headerFollow = "X-Follow"

// recognise finds the client that is signed in. It returns a fault of kind Unauthenticated if nobody is signed in.
func (x *exchange) recognise() error {
	ctx := x.r.Context()
	client, err := x.h.sessions.Client(ctx, x.r, x.r.Header.Get(headerFollow) == "")
	if err != nil {
		return err
	}
	s, err := x.h.Settings.Settings(ctx)
	if err != nil {
		return err
	}
	x.client, x.docs = client, s.DocsEnabled
	x.call = api.Call{
		Caller: auth.Caller{ClientID: client.ID, Scopes: client.Scopes},
		Host:   x.r.Host, Via: api.ViaConsole, Request: x.RequestID,
	}
	return nil
}

// tryRecognise finds the client that is signed in, if any, for a page that needs no session.
func (x *exchange) tryRecognise() {
	if x.client.ID == "" {
		_ = x.recognise() // after an error the page has no navigation
	}
}

// readForm reads the form. A body of another type would look like an empty form, and text that is not UTF-8 would be stored as
// other text, so readForm returns a fault for both. The fault of a form that is too long has kind PayloadTooLarge.
func (x *exchange) readForm() error {
	const encoding = "application/x-www-form-urlencoded"
	if kind, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); x.r.ContentLength != 0 && (err != nil || kind != encoding) {
		return fault.New(fault.TypeNotSupported, "A form must be sent as %s.", encoding)
	}
	if err := x.r.ParseForm(); err != nil {
		if _, ok := err.(*http.MaxBytesError); ok {
			return fault.New(fault.PayloadTooLarge, "The form is larger than 1 MiB.").Because(err)
		}
		return fault.New(fault.InvalidRequestBody, "The form could not be read.").Because(err)
	}
	if !isText(x.r.PostForm) {
		return fault.New(fault.InvalidRequestBody, "The form is not UTF-8.")
	}
	return nil
}

// isText reports whether all names and values are UTF-8.
func isText(values url.Values) bool {
	for name, list := range values {
		if !utf8.ValidString(name) || slices.ContainsFunc(list, func(v string) bool { return !utf8.ValidString(v) }) {
			return false
		}
	}
	return true
}

// redirectToFirst leads to the first page that the client's scopes allow.
func (x *exchange) redirectToFirst() error {
	href := page.FirstHref(x.base, x.client.Scopes)
	if href == "" {
		return fault.New(fault.MissingPermission, "The scopes of this application allow none of these pages.").
			With("Ask an administrator for more scopes.")
	}
	x.redirect(href)
	return nil
}

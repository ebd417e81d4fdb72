package functions_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/authserver"
	"nepenthes/functions/internal/wiring/httpapi"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/config"
	"nepenthes/shared/cursor"
	"nepenthes/shared/rest"
	"nepenthes/shared/routes"
	"nepenthes/shared/settings"
)

// nobody is a Verifier that is never called.
type nobody struct{ rest.Verifier }

// defaults is a source of the default settings.
type defaults struct{}

// Settings returns the default settings.
func (defaults) Settings(context.Context) (settings.Settings, error) { return settings.Defaults(), nil }

const queueURL = "https://sqs.us-east-1.amazonaws.com/000000000000/q"

// served returns what each function behind API Gateway serves, as its main says it.
func served(t *testing.T) map[routes.Function]http.Handler {
	t.Helper()
	t.Setenv("AWS_REGION", "us-east-1")
	common := config.Common{Stage: "dev", ConfigTable: "c", EventsTable: "e", DeliveriesTable: "d", StateTable: "s"}
	base, env := wiring.New(common), config.API{Common: common, Issuer: "urn:nepenthes:test"}
	queues := config.Webhooks{API: env, EventsQueueURL: queueURL, DeliveriesQueueURL: queueURL, RetriesQueueURL: queueURL}
	all := map[routes.Function]http.Handler{}
	for f, c := range map[routes.Function]rest.Config{
		routes.Settings: {Operations: httpapi.SettingsOperations(base)},
		routes.OAuth:    {Operations: httpapi.ClientOperations(base), Mounts: authserver.Mounts(base, config.OAuth{API: env})},
		routes.Webhooks: {Operations: httpapi.Operations(base, queues), CursorKey: make(cursor.Key, cursor.KeySize)},
		routes.Console:  {Docs: map[string]http.Handler{"": http.NotFoundHandler()}},
	} {
		c.Verifier, c.Settings, c.Logger = nobody{}, defaults{}, slog.New(slog.DiscardHandler)
		all[f] = rest.New(c)
	}
	return all
}

// operation is a method of a path.
type operation struct{ method, path string }

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// isServed reports whether a handler has a route for the operation. The request has no token, so the operation itself is
// never carried out.
func (o operation) isServed(t *testing.T, handler http.Handler) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // so that an operation that is reached makes no call
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, o.method, parameter.ReplaceAllString(o.path, "x"), nil))
	return answer.Code != http.StatusNotFound && answer.Code != http.StatusMethodNotAllowed
}

// documented returns the operations in the OpenAPI document of the function that serves it.
func documented(t *testing.T, handlers map[routes.Function]http.Handler) (all []operation) {
	t.Helper()
	const path = "/api/v3/openapi.json"
	answer := httptest.NewRecorder()
	handlers[routes.Owner(path)].ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	var document struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	for path, methods := range document.Paths {
		for method := range methods {
			all = append(all, operation{strings.ToUpper(method), path})
		}
	}
	return all
}

// owner returns the function that must serve a path.
func owner(path string) routes.Function {
	switch {
	case path == "/api/v3/settings":
		return routes.Settings
	case strings.HasPrefix(path, "/api/v3/oauth_clients"), strings.HasPrefix(path, "/oauth/"), strings.HasPrefix(path, "/.well-known/"):
		return routes.OAuth
	case path == "/admin", path == "/api/docs":
		return routes.Console
	}
	return routes.Webhooks
}

// Every documented operation must be served by the function to which the gateway sends its path. The functions settings,
// oauth and console have no other operations than their own; the function webhooks has all, since it describes all.
func TestEveryOperationHasItsFunction(t *testing.T) {
	handlers := served(t)
	all := documented(t, handlers)
	if len(all) < 30 {
		t.Fatalf("the document has only the operations %v", all)
	}
	for _, o := range all {
		if got, want := routes.Owner(o.path), owner(o.path); got != want {
			t.Errorf("the gateway sends %s to %s, want %s", o.path, got, want)
		}
		for f, handler := range handlers {
			want := f == routes.Owner(o.path) || f == routes.Webhooks && !strings.HasPrefix(o.path, "/oauth/")
			if got := o.isServed(t, handler); got != want {
				t.Errorf("%s serves %s %s: %v, want %v", f, o.method, o.path, got, want)
			}
		}
	}
}

func TestEveryPrefixHasAPath(t *testing.T) {
	paths := map[string]bool{oauth.TokenPath: true, oauth.RevokePath: true, oauth.KeySetPath: true, oauth.MetadataPath: true, "/admin": true, "/api/docs": true}
	for _, o := range documented(t, served(t)) {
		paths[o.path] = true
	}
	owners := map[routes.Function]bool{}
	for path := range paths {
		if got, want := routes.Owner(path), owner(path); got != want {
			t.Errorf("the gateway sends %s to %s, want %s", path, got, want)
		}
		owners[owner(path)] = true
	}
	for _, f := range routes.HTTP() {
		if !owners[f] {
			t.Errorf("%s serves no operation", f)
		}
	}
	all := slices.Collect(maps.Keys(paths))
	for _, prefix := range routes.Prefixes() {
		if !slices.ContainsFunc(all, func(path string) bool {
			return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
		}) {
			t.Errorf("no path is at or below %s", prefix)
		}
	}
}

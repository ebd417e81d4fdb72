package functions_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/config"
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

// documented returns the paths of the API's operations according to its OpenAPI document.
func documented(t *testing.T) (paths []string) {
	t.Helper()
	t.Setenv("AWS_REGION", "us-east-1")
	base := wiring.New(config.Common{Stage: "dev", ConfigTable: "c", EventsTable: "e", DeliveriesTable: "d", StateTable: "s"})
	handler := rest.New(rest.Config{
		Operations: base.StoredOperations(), Verifier: nobody{}, Settings: defaults{}, CursorKey: wiring.UnusedCursorKey(), Logger: slog.New(slog.DiscardHandler),
	})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v3/openapi.json", nil))
	var document struct{ Paths map[string]any }
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatalf("%v: %s", err, answer.Body)
	}
	for path := range document.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// Every operation must be served by a function that has the parts it needs. settings and oauth have only the store.
func TestEveryOperationHasAFunction(t *testing.T) {
	all := documented(t)
	if len(all) < 20 {
		t.Fatalf("the document has only the paths %v", all)
	}
	all = append(all, oauth.TokenPath, oauth.RevokePath, oauth.KeySetPath, oauth.MetadataPath, "/admin", "/api/docs")
	served := map[routes.Function]bool{}
	for _, path := range all {
		want := routes.Webhooks
		switch {
		case path == "/api/v3/settings":
			want = routes.Settings
		case strings.HasPrefix(path, "/api/v3/oauth_clients"), strings.HasPrefix(path, "/oauth/"), strings.HasPrefix(path, "/.well-known/"):
			want = routes.OAuth
		case path == "/admin", path == "/api/docs":
			want = routes.Console
		}
		if got := routes.Owner(path); got != want {
			t.Errorf("%s is served by %s, want %s", path, got, want)
		}
		served[want] = true
	}
	for _, f := range routes.HTTP() {
		if !served[f] {
			t.Errorf("%s serves no operation", f)
		}
	}
	for _, prefix := range routes.Prefixes() {
		if !slices.ContainsFunc(all, func(path string) bool {
			return path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
		}) {
			t.Errorf("no path is at or below %s", prefix)
		}
	}
}

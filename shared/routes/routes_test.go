package routes_test

import (
	"slices"
	"testing"

	"nepenthes/shared/routes"
)

func TestOwner(t *testing.T) {
	for path, want := range map[string]routes.Function{
		"/":                                 routes.Webhooks,
		"":                                  routes.Webhooks,
		"nonsense":                          routes.Webhooks,
		"//":                                routes.Webhooks,
		"/api":                              routes.Webhooks,
		"/api/v3":                           routes.Webhooks,
		"/api/v3/webhooks/wh_1/ping":        routes.Webhooks,
		"/api/v3/openapi.json":              routes.Webhooks,
		"/api/v3/settings":                  routes.Settings,
		"/api/v3/settings/nothing":          routes.Settings,
		"/api/v3/settingsx":                 routes.Webhooks,
		"/api/v3/oauth_clients/x/secrets/y": routes.OAuth,
		"/oauth/token":                      routes.OAuth,
		"/oauth":                            routes.OAuth,
		"/.well-known/oauth-authorization-server": routes.OAuth,
		"/api/docs":           routes.Console,
		"/api/docs/style.css": routes.Console,
		"/admin/webhooks":     routes.Console,
		"/administrator":      routes.Webhooks,
	} {
		if got := routes.Owner(path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
}

func TestPrefixesIncludeParents(t *testing.T) {
	all := routes.Prefixes()
	for _, parent := range []string{"/", "/api", "/api/v3"} {
		if !slices.Contains(all, parent) {
			t.Errorf("%v does not have %s, the parent of other prefixes", all, parent)
		}
	}
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("%v is not sorted or has duplicates", all)
	}
}

func TestEveryHTTPFunctionHasAPrefix(t *testing.T) {
	owned := map[routes.Function]bool{}
	for _, prefix := range routes.Prefixes() {
		owned[routes.Owner(prefix)] = true
	}
	for _, f := range routes.Functions() {
		if got, want := owned[f], slices.Contains(routes.HTTP(), f); got != want {
			t.Errorf("%s has a prefix: %v; is behind API Gateway: %v", f, got, want)
		}
	}
}

// Package pages builds the console and the documentation page.
package pages

import (
	"net/http"
	"strings"

	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/httpapi"
	"nepenthes/shared/config"
	"nepenthes/shared/console"
	"nepenthes/shared/outbound"
	"nepenthes/shared/rest"
	"nepenthes/web"
)

// New returns a handler for the console and the documentation page.
func New(b wiring.Base, c config.Console) http.Handler {
	known := httpapi.Clients(b, c.AdministratorSecretARN)
	pages := console.New(console.Config{
		Operations: httpapi.Operations(b, c.Webhooks), CursorKey: httpapi.CursorKey(b, c.Webhooks), Authenticator: httpapi.Authenticator(b, known), Clients: known,
		State: b.Store, Settings: b.Catalogue, Prefix: httpapi.Prefix(c.API), Logger: b.Logger,
		PlainHTTP: outbound.LinkedLoopback(), // emulators speak HTTP
	})
	docs := httpapi.New(b, c.API, rest.Config{Docs: web.Docs()})
	// A ServeMux is not used, because it redirects to cleaned paths, which lack the stage path.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/admin" || strings.HasPrefix(r.URL.Path, "/admin/") {
			pages.ServeHTTP(w, r)
			return
		}
		docs.ServeHTTP(w, r)
	})
}

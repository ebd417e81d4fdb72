package wiring

import (
	"net/http"
	"strings"

	"nepenthes/shared/config"
	"nepenthes/shared/console"
	"nepenthes/shared/outbound"
	"nepenthes/shared/rest"
	"nepenthes/web"
)

// Pages returns a handler for the console and the documentation page.
func (b Base) Pages(c config.Console) http.Handler {
	known := b.Clients(c.AdministratorSecretARN)
	pages := console.New(console.Config{
		Operations: b.Operations(c.Webhooks), CursorKey: b.CursorKey(c.Webhooks), Authenticator: b.Authenticator(known), Clients: known,
		State: b.Store, Settings: b.Catalogue, Prefix: Prefix(c.API), Logger: b.Logger,
		PlainHTTP: outbound.LinkedLoopback(), // emulators speak HTTP
	})
	docs := b.API(c.API, rest.Config{Docs: web.Docs()})
	// A ServeMux is not used, because it redirects to cleaned paths, which lack the stage path.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/admin" || strings.HasPrefix(r.URL.Path, "/admin/") {
			pages.ServeHTTP(w, r)
			return
		}
		docs.ServeHTTP(w, r)
	})
}

package wiring

import (
	"net/http"
	"strings"

	"nepenthes/shared/config"
	"nepenthes/shared/console"
	"nepenthes/shared/outbound"
	"nepenthes/web"
)

// Pages returns a handler for the console and the documentation page.
func (b Base) Pages(c config.Console) http.Handler {
	operations, known, key := b.Operations(c.Webhooks), b.Clients(c.AdministratorSecretARN), b.CursorKey(c.Webhooks)
	pages := console.New(console.Config{
		Operations: operations, Authenticator: b.Authenticator(known), Clients: known,
		State: b.Store, Settings: b.Catalogue, CursorKey: key, Prefix: Prefix(c.API), Logger: b.Logger,
		PlainHTTP: outbound.LinkedLoopback(), // emulators speak HTTP
	})
	rest := b.API(c.API, operations, key, web.Docs())
	// A ServeMux is not used, because it redirects to cleaned paths, which lack the stage path.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/admin" || strings.HasPrefix(r.URL.Path, "/admin/") {
			pages.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

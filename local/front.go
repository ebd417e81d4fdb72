package main

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"

	"nepenthes/shared/address"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/console"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fanout"
	"nepenthes/shared/lane"
	"nepenthes/shared/payload"
	"nepenthes/shared/rest"
	"nepenthes/shared/throttle"
	"nepenthes/shared/vault"
	"nepenthes/web"
)

// front returns the handler of all HTTP requests. In the cloud the functions settings, webhooks, oauth and console
// serve them.
func (s *system) front(ctx context.Context) (http.Handler, error) {
	db := s.backend.store
	if err := clients.NewAdministrator(clients.AdministratorConfig{Store: db}).Ensure(ctx, s.admin.id, s.admin.secret); err != nil {
		return nil, err
	}
	operations, verifying := s.operations(), vault.NewVerifier(vault.VerifierConfig{Pairs: db})
	verifier := auth.NewVerifier(auth.VerifierConfig{Clients: db, Revocations: db, Keys: verifying, Issuer: s.address()})
	authenticator := auth.NewAuthenticator(auth.AuthenticatorConfig{Clients: db, Failures: db, Logger: s.logger})
	pages := console.New(console.Config{
		Operations: operations, Authenticator: authenticator, Clients: db, State: db, Settings: s.pipeline.catalogue, CursorKey: s.backend.cursorKey,
		PlainHTTP: !strings.HasPrefix(s.address(), "https:"), Logger: s.logger,
	})
	interfaces := rest.New(rest.Config{
		Operations: operations, Verifier: verifier, Settings: s.pipeline.catalogue, CursorKey: s.backend.cursorKey,
		Mounts: s.authorization(authenticator, verifying, verifier), Docs: compressed(web.Docs()),
		Throttle: s.throttle(), Version: payload.Version, Logger: s.logger,
	})
	return s.share(gzhttp.GzipHandler(pages), interfaces), nil
}

// throttle returns a throttle that limits the rate of each client, or nil if there is no limit.
func (s *system) throttle() rest.Throttle {
	if s.rate == 0 {
		return nil
	}
	return throttle.NewProcess(s.rate, nil)
}

// compressed makes each file's handler compress its answer if the browser accepts that.
func compressed(docs map[string]http.Handler) map[string]http.Handler {
	for name, file := range docs {
		docs[name] = gzhttp.GzipHandler(file)
	}
	return docs
}

// share returns a handler that passes each request to the handler for its path, as the gateway does in the cloud. A
// ServeMux is not used, because it redirects paths that are not clean. The API answers those as unknown paths.
func (s *system) share(pages, interfaces http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/healthz":
			s.healthz(w, r)
		case path == "/admin", strings.HasPrefix(path, "/admin/"):
			pages.ServeHTTP(w, r)
		default:
			interfaces.ServeHTTP(w, r)
		}
	})
}

// operations returns the operations of the API.
func (s *system) operations() api.Operations {
	b := s.backend
	return api.New(api.Config{
		Catalogue: s.pipeline.catalogue, Store: b.store, Events: b.lane(lane.Events), Retries: b.lane(lane.Retries),
		Operator: fanout.NewOperator(fanout.OperatorConfig{Recorder: b.store, Deliveries: b.lane(lane.Deliveries)}),
		Sealer:   vault.NewSealer(vault.SealerConfig{Pairs: b.store, Maker: b.keys}), Clients: clients.New(clients.Config{Store: b.store}),
		Addresses: address.Rules{AllowLoopback: s.allowLoopback, Own: s.own()}, Resolver: net.DefaultResolver,
		Version: payload.Version, Logger: s.logger, Waits: delivery.Clock{Speed: s.speed},
	})
}

// own returns the hosts with which a webhook would point at this program's own API.
func (s *system) own() []string {
	_, port, _ := net.SplitHostPort(s.api.listener.Addr().String())
	_, public, _ := strings.Cut(s.address(), "://")
	return []string{s.api.listener.Addr().String(), "localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port, public}
}

// authorization returns the routes of the authorization server, which issues tokens to clients.
func (s *system) authorization(authenticator *auth.Authenticator, verifying *vault.Verifier, verifier *auth.Verifier) []rest.Mount {
	b := s.backend
	signer := vault.NewSigner(vault.SignerConfig{Pairs: b.store, Maker: b.keys, Unwrapper: b.keys})
	server := oauth.New(oauth.Config{
		Authenticator: authenticator,
		Issuer:        auth.NewIssuer(auth.IssuerConfig{Keys: signer, Revocations: b.store, Verifier: verifier}),
		Keys:          tokenKeys{signer, verifying}, PublicURL: s.address(), Logger: s.logger,
	})
	var mounts []rest.Mount
	for _, r := range server.Routes() {
		mounts = append(mounts, rest.Mount(r))
	}
	return mounts
}

// tokenKeys signs tokens and lists the public keys that verify them.
type tokenKeys struct {
	*vault.Signer
	*vault.Verifier
}

// healthz answers 200 if the database answers. Nothing else can be down.
func (s *system) healthz(w http.ResponseWriter, r *http.Request) {
	if _, err := s.backend.store.CatalogueVersion(r.Context()); err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

package wiring

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/url"

	"nepenthes/shared/address"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/config"
	"nepenthes/shared/cursor"
	"nepenthes/shared/fanout"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/outbound"
	"nepenthes/shared/payload"
	"nepenthes/shared/rest"
	"nepenthes/shared/throttle"
	"nepenthes/shared/vault"
)

// API returns a handler for the operations and the mounts. Operations require a token.
func (b Base) API(c config.API, operations *api.Operations, key cursor.Key, docs map[string]http.Handler, mounts ...rest.Mount) http.Handler {
	return rest.New(rest.Config{
		Operations: operations, Verifier: b.verifier(c), Settings: b.Catalogue, CursorKey: key, Mounts: mounts, Docs: docs,
		Throttle: b.throttle(c), Prefix: Prefix(c), Version: payload.Version, Logger: b.Logger,
	})
}

// throttle returns a throttle that counts a client's requests across all processes.
func (b Base) throttle(c config.API) *throttle.Shared {
	return throttle.NewShared(throttle.SharedConfig{PerSecond: c.RequestsPerSecond, Counter: b.Store, Logger: b.Logger})
}

// Prefix returns a function that finds the stage path with which addresses in answers begin. It returns nil when there
// is a public URL, since addresses then have no such prefix.
func Prefix(c config.API) func(*http.Request) string {
	if c.PublicURL() != "" {
		return nil
	}
	return lambdahost.StagePath
}

// Operations returns all operations of the API, for the functions that have every permission that these need.
func (b Base) Operations(c config.Webhooks) *api.Operations {
	kms := vault.NewKMS(b.aws, c.KeyARN)
	return api.New(api.Config{
		Catalogue: b.Catalogue, Store: b.Store, Clients: clients.New(clients.Config{Store: b.Store}),
		Events: b.Lane(c.EventsQueueURL), Retries: b.Lane(c.RetriesQueueURL),
		Operator: fanout.NewOperator(fanout.OperatorConfig{Recorder: b.Store, Deliveries: b.Lane(c.DeliveriesQueueURL), Retention: c.Retention()}),
		Sealer:   must(vault.NewSealer(vault.SealerConfig{Pairs: b.Store, Maker: kms})),
		Addresses: address.Rules{
			AllowHTTP: c.AllowHTTP, Own: own(c.PublicURL()),
			AllowLoopback: outbound.LinkedLoopback(), Gateway: outbound.LinkedGateway(),
		},
		Resolver: net.DefaultResolver, Version: payload.Version, Logger: b.Logger,
	})
}

// StoredOperations returns operations that need only the store: settings and clients. The other operations fail. No
// route of the functions that use StoredOperations leads to them.
func (b Base) StoredOperations() *api.Operations {
	return api.New(api.Config{
		Catalogue: b.Catalogue, Store: b.Store, Clients: clients.New(clients.Config{Store: b.Store}),
		Events: absent{}, Retries: absent{}, Operator: absent{}, Sealer: absent{},
		Resolver: net.DefaultResolver, Version: payload.Version, Logger: b.Logger,
	})
}

// CursorKey returns the key of the cursors of lists.
func (b Base) CursorKey(c config.Webhooks) cursor.Key {
	return must(vault.NewSecrets(b.aws).CursorKey(context.Background(), c.CursorKeySecretARN))
}

// UnusedCursorKey returns a key for the functions that serve no list with cursors.
func UnusedCursorKey() cursor.Key {
	key := make(cursor.Key, cursor.KeySize)
	_, _ = rand.Read(key) // crypto/rand never fails
	return key
}

// own returns the host of the public URL, if there is one. Webhooks must not point at it.
func own(publicURL string) []string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Host}
}

// Clients returns the source of clients. It includes the first administrator, whose secret is in Secrets Manager.
func (b Base) Clients(administratorSecretARN string) *clients.Administrator {
	secrets := vault.NewSecrets(b.aws)
	return clients.NewAdministrator(clients.AdministratorConfig{
		Store: b.Store,
		Secret: func(ctx context.Context) (id, secret string, err error) {
			return secrets.Administrator(ctx, administratorSecretARN)
		},
	})
}

// Authenticator returns an authenticator that checks the secrets of clients.
func (b Base) Authenticator(c *clients.Administrator) *auth.Authenticator {
	return auth.NewAuthenticator(auth.AuthenticatorConfig{Clients: c, Failures: b.Store, Logger: b.Logger})
}

// Authorization returns the routes of the authorization server.
func (b Base) Authorization(c config.OAuth) []rest.Mount {
	kms := vault.NewKMS(b.aws, c.KeyARN)
	signer := must(vault.NewSigner(vault.SignerConfig{Pairs: b.Store, Maker: kms, Unwrapper: kms}))
	keys := must(vault.NewVerifier(vault.VerifierConfig{Pairs: b.Store}))
	server := oauth.New(oauth.Config{
		Authenticator: b.Authenticator(b.Clients(c.AdministratorSecretARN)),
		Issuer:        auth.NewIssuer(auth.IssuerConfig{Keys: signer, Revocations: b.Store, Verifier: b.verifier(c.API)}),
		Keys:          keys, PublicURL: c.PublicURL(), Logger: b.Logger,
	})
	var mounts []rest.Mount
	for _, r := range server.Routes() {
		mounts = append(mounts, rest.Mount(r))
	}
	return mounts
}

func (b Base) verifier(c config.API) *auth.Verifier {
	return auth.NewVerifier(auth.VerifierConfig{
		Clients: b.Store, Revocations: b.Store, Issuer: c.Issuer,
		Keys: must(vault.NewVerifier(vault.VerifierConfig{Pairs: b.Store})),
	})
}

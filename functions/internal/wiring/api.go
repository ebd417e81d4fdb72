package wiring

import (
	"context"
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

// API returns the handler of a function behind API Gateway. r says what the function serves; API adds the parts that all
// these functions have. Operations require a token.
func (b Base) API(c config.API, r rest.Config) http.Handler {
	r.Verifier, r.Settings, r.Throttle = b.verifier(c), b.Catalogue, b.throttle(c)
	r.Prefix, r.Version, r.Logger = Prefix(c), payload.Version, b.Logger
	return rest.New(r)
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
func (b Base) Operations(c config.Webhooks) api.Operations {
	kms := vault.NewKMS(b.aws, c.KeyARN)
	return api.New(api.Config{
		Catalogue: b.Catalogue, Store: b.Store, Clients: b.clients(), Events: b.Lane(c.EventsQueueURL), Retries: b.Lane(c.RetriesQueueURL),
		Operator: fanout.NewOperator(fanout.OperatorConfig{Recorder: b.Store, Deliveries: b.Lane(c.DeliveriesQueueURL), Retention: c.Retention()}),
		Sealer:   must(vault.NewSealer(vault.SealerConfig{Pairs: b.Store, Maker: kms})),
		Addresses: address.Rules{
			AllowHTTP: c.AllowHTTP, Own: own(c.PublicURL()),
			AllowLoopback: outbound.LinkedLoopback(), Gateway: outbound.LinkedGateway(),
		},
		Resolver: net.DefaultResolver, Version: payload.Version, Logger: b.Logger,
	})
}

// SettingsOperations returns the operations on the settings only.
func (b Base) SettingsOperations() api.Operations {
	return api.Operations{Settings: api.NewSettings(api.SettingsConfig{Common: b.common(), Store: b.Store})}
}

// ClientOperations returns the operations on clients only.
func (b Base) ClientOperations() api.Operations {
	return api.Operations{Clients: api.NewClients(api.ClientsConfig{Common: b.common(), Clients: b.clients()})}
}

func (b Base) common() api.Common { return api.Common{Settings: b.Catalogue, Logger: b.Logger} }

func (b Base) clients() *clients.Registry { return clients.New(clients.Config{Store: b.Store}) }

// CursorKey returns the key of the cursors of lists.
func (b Base) CursorKey(c config.Webhooks) cursor.Key {
	return must(vault.NewSecrets(b.aws).CursorKey(context.Background(), c.CursorKeySecretARN))
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

// Package httpapi builds what the functions behind API Gateway share: the API and the parts that check who calls.
package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/address"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
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

// New returns the handler of a function behind API Gateway. r says what the function serves; New adds the parts that all
// these functions have. Operations require a token.
func New(b wiring.Base, c config.API, r rest.Config) http.Handler {
	r.Verifier, r.Settings, r.Throttle = Verifier(b, c), b.Catalogue, throttled(b, c)
	r.Prefix, r.Version, r.Logger = Prefix(c), payload.Version, b.Logger
	return rest.New(r)
}

// throttled returns a throttle that counts a client's requests across all processes.
func throttled(b wiring.Base, c config.API) *throttle.Shared {
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
func Operations(b wiring.Base, c config.Webhooks) api.Operations {
	kms := vault.NewKMS(b.AWS, c.KeyARN)
	return api.New(api.Config{
		Catalogue: b.Catalogue, Store: b.Store, Clients: registry(b), Events: b.Lane(c.EventsQueueURL), Retries: b.Lane(c.RetriesQueueURL),
		Operator: fanout.NewOperator(fanout.OperatorConfig{Recorder: b.Store, Deliveries: b.Lane(c.DeliveriesQueueURL), Retention: c.Retention()}),
		Sealer:   vault.NewSealer(vault.SealerConfig{Pairs: b.Store, Maker: kms}),
		Addresses: address.Rules{
			AllowHTTP: c.AllowHTTP, Own: own(c.PublicURL()),
			AllowLoopback: outbound.LinkedLoopback(), Gateway: outbound.LinkedGateway(),
		},
		Resolver: net.DefaultResolver, Version: payload.Version, Logger: b.Logger,
	})
}

// SettingsOperations returns the operations on the settings only.
func SettingsOperations(b wiring.Base) api.Operations {
	return api.Operations{Settings: api.NewSettings(api.SettingsConfig{Common: common(b), Store: b.Store})}
}

// ClientOperations returns the operations on clients only.
func ClientOperations(b wiring.Base) api.Operations {
	return api.Operations{Clients: api.NewClients(api.ClientsConfig{Common: common(b), Clients: registry(b)})}
}

func common(b wiring.Base) api.Common { return api.Common{Settings: b.Catalogue, Logger: b.Logger} }

func registry(b wiring.Base) *clients.Registry { return clients.New(clients.Config{Store: b.Store}) }

// CursorKey returns the key of the cursors of lists.
func CursorKey(b wiring.Base, c config.Webhooks) cursor.Key {
	return wiring.Must(vault.NewSecrets(b.AWS).CursorKey(context.Background(), c.CursorKeySecretARN))
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
func Clients(b wiring.Base, administratorSecretARN string) *clients.Administrator {
	secrets := vault.NewSecrets(b.AWS)
	return clients.NewAdministrator(clients.AdministratorConfig{
		Store: b.Store,
		Secret: func(ctx context.Context) (id, secret string, err error) {
			return secrets.Administrator(ctx, administratorSecretARN)
		},
	})
}

// Authenticator returns an authenticator that checks the secrets of clients.
func Authenticator(b wiring.Base, c *clients.Administrator) *auth.Authenticator {
	return auth.NewAuthenticator(auth.AuthenticatorConfig{Clients: c, Failures: b.Store, Logger: b.Logger})
}

// Verifier returns a verifier of tokens.
func Verifier(b wiring.Base, c config.API) *auth.Verifier {
	return auth.NewVerifier(auth.VerifierConfig{
		Clients: b.Store, Revocations: b.Store, Issuer: c.Issuer,
		Keys: vault.NewVerifier(vault.VerifierConfig{Pairs: b.Store}),
	})
}

package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
)

// Counter counts until it expires (conformance.State). Counting by 0 only reads.
type Counter interface {
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}

// The brake on guessing: after failuresMax failures for one client id from one source address, further requests
// for it from there are turned away until failureWindow after the first of them, whatever secret they bring.
// Others, at other addresses, do not notice, so nobody can lock a client out.
const (
	failuresMax   = 10
	failureWindow = time.Minute
)

// AuthenticatorConfig is what an Authenticator is made of.
type AuthenticatorConfig struct {
	Clients  ClientReader
	Failures Counter
	// Now is the time; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Authenticator checks who a client is. It is safe for concurrent use.
type Authenticator struct{ AuthenticatorConfig }

// NewAuthenticator makes an Authenticator; it panics when a part is missing.
func NewAuthenticator(c AuthenticatorConfig) *Authenticator {
	if c.Clients == nil || c.Failures == nil || c.Logger == nil {
		panic("auth: a part of AuthenticatorConfig is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Authenticator{c}
}

// SignIn gives the client with the id whose secret it is, and the id of that secret, which a session may outlive
// no more than it outlives the client. A wrong id or secret is a fault of kind Unauthenticated, which does not
// tell the two apart, and counts as a failure; after too many of them it is TooManyRequests. source is the
// address from which the request came, as the gateway saw it.
func (a *Authenticator) SignIn(ctx context.Context, id, secret, source string) (client access.Client, secretID string, err error) {
	defer fault.Wrap(&err, "sign a client in") // its id stays out: people paste the secret into the wrong field
	if !WellFormed(id, secret) {
		return access.Client{}, "", errNobody()
	}
	failures := failureKey(id, source)
	count, err := a.Failures.Count(ctx, failures, 0, a.windowEnd())
	if err != nil {
		return access.Client{}, "", err
	}
	if count >= failuresMax {
		return access.Client{}, "", errGuessing()
	}
	client, err = a.Clients.Client(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return access.Client{}, "", err
	}
	if secretID := match(client.Secrets, secret, a.Now()); secretID != "" {
		return client, secretID, nil
	}
	return access.Client{}, "", a.failed(ctx, failures, client.ID, source)
}

// failed counts a failure. The count decides what is answered, so of many guesses sent at once no more than
// failuresMax learn that they were wrong. id is the client's own, empty when there is none: what was sent as an
// id may be a secret, and must not be logged.
func (a *Authenticator) failed(ctx context.Context, key, id, source string) error {
	count, err := a.Failures.Count(ctx, key, 1, a.windowEnd())
	if err != nil {
		return err
	}
	if count == failuresMax {
		a.Logger.WarnContext(ctx, "client.guessing", "client", id, "source", source)
	}
	if count > failuresMax {
		return errGuessing()
	}
	return errNobody()
}

// windowEnd is when the failures from now on are forgotten, in whole seconds as stores expire, and never later
// than after the wait that errGuessing asks for.
func (a *Authenticator) windowEnd() time.Time {
	return a.Now().Add(failureWindow).Truncate(time.Second)
}

func errNobody() error {
	return fault.New(fault.Unauthenticated, "There is no client with this id and this secret.").
		With("An administrator can make a new secret for a client.")
}

// errGuessing asks to wait for a whole window: the store does not tell how much of it is left.
func errGuessing() error {
	return fault.New(fault.TooManyRequests, "Too many wrong secrets for this client from this address.").
		With("Wait a minute.").After(failureWindow)
}

// failureKey names the counter of a client and an address, without keeping either.
func failureKey(id, source string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + source))
	return "failures/" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// SecretsMax is how many secrets of a client may be live at once: the one in use and the one that replaces it.
const SecretsMax = 2

// match gives the id of the live secret that was given, empty for none. As many secrets are compared for every
// client, one that does not exist included, and each to its end, so that the time taken tells nothing.
func match(secrets []access.Secret, given string, now time.Time) (secretID string) {
	hash := sha256.Sum256([]byte(given))
	for i := range max(SecretsMax, len(secrets)) {
		var s access.Secret // without an id: nobody's
		if i < len(secrets) {
			s = secrets[i]
		}
		if subtle.ConstantTimeCompare(s.Hash[:], hash[:]) == 1 && s.Live(now) {
			secretID = s.ID
		}
	}
	return secretID
}

package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// Counter counts until it expires (store.State). Counting by 0 only reads, by less than 0 it begins nothing.
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

// A sign-in that finds failuresMax others before it, some of them undecided, waits for those: up to undecidedWait,
// looking after a pause that doubles from undecidedPause. Whoever is not decided by then died or is very slow, and
// stands in nobody's way.
const (
	undecidedWait  = time.Second
	undecidedPause = 20 * time.Millisecond
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
//
// A sign-in is counted before its secret is compared, and taken back when that was right: guesses made at once are
// counted, too, however many processes make them.
func (a *Authenticator) SignIn(ctx context.Context, id, secret, source string) (client access.Client, secretID string, err error) {
	defer fault.Wrap(&err, "sign a client in") // its id stays out: people paste the secret into the wrong field
	if !WellFormed(id, secret) {
		return access.Client{}, "", errNobody()
	}
	key := signInKey(id, source)
	if err := a.begin(ctx, key); err != nil {
		return access.Client{}, "", err
	}
	client, err = a.Clients.Client(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		a.takeBack(ctx, key)
		return access.Client{}, "", err
	}
	if secretID := match(client.Secrets, secret, a.Now()); secretID != "" {
		a.takeBack(ctx, key)
		return client, secretID, nil
	}
	return access.Client{}, "", a.failed(ctx, key, client.ID, source)
}

// begin counts a sign-in, and refuses it after failuresMax failures. It lets no more than failuresMax go on that are
// not known to be right; the others wait for the decisions.
func (a *Authenticator) begin(ctx context.Context, key string) error {
	patience, cancel := context.WithTimeout(ctx, undecidedWait)
	defer cancel()
	for {
		t, err := a.count(ctx, key, signInBegun)
		switch {
		case err != nil:
			return err
		case t.failed >= failuresMax:
			return errGuessing()
		case t.counted <= failuresMax, patience.Err() != nil && ctx.Err() == nil:
			return nil
		}
		a.takeBack(ctx, key)
		if err := a.awaitDecisions(ctx, patience, key); err != nil {
			return err
		}
	}
}

// awaitDecisions returns when there is room for another sign-in, when patience ends, and with a refusal when failures
// have taken all the room.
func (a *Authenticator) awaitDecisions(ctx, patience context.Context, key string) error {
	for pause := undecidedPause; ; pause *= 2 {
		select {
		case <-patience.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)): // not all at the same moment
		}
		t, err := a.count(ctx, key, 0)
		switch {
		case err != nil:
			return err
		case t.failed >= failuresMax:
			return errGuessing()
		case t.counted < failuresMax:
			return nil
		}
	}
}

// tally is what one counter tells of the sign-ins for a client from an address.
type tally struct {
	counted int64 // begun, and not found right
	failed  int64 // of these, found wrong
}

// What a counter is raised by. Both numbers are in one, so that they are written, and seen, at the same moment.
const (
	signInBegun  = 1
	signInFailed = 1 << 32
)

// count changes the tally and gives what it is then. A sign-in at the edge of two windows can end in the second
// without having begun there: so the numbers are read with their signs.
func (a *Authenticator) count(ctx context.Context, key string, by int64) (tally, error) {
	n, err := a.Failures.Count(ctx, key, by, a.windowEnd())
	counted := int64(int32(n))
	failed := (n - counted) >> 32
	return tally{counted: max(counted, failed), failed: failed}, err
}

// decisionTime is how long the store may take to note a decision.
const decisionTime = 5 * time.Second

// takeBack uncounts a sign-in that was right, or that is not decided here. It is no failure when that cannot be
// written: one that stays counted makes others wait, and is forgotten with the window.
func (a *Authenticator) takeBack(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), decisionTime) // also of who has gone
	defer cancel()
	if _, err := a.count(ctx, key, -signInBegun); err != nil {
		a.Logger.WarnContext(ctx, "client.count_kept", "error", err)
	}
}

// failed notes that a sign-in was wrong. id is the client's own, empty when there is none: what was sent as an id may
// be a secret, and must not be logged.
func (a *Authenticator) failed(ctx context.Context, key, id, source string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), decisionTime)
	defer cancel()
	t, err := a.count(ctx, key, signInFailed)
	if err != nil {
		return err
	}
	if t.failed == failuresMax {
		a.Logger.WarnContext(ctx, "client.guessing", "client", id, "source", source)
	}
	if t.failed > failuresMax {
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

// signInKey names the counter of a client and an address, without keeping either.
func signInKey(id, source string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + network(source)))
	return tables.SignIns + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// network is what counts as one source: an IPv4 address, and of an IPv6 address its /64, since whoever has one
// address there has all of them.
func network(source string) string {
	address, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	prefix, _ := address.Prefix(64) // it has 128 bits
	return prefix.String()
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

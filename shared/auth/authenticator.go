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
	"nepenthes/shared/required"
	"nepenthes/shared/tables"
)

// Counter keeps counters that expire (store.State). Counting by 0 only reads, and counting by a negative number
// does not start a counter.
type Counter interface {
	Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error)
}

// The limit on guessing: after failuresMax failures for one client id from one source address, further sign-ins
// with that id from that address are refused until failureWindow after the first failure, whatever the secret.
// Other addresses are not affected, so nobody can lock a client out.
const (
	failuresMax   = 10
	failureWindow = time.Minute
)

// A sign-in that finds failuresMax others before it, some of them undecided, waits for the undecided ones. It waits
// for at most undecidedWait and checks after pauses that double, beginning with undecidedPause. A sign-in that is
// still undecided by then has died or is very slow, and no longer blocks others.
const (
	undecidedWait  = time.Second
	undecidedPause = 20 * time.Millisecond
)

// AuthenticatorConfig has the parts of an Authenticator.
type AuthenticatorConfig struct {
	Clients  ClientReader
	Failures Counter
	// Now returns the current time. Nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Authenticator checks the ids and secrets of clients. It is safe for concurrent use.
type Authenticator struct{ AuthenticatorConfig }

// NewAuthenticator returns a new Authenticator. It panics if a dependency is missing.
func NewAuthenticator(c AuthenticatorConfig) *Authenticator {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Authenticator{c}
}

// SignIn returns the client with the given id and secret, and the id of the secret. A session must end when its
// secret ends, as it must when its client ends. A wrong id or a wrong secret counts as a failure. Both are the same
// fault of kind Unauthenticated; after too many failures the kind is TooManyRequests. source is the address from
// which the request came, as the gateway saw it.
//
// A sign-in is counted before its secret is compared, and the count is taken back when the secret is right. So
// concurrent guesses are counted too, in however many processes they are checked.
func (a *Authenticator) SignIn(ctx context.Context, id, secret, source string) (client access.Client, secretID string, err error) {
	defer fault.Wrap(&err, "sign a client in") // without the id: people paste secrets into the wrong field
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

// begin counts a sign-in, and refuses it after failuresMax failures. At most failuresMax sign-ins proceed that are
// not known to be right; the others wait until some of these are decided.
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

// awaitDecisions returns nil when there is room for another sign-in or when patience ends. It returns a refusal when
// the limit of failures is reached.
func (a *Authenticator) awaitDecisions(ctx, patience context.Context, key string) error {
	for pause := undecidedPause; ; pause *= 2 {
		select {
		case <-patience.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)): // so that they do not all wake at the same moment
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

// tally has the numbers in the counter of a client and an address.
type tally struct {
	counted int64 // sign-ins that have begun and were not found to be right
	failed  int64 // the part of counted that was found to be wrong
}

// The steps by which a counter is raised. Both numbers are in one counter, so they are read and written together.
const (
	signInBegun  = 1
	signInFailed = 1 << 32
)

// count changes the tally and returns the new one. A sign-in can begin in one window and end in the next, where it
// was never counted. So the numbers may be negative, and are read as signed.
func (a *Authenticator) count(ctx context.Context, key string, by int64) (tally, error) {
	n, err := a.Failures.Count(ctx, key, by, a.windowEnd())
	counted := int64(int32(n))
	failed := (n - counted) >> 32
	return tally{counted: max(counted, failed), failed: failed}, err
}

// decisionTime is how long the store may take to record a decision.
const decisionTime = 5 * time.Second

// takeBack removes a sign-in from the count because it was right or will not be decided. An error is only logged: a
// sign-in that stays counted makes others wait, and is forgotten when the window ends.
func (a *Authenticator) takeBack(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), decisionTime) // also when the caller has gone
	defer cancel()
	if _, err := a.count(ctx, key, -signInBegun); err != nil {
		a.Logger.WarnContext(ctx, "client.count_kept", "error", err)
	}
}

// failed records that a sign-in was wrong. id is the id of the client that was found, and empty when there is none:
// the id in the request may be a secret pasted into the wrong field, and must not be logged.
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

// windowEnd returns when failures that are counted from now on are forgotten. It is in whole seconds, as stores
// expire values, and never later than the end of the wait that errGuessing asks for.
func (a *Authenticator) windowEnd() time.Time {
	return a.Now().Add(failureWindow).Truncate(time.Second)
}

func errNobody() error {
	return fault.New(fault.Unauthenticated, "There is no client with this id and this secret.").
		With("An administrator can make a new secret for a client.")
}

// errGuessing asks the client to wait for a whole window, since the store does not report how much of it is left.
func errGuessing() error {
	return fault.New(fault.TooManyRequests, "Too many wrong secrets for this client from this address.").
		With("Wait a minute.").After(failureWindow)
}

// signInKey returns the key of the counter for a client and an address. It is a hash, so neither is stored.
func signInKey(id, source string) string {
	sum := sha256.Sum256([]byte(id + "\x00" + network(source)))
	return tables.SignIns + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// network returns what counts as one source: an IPv4 address, or the /64 of an IPv6 address, since a host with one
// address of a /64 usually has all of them.
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

// SecretsMax is how many secrets of a client may be live at the same time: the one in use and its replacement.
const SecretsMax = 2

// match returns the id of the live secret that equals the given one, or an empty string. It compares the same number
// of secrets for every client, even for one that does not exist, and each in constant time. So the time that it takes
// reveals nothing.
func match(secrets []access.Secret, given string, now time.Time) (secretID string) {
	hash := sha256.Sum256([]byte(given))
	for i := range max(SecretsMax, len(secrets)) {
		var s access.Secret // has no id, so it never matches
		if i < len(secrets) {
			s = secrets[i]
		}
		if subtle.ConstantTimeCompare(s.Hash[:], hash[:]) == 1 && s.Live(now) {
			secretID = s.ID
		}
	}
	return secretID
}

package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
	"nepenthes/shared/sqlite"
)

const issuer = "https://nepenthes.example.com"

// clock is a clock that tests set.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// keys has two key pairs, "one" and "two", and signs with the chosen one.
type keys struct {
	pairs   map[string]*ecdsa.PrivateKey
	signing string
	asked   atomic.Int64
	broken  atomic.Pointer[fault.Fault]
}

func newKeys(t testing.TB) *keys {
	t.Helper()
	k := &keys{pairs: map[string]*ecdsa.PrivateKey{}, signing: "one"}
	for _, id := range []string{"one", "two"} {
		pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		k.pairs[id] = pair
	}
	return k
}

func (k *keys) SigningKey(context.Context) (string, *ecdsa.PrivateKey, error) {
	return k.signing, k.pairs[k.signing], nil
}

func (k *keys) VerificationKey(_ context.Context, id string) (*ecdsa.PublicKey, error) {
	k.asked.Add(1)
	if broken := k.broken.Load(); broken != nil {
		return nil, broken
	}
	if pair := k.pairs[id]; pair != nil {
		return &pair.PublicKey, nil
	}
	return nil, fault.New(fault.NotFound, "no such key")
}

// counted counts the calls to the store, and returns an error from the method named failing.
type counted struct {
	*sqlite.DB
	clients, states, counts atomic.Int64
	failing                 string
	held                    chan struct{}   // when set, reading a client waits until it is closed
	dying                   context.Context // when set, the process reading a client dies when it ends, and decides nothing
}

var errAway = fault.New(fault.Unavailable, "The store is away.").After(time.Second)

func (c *counted) Client(ctx context.Context, id string) (access.Client, error) {
	c.clients.Add(1)
	if c.failing == "Client" {
		return access.Client{}, errAway
	}
	if c.held != nil {
		<-c.held
	}
	if c.dying != nil {
		<-c.dying.Done()
		runtime.Goexit()
	}
	return c.DB.Client(ctx, id)
}

func (c *counted) State(ctx context.Context, key string) ([]byte, error) {
	c.states.Add(1)
	if c.failing == "State" {
		return nil, errAway
	}
	return c.DB.State(ctx, key)
}

func (c *counted) Count(ctx context.Context, key string, by int64, expires time.Time) (int64, error) {
	c.counts.Add(1)
	if c.failing == "Count" || c.failing == "Count a failure" && by > 1 || c.failing == "Take back" && by < 0 {
		return 0, errAway
	}
	return c.DB.Count(ctx, key, by, expires)
}

// world is a store with an Authenticator, an Issuer and a Verifier that use it.
type world struct {
	clock         *clock
	keys          *keys
	store         *counted
	authenticator *auth.Authenticator
	verifier      *auth.Verifier
	issuer        *auth.Issuer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := newClock()
	w := newWorldAt(t, clock.Now)
	w.clock = clock
	return w
}

// newWorldAt returns a world with the given clock.
func newWorldAt(t testing.TB, now func() time.Time) *world {
	t.Helper()
	w := &world{keys: newKeys(t)}
	db, err := sqlite.Open("", sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.store = &counted{DB: db}
	w.authenticator = auth.NewAuthenticator(auth.AuthenticatorConfig{
		Clients: w.store, Failures: w.store, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	w.verifier = auth.NewVerifier(auth.VerifierConfig{
		Clients: w.store, Revocations: w.store, Keys: w.keys, Issuer: issuer, Now: now,
	})
	w.issuer = auth.NewIssuer(auth.IssuerConfig{Keys: w.keys, Revocations: w.store, Verifier: w.verifier})
	return w
}

// client stores a client whose secrets are its id followed by -0, -1 …, as many as secrets says.
func (w *world) client(t testing.TB, id string, secrets int, scopes ...access.Scope) access.Client {
	t.Helper()
	now := w.authenticator.Now()
	c := access.Client{ID: id, Name: id, Scopes: scopes, CreatedAt: now, UpdatedAt: now}
	for i := range secrets {
		suffix := string(rune('0' + i))
		c.Secrets = append(c.Secrets, access.Secret{
			ID: "sec_" + suffix, Hash: sha256.Sum256([]byte(id + "-" + suffix)), CreatedAt: now,
		})
	}
	w.put(t, &c)
	return c
}

// put stores a client without checking the version of the list.
func (w *world) put(t testing.TB, c *access.Client) {
	t.Helper()
	_, list, err := w.store.Clients(t.Context())
	if err == nil {
		err = w.store.PutClient(t.Context(), c, list)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) remove(t testing.TB, id string) {
	t.Helper()
	_, list, err := w.store.Clients(t.Context())
	if err == nil {
		err = w.store.DeleteClient(t.Context(), id, list)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// token returns a token for the client, obtained with its first secret.
func (w *world) token(t testing.TB, c access.Client, scope string) string {
	t.Helper()
	token, err := w.issuer.Issue(t.Context(), c, "sec_0", scope)
	if err != nil {
		t.Fatal(err)
	}
	return token.Text
}

func wantKind(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.From(err).Kind != want {
		t.Errorf("got %v, want a fault of kind %v", err, want)
	}
}

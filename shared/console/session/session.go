// Package session keeps the sessions of the console. A browser has a random number in a cookie, and the store has its hash
// with the client. A session ends if it was not used for [Idle], after [Life], when its client signs out, when its client or
// the secret that began it is removed, and when all sessions of its client are ended.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
	"nepenthes/shared/required"
	"nepenthes/shared/tables"
)

const (
	// Idle is how long a session lives without being used.
	Idle = 30 * time.Minute
	// Life is the longest life of a session.
	Life = 8 * time.Hour
	// useStep is how old the stored time of the last use can be. Storing every use would cost a write for each click.
	useStep = time.Minute
)

// Store keeps data that may be lost (store.State).
type Store interface {
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
	State(ctx context.Context, key string) ([]byte, error)
	DropState(ctx context.Context, key string) error
}

// Config configures a Keeper. Fields that do not state a default are required.
type Config struct {
	Store   Store
	Clients auth.ClientReader
	// PlainHTTP reports whether the console is served without TLS. The cookie is then not Secure, and its name has no prefix,
	// because browsers accept the prefix only with TLS.
	PlainHTTP bool
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// Keeper keeps sessions. It is safe for concurrent use.
type Keeper struct{ Config }

// NewKeeper returns a new Keeper. It panics if a dependency is missing.
func NewKeeper(c Config) *Keeper {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Keeper{c}
}

// record is a stored session. It is written only once, because a late write could restore a session that was just ended.
// So the time of the last use is stored under a key of its own.
type record struct {
	Client string `json:"client"`
	Secret string `json:"secret"`
	// SecretMade is when the secret was created. It distinguishes a secret from a later one with the same id.
	SecretMade time.Time `json:"secretMade"`
	// Revocations is the client's number of revocations when the session began. It is 0 in sessions older than the member.
	Revocations int64     `json:"revocations,omitempty"`
	Begun       time.Time `json:"begun"`
}

// Begin begins a session for a client that has just signed in with the secret, and sets the cookie. A session that the
// browser had before ends. Begin returns a fault of kind Unauthenticated if the secret is no longer valid.
func (k *Keeper) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, client access.Client, secretID string) (err error) {
	defer fault.Wrap(&err, "begin a session")
	if _, err := k.drop(ctx, r); err != nil {
		return err
	}
	now := k.Now()
	secret, live := client.LiveSecret(secretID, now)
	if !live {
		return fault.New(fault.Unauthenticated, "The secret is no longer valid.")
	}
	token := newToken()
	text, err := json.Marshal(record{
		Client: client.ID, Secret: secretID, SecretMade: secret.CreatedAt.UTC(), Revocations: client.Revocations, Begun: now,
	})
	if err != nil {
		return err
	}
	if err := k.Store.PutState(ctx, key(token), text, now.Add(Life)); err != nil {
		return err
	}
	http.SetCookie(w, k.cookie(token, 0))
	return nil
}

// End ends the session of a request and removes its cookie. It does nothing if there is no cookie.
func (k *Keeper) End(ctx context.Context, w http.ResponseWriter, r *http.Request) (err error) {
	defer fault.Wrap(&err, "end a session")
	hadCookie, err := k.drop(ctx, r)
	if hadCookie {
		http.SetCookie(w, k.cookie("", -1))
	}
	return err
}

// drop removes the session of a request from the store, and reports whether the request had a cookie of a session.
func (k *Keeper) drop(ctx context.Context, r *http.Request) (hadCookie bool, err error) {
	cookie, err := r.Cookie(k.cookieName())
	if err != nil {
		return false, nil
	}
	if err := k.Store.DropState(ctx, key(cookie.Value)); err != nil {
		return true, err
	}
	return true, k.Store.DropState(ctx, useKey(cookie.Value))
}

// Client returns the current state of the client that the request's session belongs to. If counts is true, the request is
// a use of the session. Client returns a fault of kind Unauthenticated if there is no session or it has ended.
func (k *Keeper) Client(ctx context.Context, r *http.Request, counts bool) (_ access.Client, err error) {
	defer fault.Wrap(&err, "find a session")
	cookie, err := r.Cookie(k.cookieName())
	if err != nil {
		return access.Client{}, errNotSignedIn()
	}
	s, used, err := k.find(ctx, cookie.Value)
	if err != nil {
		return access.Client{}, err
	}
	now := k.Now()
	if !now.Before(s.Begun.Add(Life)) || !now.Before(used.Add(Idle)) {
		return access.Client{}, errNotSignedIn()
	}
	client, err := k.owner(ctx, s, now)
	if err != nil {
		return access.Client{}, err
	}
	if counts && now.Sub(used) >= useStep {
		return client, k.Store.PutState(ctx, useKey(cookie.Value), []byte(now.Format(time.RFC3339Nano)), now.Add(Idle))
	}
	return client, nil
}

// find returns a session and the time of its last use.
func (k *Keeper) find(ctx context.Context, token string) (_ *record, used time.Time, err error) {
	text, err := k.Store.State(ctx, key(token))
	if fault.Is(err, fault.NotFound) {
		return nil, time.Time{}, errNotSignedIn()
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	var s record
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, time.Time{}, err
	}
	text, err = k.Store.State(ctx, useKey(token))
	if fault.Is(err, fault.NotFound) {
		return &s, s.Begun, nil
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	used, err = time.Parse(time.RFC3339Nano, string(text))
	return &s, used, err
}

// owner returns the session's client. It returns a fault of kind Unauthenticated if the client or the secret was removed
// or all sessions of the client were ended.
func (k *Keeper) owner(ctx context.Context, s *record, now time.Time) (access.Client, error) {
	client, err := k.Clients.Client(ctx, s.Client)
	if fault.Is(err, fault.NotFound) {
		return access.Client{}, errNotSignedIn()
	}
	if err != nil {
		return access.Client{}, err
	}
	secret, live := client.LiveSecret(s.Secret, now)
	if !live || !secret.CreatedAt.Equal(s.SecretMade) || s.Revocations != client.Revocations {
		return access.Client{}, errNotSignedIn()
	}
	return client, nil
}

func errNotSignedIn() error { return fault.New(fault.Unauthenticated, "You are not signed in.") }

// newToken returns 256 random bits.
func newToken() string {
	var bits [32]byte
	rand.Read(bits[:]) // never fails: crypto/rand would end the process instead
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// key returns the key of a session in the store. It is a hash, so nobody who reads the store can take over a session.
func key(token string) string { return tables.Sessions + hash(token) }

// useKey returns the key of the time at which a session was last used.
func useKey(token string) string { return tables.SessionUses + hash(token) }

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (k *Keeper) cookieName() string {
	if k.PlainHTTP {
		return "nepenthes"
	}
	return "__Host-nepenthes"
}

// cookie returns the cookie of a session. SameSite is Lax, so that a link in a mail opens for a client that is signed in.
// Without an age the cookie lasts until the browser is closed. The store decides when the session ends.
func (k *Keeper) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: k.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: !k.PlainHTTP, SameSite: http.SameSiteLaxMode,
	}
}

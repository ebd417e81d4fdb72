// Package session keeps the sessions of the console. A browser holds a random number in a cookie; the store has its
// hash, and whose it is. A session ends when nobody uses it for a while, after a working day, when its client signs
// out, when the client or the secret with which it was begun is gone, and when all that the client has are ended.
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
	"nepenthes/shared/tables"
)

const (
	// Idle is how long a session lives without being used.
	Idle = 30 * time.Minute
	// Life is how long it lives at most.
	Life = 8 * time.Hour
	// noted is how old the written time of the last use may be: not every click is worth a write.
	noted = time.Minute
)

// Store keeps what may be lost (store.State).
type Store interface {
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
	State(ctx context.Context, key string) ([]byte, error)
	DropState(ctx context.Context, key string) error
}

// Config is what a Keeper is made of.
type Config struct {
	Store   Store
	Clients auth.ClientReader
	// PlainHTTP: the console is served without TLS, so the cookie is neither Secure nor named as only secure ones
	// may be.
	PlainHTTP bool
	// Now is the time; nil means time.Now.
	Now func() time.Time
}

// Keeper keeps sessions. It is safe for concurrent use.
type Keeper struct{ Config }

// NewKeeper makes a Keeper; it panics when a part is missing.
func NewKeeper(c Config) *Keeper {
	if c.Store == nil || c.Clients == nil {
		panic("session: a part of Config is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Keeper{c}
}

// record is a session as it is stored. It is never written again: a late note of a use could bring a session back
// that somebody has just ended. The last use has a place of its own.
type record struct {
	Client string `json:"client"`
	Secret string `json:"secret"`
	// SecretMade tells a secret from its successor of the same id: the administrator's follows its source.
	SecretMade time.Time `json:"secretMade"`
	// Revocations is the client's number when the session began; 0, too, in sessions from before there was one.
	Revocations int64     `json:"revocations,omitempty"`
	Begun       time.Time `json:"begun"`
}

// Begin begins a session for a client that has just shown the secret, and sets its cookie. A session that the browser
// had before ends.
func (k *Keeper) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, client access.Client, secretID string) (err error) {
	defer fault.Wrap(&err, "begin a session")
	if _, err := k.forget(ctx, r); err != nil {
		return err
	}
	now := k.Now()
	secret, live := client.LiveSecret(secretID, now)
	if !live {
		return fault.New(fault.Unauthenticated, "The secret is gone.")
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

// End ends the session of a request and takes its cookie away; it does nothing when there is none.
func (k *Keeper) End(ctx context.Context, w http.ResponseWriter, r *http.Request) (err error) {
	defer fault.Wrap(&err, "end a session")
	came, err := k.forget(ctx, r)
	if came {
		http.SetCookie(w, k.cookie("", -1))
	}
	return err
}

// forget drops the session of a request, and reports whether a cookie of one came with it.
func (k *Keeper) forget(ctx context.Context, r *http.Request) (came bool, err error) {
	cookie, err := r.Cookie(k.cookieName())
	if err != nil {
		return false, nil
	}
	if err := k.Store.DropState(ctx, key(cookie.Value)); err != nil {
		return true, err
	}
	return true, k.Store.DropState(ctx, useKey(cookie.Value))
}

// Client gives the client whose session a request belongs to, as it is now, and notes the use if it counts as one.
// The fault is of kind Unauthenticated when there is no session, or no longer.
func (k *Keeper) Client(ctx context.Context, r *http.Request, counts bool) (_ access.Client, err error) {
	defer fault.Wrap(&err, "find a session")
	cookie, err := r.Cookie(k.cookieName())
	if err != nil {
		return access.Client{}, errNone()
	}
	s, used, err := k.find(ctx, cookie.Value)
	if err != nil {
		return access.Client{}, err
	}
	now := k.Now()
	if !now.Before(s.Begun.Add(Life)) || !now.Before(used.Add(Idle)) {
		return access.Client{}, errNone()
	}
	client, err := k.owner(ctx, s, now)
	if err != nil {
		return access.Client{}, err
	}
	if counts && now.Sub(used) >= noted {
		return client, k.Store.PutState(ctx, useKey(cookie.Value), []byte(now.Format(time.RFC3339Nano)), now.Add(Idle))
	}
	return client, nil
}

// find reads a session and when it was last used.
func (k *Keeper) find(ctx context.Context, token string) (_ *record, used time.Time, err error) {
	text, err := k.Store.State(ctx, key(token))
	if fault.Is(err, fault.NotFound) {
		return nil, time.Time{}, errNone()
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

// owner is the session's client, if it is still there, so is the secret, and its sessions were not ended.
func (k *Keeper) owner(ctx context.Context, s *record, now time.Time) (access.Client, error) {
	client, err := k.Clients.Client(ctx, s.Client)
	if fault.Is(err, fault.NotFound) {
		return access.Client{}, errNone()
	}
	if err != nil {
		return access.Client{}, err
	}
	secret, live := client.LiveSecret(s.Secret, now)
	if !live || !secret.CreatedAt.Equal(s.SecretMade) || s.Revocations != client.Revocations {
		return access.Client{}, errNone()
	}
	return client, nil
}

func errNone() error { return fault.New(fault.Unauthenticated, "You are not signed in.") }

// newToken is 256 random bits.
func newToken() string {
	var bits [32]byte
	rand.Read(bits[:]) // never fails: crypto/rand ends the process rather
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// key is where a session is stored: who reads the store cannot take over a session.
func key(token string) string { return tables.Sessions + hash(token) }

// useKey is where its last use is noted.
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

// cookie is Lax, so that a link in a mail opens for who is signed in. It ends with the browser; the store knows better.
func (k *Keeper) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: k.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: !k.PlainHTTP, SameSite: http.SameSiteLaxMode,
	}
}

// Package clients makes and changes OAuth 2.0 clients, the first administrator included.
package clients

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/visible"
)

// nameMax is the longest name, in characters.
const nameMax = 255

// Store keeps the clients (store.Clients).
type Store interface {
	auth.ClientReader
	List
}

// List reads and changes the clients under the version of their list.
type List interface {
	Clients(ctx context.Context) (clients []access.Client, list int64, err error)
	PutClient(ctx context.Context, c *access.Client, list int64) error
	DeleteClient(ctx context.Context, id string, list int64) error
}

// Config is what a Registry is made of.
type Config struct {
	Store Store
	// Now is the time; nil means time.Now.
	Now func() time.Time
}

// Registry makes and changes clients by these rules:
//
//  1. A caller grants only scopes that it holds itself, and touches only clients all of whose scopes it holds:
//     else MissingPermission. Otherwise clients:write would be every scope.
//  2. At most two secrets of a client are live: else InvalidState.
//  3. There is always a client that can administer (access.Client.CanAdminister): what would take away the last
//     one is InvalidState, also when two are changed at the same moment.
//
// That the caller may write clients at all is for whoever routes the call to check. It is safe for concurrent use.
type Registry struct{ Config }

// New makes a Registry; it panics when a part is missing.
func New(c Config) *Registry {
	if c.Store == nil {
		panic("clients: a part of Config is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Registry{c}
}

// List gives every client, oldest first.
func (r *Registry) List(ctx context.Context) (all []access.Client, err error) {
	defer fault.Wrap(&err, "list clients")
	all, _, err = r.Store.Clients(ctx)
	return all, err
}

// Get gives a client; NotFound when there is none.
func (r *Registry) Get(ctx context.Context, clientID string) (client access.Client, err error) {
	defer fault.Wrap(&err, "get client %s", clientID)
	return r.Store.Client(ctx, clientID)
}

// Create makes a client with one secret, which it gives this once. Two calls make two clients, also of one name.
// found is what the caller found wrong with the request; it is told together with what is found here.
func (r *Registry) Create(ctx context.Context, caller auth.Caller, name string, scopes []access.Scope, found ...fault.Details) (client access.Client, secret string, err error) {
	defer fault.Wrap(&err, "create a client")
	if err := Permit(caller, scopes); err != nil {
		return access.Client{}, "", err
	}
	now := moment(r.Now())
	secret = newSecret()
	made := access.Client{
		ID:        id.New(id.Client, now),
		Name:      cleaned(name),
		Scopes:    ordered(scopes),
		Secrets:   []access.Secret{record(secret, now)},
		CreatedAt: now,
		UpdatedAt: now,
	}
	if err := together(found, nameFaults(made.Name), scopeFaults(scopes)).Err(); err != nil {
		return access.Client{}, "", err
	}
	err = retried(ctx, func() error {
		_, list, err := r.Store.Clients(ctx)
		if err != nil {
			return err
		}
		client = made
		return r.Store.PutClient(ctx, &client, list)
	})
	if err != nil {
		return access.Client{}, "", err
	}
	return client, secret, nil
}

// Change says what of a client is to become what; nil leaves it as it is.
type Change struct {
	Name   *string
	Scopes *[]access.Scope
}

// Update changes a client. lockVersion is the version that the caller has seen; another one in the store is an
// UpdateConflict. 0 changes whatever is there. found is as for Create.
func (r *Registry) Update(ctx context.Context, caller auth.Caller, clientID string, lockVersion int64, change Change, found ...fault.Details) (client access.Client, err error) {
	defer fault.Wrap(&err, "update client %s", clientID)
	var asked []access.Scope
	if change.Scopes != nil {
		asked = *change.Scopes
	}
	return r.change(ctx, caller, clientID, asked, func(client *access.Client) error {
		if err := fresh(client, lockVersion); err != nil {
			return err
		}
		faults := together(found)
		if change.Name != nil {
			before := client.Name
			if client.Name = cleaned(*change.Name); client.Name != before {
				faults.Join(nameFaults(client.Name))
			}
		}
		if change.Scopes != nil {
			client.Scopes = ordered(asked)
			faults.Join(scopeFaults(asked))
		}
		return faults.Err()
	})
}

// AddSecret gives the client another secret, which it returns this once, and the record of it. InvalidState when
// two are live already. Two calls add two.
func (r *Registry) AddSecret(ctx context.Context, caller auth.Caller, clientID string) (added access.Secret, secret string, err error) {
	defer fault.Wrap(&err, "add a secret to client %s", clientID)
	secret = newSecret()
	_, err = r.change(ctx, caller, clientID, nil, func(client *access.Client) error {
		now := moment(r.Now())
		client.Secrets = slices.DeleteFunc(slices.Clone(client.Secrets), func(s access.Secret) bool { return !s.Live(now) })
		if len(client.Secrets) >= auth.SecretsMax {
			return fault.New(fault.InvalidState, "The client has %d secrets, and may not have more.", auth.SecretsMax).
				With("Delete the one that is no longer in use first.")
		}
		added = record(secret, now)
		client.Secrets = append(client.Secrets, added)
		return nil
	})
	if err != nil {
		return access.Secret{}, "", err
	}
	return added, secret, nil
}

// DeleteSecret removes a secret, so that it opens nothing from the next request on, and neither do the tokens and
// sessions that were got with it; NotFound when the client has none with this id.
func (r *Registry) DeleteSecret(ctx context.Context, caller auth.Caller, clientID, secretID string) (err error) {
	defer fault.Wrap(&err, "delete a secret of client %s", clientID)
	_, err = r.change(ctx, caller, clientID, nil, func(client *access.Client) error {
		before := len(client.Secrets)
		client.Secrets = slices.DeleteFunc(slices.Clone(client.Secrets), func(s access.Secret) bool { return s.ID == secretID })
		if len(client.Secrets) == before {
			return fault.New(fault.NotFound, "The client has no such secret.")
		}
		return nil
	})
	return err
}

// Delete deletes a client; its tokens and sessions end with the next request that they make. NotFound when it is
// gone already. lockVersion is as for Update.
func (r *Registry) Delete(ctx context.Context, caller auth.Caller, clientID string, lockVersion int64) (err error) {
	defer fault.Wrap(&err, "delete client %s", clientID)
	return retried(ctx, func() error {
		client, others, list, err := r.find(ctx, caller, clientID)
		if err != nil {
			return err
		}
		if err := fresh(&client, lockVersion); err != nil {
			return err
		}
		if err := r.administrable(others); err != nil {
			return err
		}
		return r.Store.DeleteClient(ctx, clientID, list)
	})
}

// Revoke ends every token and session that the client has, from the next request on. Its secrets stay: they get new
// ones. It can be repeated. NotFound when there is no such client.
func (r *Registry) Revoke(ctx context.Context, caller auth.Caller, clientID string) (err error) {
	defer fault.Wrap(&err, "end the tokens and sessions of client %s", clientID)
	return retried(ctx, func() error {
		client, _, list, err := r.find(ctx, caller, clientID)
		if err != nil {
			return err
		}
		client.Revocations++
		client.UpdatedAt = moment(r.Now())
		return r.Store.PutClient(ctx, &client, list)
	})
}

// change reads the client, lets edit change it, and stores it under the rules; again when the list of clients
// changed meanwhile. asked are scopes that the change grants.
func (r *Registry) change(ctx context.Context, caller auth.Caller, clientID string, asked []access.Scope, edit func(*access.Client) error) (client access.Client, err error) {
	err = retried(ctx, func() error {
		before, others, list, err := r.find(ctx, caller, clientID)
		if err != nil {
			return err
		}
		if err := Permit(caller, asked); err != nil {
			return err
		}
		client = before // edit gives it new slices, never new elements
		faulty := edit(&client)
		// Told before faults of single attributes, as the order of checks wants it.
		if err := r.administrable(append(others, client)); err != nil {
			return err
		}
		if faulty != nil {
			return faulty
		}
		if reflect.DeepEqual(client, before) {
			return nil // nothing to write: what came back as it was read raises no version
		}
		client.UpdatedAt = moment(r.Now())
		return r.Store.PutClient(ctx, &client, list)
	})
	if err != nil {
		return access.Client{}, err
	}
	return client, nil
}

// find gives the client that the caller wants to touch, the other ones, and the version of the list: NotFound,
// or MissingPermission when the client holds a scope that the caller does not.
func (r *Registry) find(ctx context.Context, caller auth.Caller, clientID string) (client access.Client, others []access.Client, list int64, err error) {
	all, list, err := r.Store.Clients(ctx)
	if err != nil {
		return access.Client{}, nil, 0, err
	}
	i := slices.IndexFunc(all, func(c access.Client) bool { return c.ID == clientID })
	if i < 0 {
		return access.Client{}, nil, 0, errNoClient()
	}
	return all[i], slices.Delete(slices.Clone(all), i, i+1), list, Permit(caller, all[i].Scopes)
}

func errNoClient() error { return fault.New(fault.NotFound, "There is no such client.") }

// Permit refuses scopes that the caller does not hold, with MissingPermission; unknown ones are left to scopeFaults.
func Permit(caller auth.Caller, scopes []access.Scope) error {
	for _, s := range ordered(scopes) {
		if !caller.Allows(s) {
			return fault.New(fault.MissingPermission, "Only a client that holds %s may do this.", s).
				With("Use a client that holds it, or ask for less.")
		}
	}
	return nil
}

// errStale marks a conflict as the caller's, which no repetition inside the request can solve.
var errStale = errors.New("a lockVersion that is no longer the stored one")

// fresh refuses a version that is no longer the stored one.
func fresh(client *access.Client, lockVersion int64) error {
	if lockVersion == 0 || lockVersion == client.LockVersion {
		return nil
	}
	return fault.New(fault.UpdateConflict, "The client was changed since you read it.").
		With("Read it again, then repeat the change with its lockVersion.").Because(errStale)
}

// administrable refuses a change after which the clients would be these, and none of them could administer.
func (r *Registry) administrable(after []access.Client) error {
	if administered(after, r.Now()) {
		return nil
	}
	return fault.New(fault.InvalidState, "This is the last client with %s and a secret; nobody could administer clients any more.", access.ClientsWrite).
		With("Give another client this scope and a secret first.")
}

// newSecret makes a client secret: 256 random bits in base64url, 43 characters that need no escaping anywhere.
func newSecret() string {
	var bits [32]byte
	rand.Read(bits[:]) // never fails: crypto/rand ends the process rather
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// record is what is kept of a secret.
func record(secret string, now time.Time) access.Secret {
	return access.Secret{ID: id.New(id.Secret, now), Hash: sha256.Sum256([]byte(secret)), CreatedAt: now}
}

// moment is a time as the stores keep it.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// ordered gives the scopes without repeats, in the order of access.Scopes; unknown ones are dropped.
func ordered(scopes []access.Scope) []access.Scope {
	return slices.DeleteFunc(access.Scopes(), func(s access.Scope) bool { return !slices.Contains(scopes, s) })
}

// composedMax is how many characters one can be written as at most (Unicode, canonical decomposition).
const composedMax = 4

// cleaned is the name in the form NFC without blanks around it. One that is too long in any form stays as it is.
func cleaned(name string) string {
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > composedMax*nameMax {
		return name
	}
	return strings.TrimSpace(norm.NFC.String(name))
}

func nameFaults(name string) (found fault.Details) {
	if name != "" && !visible.In(name) {
		found.Add(fault.Detail{Attribute: "name", Message: "It has no visible character.", Hint: "Say what the client is for."})
		return found
	}
	if n := utf8.RuneCountInString(name); n >= 1 && n <= nameMax && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl) {
		return found
	}
	found.Add(fault.Detail{
		Attribute: "name",
		Message:   fmt.Sprintf("A name has 1 to %d characters, all of them in one line.", nameMax),
		Hint:      "Say what the client is for.",
	})
	return found
}

func scopeFaults(scopes []access.Scope) (found fault.Details) {
	message := "A client needs at least one scope."
	all := access.Scopes()
	if i := slices.IndexFunc(scopes, func(s access.Scope) bool { return !slices.Contains(all, s) }); i >= 0 {
		message = fmt.Sprintf("Entry %d is not a scope.", i+1)
	} else if len(scopes) > 0 {
		return found
	}
	found.Add(fault.Detail{Attribute: "scopes", Message: message, Hint: "Scopes are " + strings.Trim(fmt.Sprint(all), "[]") + "."})
	return found
}

// together adds to what was found already what is wrong with other attributes.
func together(found []fault.Details, more ...fault.Details) (all fault.Details) {
	for _, f := range slices.Concat(found, more) {
		all.Join(f)
	}
	return all
}

// The patience with conflicts inside a request (storage, "Catalogue in memory").
const (
	conflictsFor  = 5 * time.Second
	conflictPause = 50 * time.Millisecond // on average, before the next try
)

// retried does op again, from its reading on, as long as the list of clients changes beneath it. It gives up with
// Unavailable after conflictsFor.
func retried(ctx context.Context, op func() error) error {
	ctx, cancel := context.WithTimeout(ctx, conflictsFor)
	defer cancel()
	for {
		err := op()
		if !fault.Is(err, fault.UpdateConflict) || errors.Is(err, errStale) {
			return err
		}
		select {
		case <-time.After(mathrand.N(2 * conflictPause)):
		case <-ctx.Done():
			return fault.New(fault.Unavailable, "Too many clients are being changed at once.").
				With("Try again in a moment.").After(time.Second).Because(err)
		}
	}
}

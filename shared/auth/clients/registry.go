// Package clients creates and changes OAuth 2.0 clients, including the first administrator.
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
	"nepenthes/shared/required"
	"nepenthes/shared/visible"
)

// nameMax is the longest name, in characters.
const nameMax = 255

// Store keeps the clients (store.Clients).
type Store interface {
	auth.ClientReader
	List
}

// List reads and changes the clients. The version of their list detects concurrent changes.
type List interface {
	Clients(ctx context.Context) (clients []access.Client, list int64, err error)
	PutClient(ctx context.Context, c *access.Client, list int64) error
	DeleteClient(ctx context.Context, id string, list int64) error
}

// Config has the parts of a Registry.
type Config struct {
	Store Store
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// Registry creates and changes clients according to these rules:
//
//  1. A caller may grant only scopes that it holds itself, and may change only clients all of whose scopes it holds.
//     Anything else is MissingPermission. Without this rule, clients:write would amount to every scope.
//  2. At most two secrets of a client are live. A third one is InvalidState.
//  3. There is always a client that can administer (access.Client.CanAdminister). A change that would leave none is
//     InvalidState, also when two clients are changed concurrently.
//
// Registry does not check whether the caller holds clients:write: the router does. It is safe for concurrent use.
type Registry struct{ Config }

// New returns a new Registry. It panics if a dependency is missing.
func New(c Config) *Registry {
	required.Fields(c)
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Registry{c}
}

// List returns all clients, oldest first.
func (r *Registry) List(ctx context.Context) (all []access.Client, err error) {
	defer fault.Wrap(&err, "list clients")
	all, _, err = r.Store.Clients(ctx)
	return all, err
}

// Get returns the client with the given id. It returns a fault of kind NotFound when there is no such client.
func (r *Registry) Get(ctx context.Context, clientID string) (client access.Client, err error) {
	defer fault.Wrap(&err, "get client %s", clientID)
	return r.Store.Client(ctx, clientID)
}

// Create creates a client with one secret, and returns the secret, which cannot be read later. Two calls create two
// clients, even with the same name. found has the faults that the caller found in the request; Create reports them
// together with its own.
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

// Change has the new values of a client's attributes. Nil leaves an attribute unchanged.
type Change struct {
	Name   *string
	Scopes *[]access.Scope
}

// Update changes a client. lockVersion is the version that the caller has read. If the stored version differs, Update
// returns a fault of kind UpdateConflict. With 0 the version is not checked. found is as for Create.
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

// AddSecret adds a secret to the client. It returns the client, whose newest secret is the record of the new one, and
// the secret, which cannot be read later. It returns a fault of kind InvalidState when the client already has two live
// secrets. Two calls add two secrets.
func (r *Registry) AddSecret(ctx context.Context, caller auth.Caller, clientID string) (client access.Client, secret string, err error) {
	defer fault.Wrap(&err, "add a secret to client %s", clientID)
	secret = newSecret()
	client, err = r.change(ctx, caller, clientID, nil, func(client *access.Client) error {
		now := moment(r.Now())
		client.Secrets = slices.DeleteFunc(slices.Clone(client.Secrets), func(s access.Secret) bool { return !s.Live(now) })
		if len(client.Secrets) >= auth.SecretsMax {
			return fault.New(fault.InvalidState, "The client has %d secrets, which is the most that it may have.", auth.SecretsMax).
				With("Delete a secret that is no longer in use first.")
		}
		client.Secrets = append(client.Secrets, record(secret, now))
		return nil
	})
	if err != nil {
		return access.Client{}, "", err
	}
	return client, secret, nil
}

// DeleteSecret removes a secret. From the next request on, the secret is refused, as are the tokens and sessions that
// were obtained with it. DeleteSecret returns a fault of kind NotFound when the client has no secret with this id.
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

// Delete deletes a client. Its tokens and sessions are refused from the next request on. Delete returns a fault of
// kind NotFound when the client is already deleted. lockVersion is as for Update.
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

// Revoke ends all tokens and sessions of the client, from the next request on. The client keeps its secrets, and can
// get new tokens with them. Revoke can be repeated. It returns a fault of kind NotFound when there is no such client.
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

// change reads the client, calls edit to change it, checks the rules and stores it. It starts again when the list of
// clients has changed meanwhile. asked has the scopes that the change grants.
func (r *Registry) change(ctx context.Context, caller auth.Caller, clientID string, asked []access.Scope, edit func(*access.Client) error) (client access.Client, err error) {
	err = retried(ctx, func() error {
		before, others, list, err := r.find(ctx, caller, clientID)
		if err != nil {
			return err
		}
		if err := Permit(caller, asked); err != nil {
			return err
		}
		client = before // edit replaces slices and never changes their elements
		faulty := edit(&client)
		// This fault comes before the faults of single attributes in the order of checks.
		if err := r.administrable(append(others, client)); err != nil {
			return err
		}
		if faulty != nil {
			return faulty
		}
		if reflect.DeepEqual(client, before) {
			return nil // an update without a change does not raise the version
		}
		client.UpdatedAt = moment(r.Now())
		return r.Store.PutClient(ctx, &client, list)
	})
	if err != nil {
		return access.Client{}, err
	}
	return client, nil
}

// find returns the client that the caller wants to change, the other clients, and the version of the list. It returns
// a fault of kind NotFound when there is no such client, and of kind MissingPermission when the client holds a scope
// that the caller does not hold.
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

// Permit returns a fault of kind MissingPermission when the caller does not hold all the scopes. It ignores unknown
// scopes, which scopeFaults reports.
func Permit(caller auth.Caller, scopes []access.Scope) error {
	for _, s := range ordered(scopes) {
		if !caller.Allows(s) {
			return fault.New(fault.MissingPermission, "Only a client that holds %s may do this.", s).
				With("Use a client that holds it, or ask for less.")
		}
	}
	return nil
}

// errStale marks a conflict with the caller's version. Trying again within the request cannot resolve it.
var errStale = errors.New("a lockVersion that is no longer the stored one")

// fresh returns an error when lockVersion is not the stored version.
func fresh(client *access.Client, lockVersion int64) error {
	if lockVersion == 0 || lockVersion == client.LockVersion {
		return nil
	}
	return fault.New(fault.UpdateConflict, "The client was changed since you read it.").
		With("Read it again, then repeat the change with its lockVersion.").Because(errStale)
}

// administrable returns an error when none of the clients that remain after a change could administer.
func (r *Registry) administrable(after []access.Client) error {
	if administered(after, r.Now()) {
		return nil
	}
	return fault.New(fault.InvalidState, "This is the last client with %s and a secret. Without it, nobody could administer clients.", access.ClientsWrite).
		With("Give another client this scope and a secret first.")
}

// newSecret returns a new client secret: 256 random bits in base64url, 43 characters that never need escaping.
func newSecret() string {
	var bits [32]byte
	rand.Read(bits[:]) // never fails: crypto/rand would end the process instead
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// record returns what is stored of a secret.
func record(secret string, now time.Time) access.Secret {
	return access.Secret{ID: id.New(id.Secret, now), Hash: sha256.Sum256([]byte(secret)), CreatedAt: now}
}

// moment returns t with the precision and zone of the stores.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// ordered returns the scopes without duplicates, in the order of access.Scopes. Unknown scopes are dropped.
func ordered(scopes []access.Scope) []access.Scope {
	return slices.DeleteFunc(access.Scopes(), func(s access.Scope) bool { return !slices.Contains(scopes, s) })
}

// composedMax is the largest number of characters in the canonical decomposition of one character (Unicode).
const composedMax = 4

// cleaned returns the name in the form NFC without surrounding white space. A name that is too long in any form is not
// normalized.
func cleaned(name string) string {
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > composedMax*nameMax {
		return name
	}
	return strings.TrimSpace(norm.NFC.String(name))
}

// nameFaults returns the faults of a name. A name is one line with a visible character, because pages and logs show it
// beside other text.
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

// scopeFaults returns the faults of scopes. It gives the position of an unknown scope and not its text, which may be long.
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

// together joins the faults that were already found with more.
func together(found []fault.Details, more ...fault.Details) (all fault.Details) {
	for _, f := range slices.Concat(found, more) {
		all.Join(f)
	}
	return all
}

// How long and how often a request tries again after a conflict.
const (
	conflictsFor  = 5 * time.Second
	conflictPause = 50 * time.Millisecond // on average, before the next try
)

// retried calls op until the list of clients does not change while op runs. After conflictsFor it gives up and
// returns a fault of kind Unavailable.
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

// Package access holds the nouns of who may call: clients, their secrets and scopes.
package access

import (
	"slices"
	"strings"
	"time"
)

// Scope is one permission, "<resource>:read" or "<resource>:write"; write includes read.
type Scope string

// resources are what scopes are about, in the order in which they are listed.
var resources = []string{"settings", "webhooks", "deliveries", "events", "projects", "clients"}

// The scopes that code asks for by name.
const (
	SettingsRead    Scope = "settings:read"
	SettingsWrite   Scope = "settings:write"
	WebhooksRead    Scope = "webhooks:read"
	WebhooksWrite   Scope = "webhooks:write"
	DeliveriesRead  Scope = "deliveries:read"
	DeliveriesWrite Scope = "deliveries:write"
	EventsRead      Scope = "events:read"
	EventsWrite     Scope = "events:write"
	ProjectsRead    Scope = "projects:read"
	ProjectsWrite   Scope = "projects:write"
	ClientsRead     Scope = "clients:read"
	ClientsWrite    Scope = "clients:write"
)

// Scopes lists every scope.
func Scopes() []Scope {
	var all []Scope
	for _, r := range resources {
		all = append(all, Scope(r+":read"), Scope(r+":write"))
	}
	return all
}

// AdministratorScopes are those of the first client: write, which includes read, on everything.
func AdministratorScopes() []Scope {
	var all []Scope
	for _, r := range resources {
		all = append(all, Scope(r+":write"))
	}
	return all
}

// Named are the scopes with these names, known or not.
func Named(names []string) []Scope {
	var all []Scope
	for _, name := range names {
		all = append(all, Scope(name))
	}
	return all
}

// Known reports whether s is a scope.
func (s Scope) Known() bool { return slices.Contains(Scopes(), s) }

// Allows reports whether holding the scopes permits want.
func Allows(held []Scope, want Scope) bool {
	if slices.Contains(held, want) {
		return true
	}
	resource, ok := strings.CutSuffix(string(want), ":read")
	return ok && slices.Contains(held, Scope(resource+":write"))
}

// Client is an application that may call the API.
type Client struct {
	ID      string
	Name    string
	Scopes  []Scope
	Secrets []Secret // oldest first, expired ones may still be there
	// Revocations is how often all tokens and sessions of the client were ended at once. Each of them carries the
	// number that it was begun under, and ends when the client's is another.
	Revocations int64
	LockVersion int64 // raised by every change; 1 when made
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Secret is a client secret as it is kept: its SHA-256. The secret itself is 256 random bits, so a slow hash
// would protect nothing.
type Secret struct {
	ID        string
	Hash      [32]byte
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Live reports whether the secret still opens at now.
func (s Secret) Live(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// LiveSecret finds the secret with the id, if it opens at now.
func (c *Client) LiveSecret(id string, now time.Time) (secret Secret, found bool) {
	i := slices.IndexFunc(c.Secrets, func(s Secret) bool { return s.ID == id && s.Live(now) })
	if i < 0 {
		return Secret{}, false
	}
	return c.Secrets[i], true
}

// CanAdminister reports whether the client could make and change clients at now: it holds clients:write and a
// live secret. There must always be one.
func (c *Client) CanAdminister(now time.Time) bool {
	return Allows(c.Scopes, ClientsWrite) &&
		slices.ContainsFunc(c.Secrets, func(s Secret) bool { return s.Live(now) })
}

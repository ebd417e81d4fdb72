// Package access defines the clients that may call the API, their secrets and their scopes.
package access

import (
	"slices"
	"strings"
	"time"
)

// Scope is a permission, "<resource>:read" or "<resource>:write". Write includes read.
type Scope string

// resources has the resources that have scopes, in the order in which Scopes returns them.
var resources = []string{"settings", "webhooks", "deliveries", "events", "projects", "clients"}

// The scopes that operations require.
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

// Scopes returns every scope.
func Scopes() []Scope {
	var all []Scope
	for _, r := range resources {
		all = append(all, Scope(r+":read"), Scope(r+":write"))
	}
	return all
}

// AdministratorScopes returns the scopes of the first client: write, which includes read, on every resource.
func AdministratorScopes() []Scope {
	var all []Scope
	for _, r := range resources {
		all = append(all, Scope(r+":write"))
	}
	return all
}

// Named converts names to scopes. It does not check whether they are Known.
func Named(names []string) []Scope {
	var all []Scope
	for _, name := range names {
		all = append(all, Scope(name))
	}
	return all
}

// Known reports whether s is in Scopes.
func (s Scope) Known() bool { return slices.Contains(Scopes(), s) }

// Allows reports whether a client with the held scopes has the permission want.
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
	Secrets []Secret // oldest first; expired secrets may still be in the list
	// Revocations counts how often all tokens and sessions of the client were ended at once. A token or session
	// contains the count of the time when it began, and is valid only while the client has the same count.
	Revocations int64
	LockVersion int64 // 1 for a new client; every change adds 1
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Secret is a client secret as the store keeps it, which is only its SHA-256. The secret itself has 256 random bits and
// cannot be guessed, so a slow hash would not protect it better.
type Secret struct {
	ID        string
	Hash      [32]byte
	CreatedAt time.Time
	ExpiresAt time.Time // the zero Time means never
}

// Live reports whether the secret is valid at now.
func (s Secret) Live(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// LiveSecret returns the secret with the id, if it is valid at now.
func (c *Client) LiveSecret(id string, now time.Time) (secret Secret, found bool) {
	i := slices.IndexFunc(c.Secrets, func(s Secret) bool { return s.ID == id && s.Live(now) })
	if i < 0 {
		return Secret{}, false
	}
	return c.Secrets[i], true
}

// CanAdminister reports whether the client can create and change clients at now: it needs clients:write and a valid
// secret. A deployment must always have such a client.
func (c *Client) CanAdminister(now time.Time) bool {
	return Allows(c.Scopes, ClientsWrite) &&
		slices.ContainsFunc(c.Secrets, func(s Secret) bool { return s.Live(now) })
}

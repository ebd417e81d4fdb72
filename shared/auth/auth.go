// Package auth decides who may call: it checks the secrets of OAuth 2.0 clients and gives and checks access tokens.
//
//   - [Authenticator] checks the id and secret of a client, for the token endpoint and for the console's sign-in,
//     and slows down who guesses.
//   - [Issuer] makes access tokens and revokes them; package oauth puts it on HTTP.
//   - [Verifier] turns a bearer token into a [Caller]. It needs public keys only, so every function can have one.
//
// A token is a signed statement (RFC 9068), so checking it costs no look-up; what may have changed since it was
// signed (the client deleted, a scope lost, the token revoked) is looked up at every call all the same. Clients
// are made and changed in package clients.
package auth

import (
	"context"
	"regexp"
	"time"

	"nepenthes/shared/access"
)

// Caller is who makes a call: a client, with what it may do in this call.
type Caller struct {
	ClientID string
	// Scopes are all that the token was given and the client still holds, in the order of access.Scopes; the
	// reads that a write includes may be among them.
	Scopes []access.Scope
	// TokenID is the token's jti, which names it without being it; empty for a session of the console.
	TokenID string
	// Expires is when the token ends; zero for a session of the console.
	Expires time.Time
}

// Allows reports whether the caller may do what the scope stands for; write includes read.
func (c Caller) Allows(want access.Scope) bool { return access.Allows(c.Scopes, want) }

// ClientReader finds clients.
type ClientReader interface {
	// Client is a fault of kind NotFound when there is no such client.
	Client(ctx context.Context, id string) (access.Client, error)
}

// clientID is the form of a client's id: characters that stand in a path and in a Basic header as they are
// (RFC 3986 §2.3). Whatever else is sent as an id names nobody, and the store is not asked.
var clientID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// clientSecret is what can be a client secret: printable ASCII (RFC 6749 appendix A.2), bounded.
var clientSecret = regexp.MustCompile(`^[ -~]{1,512}$`)

// WellFormed reports whether a client could have this id and this secret.
func WellFormed(id, secret string) bool {
	return clientID.MatchString(id) && clientSecret.MatchString(secret)
}

// Package auth decides who may call: it checks the secrets of OAuth 2.0 clients and gives and checks access tokens.
//
//   - [Authenticator] checks the id and secret of a client, for the token endpoint and for the console's sign-in,
//     and slows down attempts to guess a secret.
//   - [Issuer] issues and revokes access tokens. Package oauth serves it over HTTP.
//   - [Verifier] turns a bearer token into a [Caller]. It needs only public keys, so every function can have one.
//
// A token is a signed statement (RFC 9068), so checking the signature needs no look-up. Whatever may have changed
// since the token was signed is still looked up at every call: the client may have been deleted or have lost a
// scope, and the token may have been revoked. Package clients creates and changes clients.
package auth

import (
	"context"
	"regexp"
	"time"

	"nepenthes/shared/access"
)

// Caller is the client that makes a call, with what it may do in this call.
type Caller struct {
	ClientID string
	// Scopes are the scopes that the token was given and that the client still holds, in the order of
	// access.Scopes. They may contain the read scopes that a write scope includes.
	Scopes []access.Scope
	// TokenID is the token's jti. It identifies the token without revealing it. It is empty for a session of the
	// console.
	TokenID string
	// Expires is when the token expires. It is zero for a session of the console.
	Expires time.Time
}

// Allows reports whether the caller has the scope. A write scope includes the read scope.
func (c Caller) Allows(want access.Scope) bool { return access.Allows(c.Scopes, want) }

// ClientReader finds clients.
type ClientReader interface {
	// Client returns the client with the given id. It returns a fault of kind NotFound when the client does not
	// exist.
	Client(ctx context.Context, id string) (access.Client, error)
}

// clientID is the form of a client's id: characters that need no escaping in a path or in a Basic header
// (RFC 3986 §2.3). Anything else that is sent as an id is refused without asking the store.
var clientID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// clientSecret is the form of a client secret: printable ASCII (RFC 6749 appendix A.2) of bounded length.
var clientSecret = regexp.MustCompile(`^[ -~]{1,512}$`)

// WellFormed reports whether a client could have this id and this secret.
func WellFormed(id, secret string) bool {
	return clientID.MatchString(id) && clientSecret.MatchString(secret)
}

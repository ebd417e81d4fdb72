package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/required"
	"nepenthes/shared/tables"
)

// StateReader reads values that are kept until they expire.
type StateReader interface {
	// State returns the value of the key. It returns a fault of kind NotFound when the key does not exist or has
	// expired.
	State(ctx context.Context, key string) ([]byte, error)
}

// VerificationKeys finds the public keys of tokens.
type VerificationKeys interface {
	// VerificationKey returns the key with the given id if tokens signed with it are accepted now, and a fault of
	// kind NotFound otherwise. It must cope with many calls for invented ids.
	VerificationKey(ctx context.Context, id string) (*ecdsa.PublicKey, error)
}

// VerifierConfig has the parts of a Verifier.
type VerifierConfig struct {
	Clients     ClientReader
	Revocations StateReader
	Keys        VerificationKeys
	// Issuer is the name that tokens have as issuer and audience: the deployment's public URL, or
	// urn:nepenthes:<stack>.
	Issuer string
	// Now returns the current time. Nil means time.Now.
	Now func() time.Time
}

// Verifier checks access tokens. It is safe for concurrent use.
type Verifier struct {
	VerifierConfig
	known memory
}

// NewVerifier returns a new Verifier. It panics if a dependency is missing.
func NewVerifier(c VerifierConfig) *Verifier {
	required.Fields(c)
	required.That(c.Issuer != "", c, "Issuer is missing")
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{VerifierConfig: c}
}

// Verify returns the caller that a bearer token stands for, with the scopes that the token and its client have in
// common now. It returns a fault of kind Unauthenticated for a token that is not from this issuer, has expired or was
// revoked, or whose client or secret was deleted. When the store cannot be read, Verify returns the store's error.
//
// The signature of a token is checked once and remembered. The client and the revocation are read at every call,
// with one read each. So a change takes effect at the next request, in every function.
func (v *Verifier) Verify(ctx context.Context, token string) (caller Caller, err error) {
	defer fault.Wrap(&err, "verify an access token")
	signed, err := v.signed(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	now := v.Now()
	if err := signed.alive(now); err != nil {
		return Caller{}, err
	}
	client, err := v.Clients.Client(ctx, signed.client)
	if fault.Is(err, fault.NotFound) {
		return Caller{}, unauthenticated("The client of the access token was deleted.")
	}
	if err != nil {
		return Caller{}, err
	}
	if err := signed.accepted(client, now); err != nil {
		return Caller{}, err
	}
	if err := v.notRevoked(ctx, signed.id); err != nil {
		return Caller{}, err
	}
	return Caller{
		ClientID: signed.client,
		Scopes:   held(signed.scopes, client.Scopes),
		TokenID:  signed.id,
		Expires:  signed.expires,
	}, nil
}

func unauthenticated(message string) *fault.Fault {
	return fault.New(fault.Unauthenticated, "%s", message).With("Get a new token at /oauth/token.")
}

func revocationKey(tokenID string) string { return tables.Revocations + tokenID }

// notRevoked returns an error when the token was revoked, or when the store cannot say whether it was.
func (v *Verifier) notRevoked(ctx context.Context, tokenID string) error {
	_, err := v.Revocations.State(ctx, revocationKey(tokenID))
	switch {
	case err == nil:
		return unauthenticated("The access token was revoked.")
	case fault.Is(err, fault.NotFound):
		return nil
	}
	return err
}

// statement is the content of a token that this service signed.
type statement struct {
	id, client      string
	scopes          []access.Scope // complete, see held
	issued, expires time.Time
	begins          time.Time // the token is not valid earlier; usually the zero time
	secret          string    // the id of the secret that it was obtained with; empty in a token without this claim
	revocations     int64     // the client's number of revocations when the token was issued
}

// alive returns an error when the token is not valid yet or has expired.
func (s *statement) alive(now time.Time) error {
	switch {
	case !now.Before(s.expires):
		return unauthenticated("The access token has expired.")
	case s.issued.After(now.Add(clockSkew)), s.begins.After(now.Add(clockSkew)):
		return unauthenticated("The access token is not valid yet.")
	}
	return nil
}

// accepted returns an error when the client, as it is now, no longer has this token.
func (s *statement) accepted(client access.Client, now time.Time) error {
	// An administrator's id can be used again after its client was deleted. Tokens of the former client stay invalid.
	if s.issued.Unix() < client.CreatedAt.Unix() {
		return unauthenticated("The client of the access token was deleted.")
	}
	if s.revocations != client.Revocations {
		return unauthenticated("All access tokens of this client were ended.")
	}
	if s.secret == "" {
		return nil
	}
	if _, live := client.LiveSecret(s.secret, now); !live {
		return unauthenticated("The client secret with which the access token was obtained is no longer valid.")
	}
	return nil
}

// signed returns the content of the token, which may have expired. It returns a fault of kind Unauthenticated when
// the token is not from this issuer.
func (v *Verifier) signed(ctx context.Context, token string) (statement, error) {
	name := sha256.Sum256([]byte(token))
	if s, ok := v.known.get(name); ok {
		return s, nil
	}
	c, err := opened(ctx, token, v.Issuer, v.Keys)
	if errors.Is(err, errForged) {
		return statement{}, unauthenticated("The access token is not valid.").Because(err)
	}
	if err != nil {
		return statement{}, err
	}
	s := statement{
		id:      c.ID,
		client:  c.ClientID,
		scopes:  held(allScopes, parse(c.Scope)),
		issued:  time.Unix(c.IssuedAt, 0).UTC(),
		expires: time.Unix(c.Expires, 0).UTC(),
		begins:  time.Unix(c.NotBefore, 0).UTC(),

		secret:      c.Secret,
		revocations: c.Revocations,
	}
	v.known.put(name, s)
	return s, nil
}

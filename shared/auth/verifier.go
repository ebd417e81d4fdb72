package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// StateReader reads what is kept until it expires.
type StateReader interface {
	// State is a fault of kind NotFound when there is no such key, or no longer.
	State(ctx context.Context, key string) ([]byte, error)
}

// VerificationKeys finds the public keys of tokens.
type VerificationKeys interface {
	// VerificationKey gives the key that a token names if its tokens are accepted now, NotFound otherwise. It
	// must stand being asked for made-up ids.
	VerificationKey(ctx context.Context, id string) (*ecdsa.PublicKey, error)
}

// VerifierConfig is what a Verifier is made of.
type VerifierConfig struct {
	Clients     ClientReader
	Revocations StateReader
	Keys        VerificationKeys
	// Issuer is who issues and accepts the tokens: the deployment's public URL, or urn:nepenthes:<stack>.
	Issuer string
	// Now is the time; nil means time.Now.
	Now func() time.Time
}

// Verifier checks access tokens. It is safe for concurrent use.
type Verifier struct {
	VerifierConfig
	known memory
}

// NewVerifier makes a Verifier; it panics when a part is missing.
func NewVerifier(c VerifierConfig) *Verifier {
	if c.Clients == nil || c.Revocations == nil || c.Keys == nil || c.Issuer == "" {
		panic("auth: a part of VerifierConfig is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{VerifierConfig: c}
}

// Verify gives the caller that a bearer token stands for, with the scopes that the token and its client have in
// common now. A token that is not ours, has expired or was revoked, or whose client or secret was deleted since, is
// a fault of kind Unauthenticated; a store that cannot be read is the store's fault.
//
// The signature of a token is checked once and remembered. The client and the revocation are read at every call,
// one read each, so that what is decided now holds for the next request, in every function.
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
	return fault.New(fault.Unauthenticated, "%s", message).With("Get a new one at /oauth/token.")
}

func revocationKey(tokenID string) string { return tables.Revocations + tokenID }

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

// statement is what a token says that was signed by us.
type statement struct {
	id, client      string
	scopes          []access.Scope // complete, see held
	issued, expires time.Time
	begins          time.Time // not before this; mostly the zero time
	secret          string    // the id of the secret that it was got with; empty in one from before
	revocations     int64     // of the client when it was given
}

// alive refuses a token before and after its life.
func (s *statement) alive(now time.Time) error {
	switch {
	case !now.Before(s.expires):
		return unauthenticated("The access token has expired.")
	case s.issued.After(now.Add(clockSkew)), s.begins.After(now.Add(clockSkew)):
		return unauthenticated("The access token is not valid yet.")
	}
	return nil
}

// accepted refuses a token that the client, as it is now, has outlived.
func (s *statement) accepted(client access.Client, now time.Time) error {
	// An administrator's id can be given again after its client was deleted; the tokens do not come back with it.
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
		return unauthenticated("The client secret that the access token was got with is no longer good.")
	}
	return nil
}

// signed gives what the token says; Unauthenticated when it is not ours. It may have expired.
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

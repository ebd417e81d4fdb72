package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/required"
)

// SigningKeys has the private keys of tokens, and decides when one replaces another.
type SigningKeys interface {
	// SigningKey returns the key that signs now, and its id. It creates the first key when there is none.
	SigningKey(ctx context.Context) (id string, key *ecdsa.PrivateKey, err error)
}

// StateWriter keeps values until they expire.
type StateWriter interface {
	// PutState stores the value and replaces any value that is already there.
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
}

// IssuerConfig has the parts of an Issuer.
type IssuerConfig struct {
	Keys        SigningKeys
	Revocations StateWriter
	// Verifier checks the tokens that are to be revoked, and knows the issuer's name and the time.
	Verifier *Verifier
}

// Issuer issues and revokes access tokens. It is safe for concurrent use.
type Issuer struct{ IssuerConfig }

// NewIssuer returns a new Issuer. It panics if a dependency is missing.
func NewIssuer(c IssuerConfig) *Issuer {
	required.Fields(c)
	return &Issuer{c}
}

// Token is an access token that was just issued.
type Token struct {
	Text  string
	Scope string // the scopes of the token, separated by spaces
}

// Issue returns a new token for a client that was authenticated with the secret whose id is secretID. asked has the
// wanted scopes, separated by spaces; when it is empty the token gets all scopes of the client. Issue returns ErrScope
// when the client does not hold every wanted scope. The token ends when the secret ends.
func (i *Issuer) Issue(ctx context.Context, client access.Client, secretID, asked string) (token Token, err error) {
	defer fault.Wrap(&err, "issue a token to client %s", client.ID)
	scopes, err := granted(asked, client.Scopes)
	if err != nil {
		return Token{}, err
	}
	kid, key, err := i.Keys.SigningKey(ctx)
	if err != nil {
		return Token{}, err
	}
	now := i.Verifier.Now()
	token.Scope = joined(scopes)
	token.Text, err = claims{
		Issuer:   i.Verifier.Issuer,
		Subject:  client.ID,
		ClientID: client.ID,
		Audience: i.Verifier.Issuer,
		IssuedAt: now.Unix(),
		Expires:  now.Add(TokenLife).Unix(),
		ID:       rand.Text(),
		Scope:    token.Scope,

		Secret:      secretID,
		Revocations: client.Revocations,
	}.sign(kid, key)
	return token, err
}

// ErrForeign reports that a token belongs to another client.
var ErrForeign = errors.New("the token was issued to another client")

// Revoke revokes the client's token, which is refused from the next request on. Revoke returns nil for a text that is
// not a token of this issuer and for a token that has already expired. It returns ErrForeign for a token of another
// client.
func (i *Issuer) Revoke(ctx context.Context, clientID, token string) (err error) {
	defer fault.Wrap(&err, "revoke a token of client %s", clientID)
	signed, err := i.Verifier.signed(ctx, token)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return nil
	case err != nil:
		return err
	case !i.Verifier.Now().Before(signed.expires):
		return nil
	case signed.client != clientID:
		return ErrForeign
	}
	return i.Revocations.PutState(ctx, revocationKey(signed.id), []byte(clientID), signed.expires)
}

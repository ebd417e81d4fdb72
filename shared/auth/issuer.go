package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
)

// SigningKeys has the private keys of tokens. When and how they follow one another is its to know.
type SigningKeys interface {
	// SigningKey gives the key that signs now, and its id; the first call ever makes it.
	SigningKey(ctx context.Context) (id string, key *ecdsa.PrivateKey, err error)
}

// StateWriter keeps values until they expire.
type StateWriter interface {
	// PutState replaces what is there.
	PutState(ctx context.Context, key string, value []byte, expires time.Time) error
}

// IssuerConfig is what an Issuer is made of.
type IssuerConfig struct {
	Keys        SigningKeys
	Revocations StateWriter
	// Verifier checks what is to be revoked, and knows the issuer's name and the time.
	Verifier *Verifier
}

// Issuer gives access tokens and takes them back. It is safe for concurrent use.
type Issuer struct{ IssuerConfig }

// NewIssuer makes an Issuer; it panics when a part is missing.
func NewIssuer(c IssuerConfig) *Issuer {
	if c.Keys == nil || c.Revocations == nil || c.Verifier == nil {
		panic("auth: a part of IssuerConfig is missing")
	}
	return &Issuer{c}
}

// Token is an access token that was just made.
type Token struct {
	Text  string
	Scope string // what it was given, separated by spaces
}

// Issue makes a token for a client that has been authenticated by the secret with the id secretID, with the scopes
// asked for, separated by spaces; with all of the client's when asked is empty. It is ErrScope when the client does
// not hold them all. The token ends with the secret.
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

// ErrForeign says that a token is another client's.
var ErrForeign = errors.New("the token was issued to another client")

// Revoke ends the client's token: it opens nothing from the next request on. What never was a token of ours, or
// is none any more, is as the client wanted: nil. It is ErrForeign for the token of another client.
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

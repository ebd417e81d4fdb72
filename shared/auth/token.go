package auth

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"nepenthes/shared/fault"
)

const (
	// TokenLife is how long an access token is valid.
	TokenLife = 15 * time.Minute
	// tokenType is the typ of an access token (RFC 9068 §2.1). It keeps other JWTs of this service from being
	// accepted as access tokens.
	tokenType = "at+jwt"
	// tokenBytes bounds the length of a text that is parsed as a token. A token with every scope has about 700
	// bytes.
	tokenBytes = 4 << 10
)

// clockSkew is how much the clocks of two functions may differ.
const clockSkew = 30 * time.Second

// claims are the claims of an access token (RFC 9068 §2.2), with times in Unix seconds. Two claims are specific to
// this service: the id of the secret that the token was obtained with, which is missing in tokens older than the
// claim, and the client's number of revocations.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
	Scope    string `json:"scope"`

	Secret      string `json:"sid,omitempty"`
	Revocations int64  `json:"rev,omitempty"`
	// NotBefore is never written, but it is respected in a token that has it.
	NotBefore int64 `json:"nbf,omitempty"`
}

// bounded reports whether the token has a beginning and an end that are at most TokenLife apart. The order of the
// comparisons keeps the difference from overflowing.
func (c claims) bounded() bool {
	return c.IssuedAt > 0 && c.Expires > c.IssuedAt && c.Expires > c.NotBefore &&
		c.Expires-c.IssuedAt <= int64(TokenLife/time.Second)
}

// sign returns the token: a JWT in compact form, signed with ES256 and the key named kid.
func (c claims) sign(kid string, key *ecdsa.PrivateKey) (token string, err error) {
	defer fault.Wrap(&err, "sign an access token")
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	headers := jws.NewHeaders()
	err = errors.Join(headers.Set(jws.KeyIDKey, kid), headers.Set(jws.TypeKey, tokenType))
	if err != nil {
		return "", err
	}
	signed, err := jws.Sign(payload, jws.WithKey(jwa.ES256(), key, jws.WithProtectedHeaders(headers)))
	return string(signed), err
}

// errForged is the error for everything that this service did not sign as an access token. It gives no details on
// purpose: they would put an attacker's text into the log.
var errForged = errors.New("not an access token of this issuer")

// opened returns the claims of an access token of the issuer that is signed with a key that is accepted now. It
// returns errForged for anything else, and for a token whose life is longer than TokenLife, even when the signature
// is valid. It does not check whether the token has expired.
func opened(ctx context.Context, token, issuer string, keys VerificationKeys) (c claims, err error) {
	kid, ok := keyID(token)
	if !ok {
		return claims{}, errForged
	}
	key, err := keys.VerificationKey(ctx, kid)
	if fault.Is(err, fault.NotFound) {
		return claims{}, errForged
	}
	if err != nil {
		return claims{}, err
	}
	payload, err := jws.Verify([]byte(token), jws.WithCompact(), jws.WithCritValidation(true), jws.WithKey(jwa.ES256(), key))
	if err != nil {
		return claims{}, errForged
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return claims{}, fmt.Errorf("%w: claims that this service never writes", errForged)
	}
	if c.Issuer != issuer || c.Audience != issuer || !c.bounded() {
		return claims{}, errForged
	}
	return c, nil
}

// keyID returns the id of the key that the token claims to be signed with. It returns false for a text that does not
// have the form of an access token.
func keyID(token string) (string, bool) {
	if len(token) > tokenBytes || !canonical(token) {
		return "", false
	}
	message, err := jws.Parse([]byte(token), jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return "", false
	}
	headers := message.Signatures()[0].ProtectedHeaders()
	typ, _ := headers.Type()
	kid, ok := headers.KeyID()
	return kid, ok && typ == tokenType
}

// canonical reports whether the parts of a token are base64url without padding and without stray bits (RFC 7515 §2),
// so that a token has only one spelling. The library accepts more.
func canonical(token string) bool {
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	return true
}

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
	// TokenLife is how long an access token is good for.
	TokenLife = 15 * time.Minute
	// tokenType is the typ of an access token (RFC 9068 §2.1): it keeps any other JWT of ours from being one.
	tokenType = "at+jwt"
	// tokenBytes bounds what is looked at as a token; ours have about 700 bytes with every scope.
	tokenBytes = 4 << 10
)

// clockSkew is how far the clocks of two functions may be apart.
const clockSkew = 30 * time.Second

// claims are those of an access token (RFC 9068 §2.2), times in Unix seconds, and two of our own: the secret that the
// token was got with, empty in tokens from before there was such a claim, and the client's number of revocations.
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
	// NotBefore is never written; a token that says it is held to it.
	NotBefore int64 `json:"nbf,omitempty"`
}

// bounded reports whether the token's life has a beginning and an end that are no further apart than TokenLife. The
// order of the comparisons keeps the difference from overflowing.
func (c claims) bounded() bool {
	return c.IssuedAt > 0 && c.Expires > c.IssuedAt && c.Expires > c.NotBefore &&
		c.Expires-c.IssuedAt <= int64(TokenLife/time.Second)
}

// sign makes the token: a JWT in compact form, signed with ES256 by the key that kid names.
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

// errForged is the answer to everything that this service has not signed as an access token. It is the whole
// diagnosis on purpose: what else an invented token says would be an attacker's text in our log.
var errForged = errors.New("not an access token of this issuer")

// opened checks that the token was signed by a key that is accepted now, for the issuer, as an access token, and
// gives its claims; errForged otherwise. So is a token that claims to live longer than ours do, whatever signed it.
// Whether the time is within its life is not looked at.
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

// keyID reads which key a token claims to be signed with. It is false for what has another form than ours.
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
// so that there is one spelling of a token. The library takes more.
func canonical(token string) bool {
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	return true
}

// Package keypair names the key pairs that protect secrets at rest and sign access tokens.
//
// A pair is a record of the config table: its public half is plain, its private half is wrapped by a key that
// never is in the store. So whoever holds the table alone can seal a secret and verify a token, and neither
// open the one nor forge the other.
package keypair

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"

	"nepenthes/shared/fault"
)

// The purposes. A private half is wrapped for one of them and cannot be unwrapped for another.
const (
	// WebhookSecrets seals what a webhook signs with and sends in its headers.
	WebhookSecrets = "webhook-secrets"
	// TokenSigning signs access tokens.
	TokenSigning = "token-signing"
)

// Pair is one key pair on the curve P-256. It never changes: a rotation adds another.
type Pair struct {
	ID        string    // "key_…", derived from the public key; names the pair in sealed values and tokens
	Purpose   string    // WebhookSecrets or TokenSigning
	PublicKey []byte    // PKIX, DER
	Wrapped   []byte    // the private key, PKCS #8 DER, encrypted
	CreatedAt time.Time // UTC, whole milliseconds
}

// Public is the half of a pair that anyone may see.
type Public struct {
	ID        string
	Key       *ecdsa.PublicKey
	CreatedAt time.Time
}

// New makes the record of a pair whose halves were just made. It refuses a public key that is not on P-256.
func New(purpose string, publicKey, wrapped []byte, createdAt time.Time) (pair Pair, err error) {
	defer fault.Wrap(&err, "record a key pair for %s", purpose)
	if _, err := parse(publicKey); err != nil {
		return Pair{}, err
	}
	return Pair{
		ID:        identify(publicKey),
		Purpose:   purpose,
		PublicKey: publicKey,
		Wrapped:   wrapped,
		CreatedAt: createdAt.UTC().Truncate(time.Millisecond),
	}, nil
}

// identify derives a pair's id from its public key: 96 bits of a hash are more than any table needs, and an
// id that follows from the key cannot be given to two keys by mistake.
func identify(publicKey []byte) string {
	hash := sha256.Sum256(publicKey)
	return "key_" + base64.RawURLEncoding.EncodeToString(hash[:12])
}

// Public parses the public half. It fails when the record was damaged: the key is no key on P-256, or not the
// one that the id was derived from.
func (p Pair) Public() (public Public, err error) {
	defer fault.Wrap(&err, "read key pair %s", p.ID)
	key, err := parse(p.PublicKey)
	if err != nil {
		return Public{}, err
	}
	if identify(p.PublicKey) != p.ID {
		return Public{}, errors.New("the public key is not the one that the id names")
	}
	return Public{ID: p.ID, Key: key, CreatedAt: p.CreatedAt}, nil
}

func parse(publicKey []byte) (*ecdsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(publicKey)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("the public key is not on the curve P-256")
	}
	return key, nil
}

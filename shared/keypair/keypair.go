// Package keypair defines the key pairs that protect secrets in the store and sign access tokens.
//
// A pair is a record of the config table. Its private half is wrapped (encrypted) with a key that is never in the
// store. So a reader of the table can seal a secret and verify a token, but can neither open a sealed secret nor sign a
// token.
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

// The purposes of key pairs. A private half that was wrapped for one purpose cannot be unwrapped for another.
const (
	// WebhookSecrets seals the secrets and the header values of webhooks.
	WebhookSecrets = "webhook-secrets"
	// TokenSigning signs access tokens.
	TokenSigning = "token-signing"
)

// Pair is a key pair on the curve P-256. It never changes: a rotation adds another pair.
type Pair struct {
	ID        string    // "key_…", derived from the public key; sealed values and tokens contain it
	Purpose   string    // WebhookSecrets or TokenSigning
	PublicKey []byte    // PKIX, DER
	Wrapped   []byte    // the private key, PKCS #8 DER, encrypted
	CreatedAt time.Time // UTC, whole milliseconds
}

// Public is the public half of a pair.
type Public struct {
	ID        string
	Key       *ecdsa.PublicKey
	CreatedAt time.Time
}

// New returns the record of a new pair. It returns an error if the public key is not on P-256.
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

// identify returns the id of a pair: 96 bits of the hash of its public key. An id that is derived from the key cannot
// be given to two keys by mistake.
func identify(publicKey []byte) string {
	hash := sha256.Sum256(publicKey)
	return "key_" + base64.RawURLEncoding.EncodeToString(hash[:12])
}

// Public returns the public half. It returns an error if the record is damaged: the key is not on P-256, or the id was
// derived from another key.
func (p Pair) Public() (public Public, err error) {
	defer fault.Wrap(&err, "read key pair %s", p.ID)
	key, err := parse(p.PublicKey)
	if err != nil {
		return Public{}, err
	}
	if identify(p.PublicKey) != p.ID {
		return Public{}, errors.New("the id belongs to another public key")
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

package vault

import (
	"context"
	"crypto/hpke"
	"errors"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/required"
	"nepenthes/shared/webhook"
)

// A sealed value has these parts:
//
//	version (1 byte) · length of the pair's id (1 byte) · id · encapsulated key (65 bytes) · ciphertext and tag (16 bytes more than the secret)
//
// Every version is HPKE in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM (RFC 9180). The
// version decides how the info is encoded; see webhook.SealInfo. A value whose version byte was changed cannot be
// opened.
var (
	kdf  = hpke.HKDFSHA256()
	aead = hpke.AES256GCM()
)

// errSealed is the error for a value that cannot be opened. The reason is not known.
var errSealed = errors.New("the value was altered, was sealed for another place, or is not a sealed value")

// SealerConfig configures a Sealer. Pairs and Maker are required.
type SealerConfig struct {
	Pairs Pairs
	Maker Maker
	Now   func() time.Time // time.Now if nil
}

// Sealer seals the secrets of webhooks with the newest pair. It cannot open them. It is safe for concurrent use.
type Sealer struct{ founder founder }

// NewSealer returns a Sealer. It panics if a dependency is missing. It does not read the store.
func NewSealer(config SealerConfig) *Sealer {
	required.Fields(config)
	ring := newRing(keypair.WebhookSecrets, config.Pairs, config.Now)
	return &Sealer{founder{ring, config.Pairs, config.Maker}}
}

// Seal encrypts secret and binds it to info, in the newest version. Only the same info opens it. Sealing the same
// secret twice gives different bytes of the same length.
//
// The first call of all makes the key pair. A call reads the store if the last read was a minute ago, so a new pair is
// in use within a minute. Seal returns an error if info is incomplete, if the store fails, or if the maker fails in the
// first call.
func (s *Sealer) Seal(ctx context.Context, secret []byte, info webhook.SealInfo) (sealed []byte, err error) {
	defer fault.Wrap(&err, "seal a secret")
	bound, err := info.Bytes(webhook.SealVersionOrigin)
	if err != nil {
		return nil, err
	}
	pairs, err := s.founder.ensure(ctx)
	if err != nil {
		return nil, err
	}
	public, err := pairs[len(pairs)-1].Public()
	if err != nil {
		return nil, err
	}
	point, err := public.Key.ECDH()
	if err != nil {
		return nil, err
	}
	key, err := hpke.NewDHKEMPublicKey(point)
	if err != nil {
		return nil, err
	}
	box, err := hpke.Seal(key, kdf, aead, bound, secret)
	if err != nil {
		return nil, err
	}
	sealed = append([]byte{webhook.SealVersionOrigin, byte(len(public.ID))}, public.ID...)
	return append(sealed, box...), nil
}

// OpenerConfig configures an Opener. All fields are required.
type OpenerConfig struct {
	Pairs     PairReader
	Unwrapper Unwrapper
}

// Opener opens values that a Sealer sealed, in this or an earlier version. It is safe for concurrent use.
type Opener struct {
	ring     *ring
	privates privates
}

// NewOpener returns an Opener. It panics if a dependency is missing. It does not read the store.
func NewOpener(config OpenerConfig) *Opener {
	required.Fields(config)
	return &Opener{
		ring:     newRing(keypair.WebhookSecrets, config.Pairs, nil),
		privates: privates{unwrapper: config.Unwrapper, turn: newTurn()},
	}
}

// Open returns the secret. It returns an error if info is not the info of Seal, if a byte was altered, if the pair is
// not in the store, or if the store or the unwrapper fails. The error never contains a part of the secret. Each private
// key is unwrapped once in a process.
func (o *Opener) Open(ctx context.Context, sealed []byte, info webhook.SealInfo) (secret []byte, err error) {
	defer fault.Wrap(&err, "open a sealed secret")
	version, id, box, err := split(sealed)
	if err != nil {
		return nil, err
	}
	bound, err := info.Bytes(version)
	if err != nil {
		return nil, err
	}
	pair, err := o.ring.find(ctx, id)
	if err != nil {
		return nil, err
	}
	private, err := o.privates.key(ctx, pair)
	if err != nil {
		return nil, err
	}
	scalar, err := private.ECDH()
	if err != nil {
		return nil, err
	}
	key, err := hpke.NewDHKEMPrivateKey(scalar)
	if err != nil {
		return nil, err
	}
	secret, err = hpke.Open(key, kdf, aead, bound, box)
	if err != nil {
		return nil, errSealed
	}
	return secret, nil
}

// split splits a sealed value into its parts. It checks only the lengths: HPKE checks the box, and webhook.SealInfo
// checks the version.
func split(sealed []byte) (version byte, id string, box []byte, err error) {
	if len(sealed) < 2 || len(sealed) < 2+int(sealed[1]) {
		return 0, "", nil, errSealed
	}
	end := 2 + int(sealed[1])
	return sealed[0], string(sealed[2:end]), sealed[end:], nil
}

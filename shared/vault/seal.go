package vault

import (
	"context"
	"crypto/hpke"
	"errors"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/webhook"
)

// A sealed value is
//
//	version (1 byte) · length of the pair's id (1 byte) · id · encapsulated key (65 bytes) · ciphertext and tag (16 bytes more than the secret)
//
// Every version is HPKE in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM (RFC 9180). The
// version decides how the info is encoded, see webhook.SealInfo; with the version's byte changed a value does not open.
var (
	kdf  = hpke.HKDFSHA256()
	aead = hpke.AES256GCM()
)

// errSealed is all that is said of a value that does not open: which of the reasons it was cannot be told.
var errSealed = errors.New("the sealed value was altered, was sealed for another place, or is none")

// SealerConfig is what a Sealer needs.
type SealerConfig struct {
	Pairs Pairs
	Maker Maker
	Now   func() time.Time // time.Now if nil
}

// Sealer seals the secrets of webhooks with the newest pair. It has no way to open them. It is safe for
// concurrent use.
type Sealer struct{ founder founder }

// NewSealer makes a Sealer; it reads nothing yet. A missing dependency is refused.
func NewSealer(config SealerConfig) (*Sealer, error) {
	if config.Pairs == nil || config.Maker == nil {
		return nil, errMissing
	}
	ring := newRing(keypair.WebhookSecrets, config.Pairs, config.Now)
	return &Sealer{founder{ring, config.Pairs, config.Maker}}, nil
}

// Seal encrypts secret and binds it to info, in the newest version. It opens again only with the same info. Sealing
// the same twice gives different bytes, of the same length.
//
// The first call ever makes the key pair; a call reads the store when it was last read a minute ago, so that
// a new pair is in use within that time. Seal fails when info is incomplete, and when the store, or at the first call
// the maker, does.
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

// OpenerConfig is what an Opener needs.
type OpenerConfig struct {
	Pairs     PairReader
	Unwrapper Unwrapper
}

// Opener opens what a Sealer sealed, of this version and of former ones. It is safe for concurrent use.
type Opener struct {
	ring     *ring
	privates privates
}

// NewOpener makes an Opener; it reads nothing yet. A missing dependency is refused.
func NewOpener(config OpenerConfig) (*Opener, error) {
	if config.Pairs == nil || config.Unwrapper == nil {
		return nil, errMissing
	}
	return &Opener{
		ring:     newRing(keypair.WebhookSecrets, config.Pairs, nil),
		privates: privates{unwrapper: config.Unwrapper, turn: newTurn()},
	}, nil
}

// Open returns the secret. It fails when info is not what the secret was sealed with, when any byte was
// altered, when its pair is not in the store, and when the store or the unwrapper fails; the error never
// holds any of the secret. Each private key is unwrapped once per process.
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

// split takes a sealed value apart. It looks only as far as the parts can be told apart: HPKE judges the box, and
// webhook.SealInfo the version.
func split(sealed []byte) (version byte, id string, box []byte, err error) {
	if len(sealed) < 2 || len(sealed) < 2+int(sealed[1]) {
		return 0, "", nil, errSealed
	}
	end := 2 + int(sealed[1])
	return sealed[0], string(sealed[2:end]), sealed[end:], nil
}

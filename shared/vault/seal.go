package vault

import (
	"context"
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
)

// A sealed value is
//
//	version (1 byte) · length of the pair's id (1 byte) · id · encapsulated key (65 bytes) · ciphertext and tag (16 bytes more than the secret)
//
// Version 1 is HPKE in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM (RFC 9180).
const version = 1

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

// Seal encrypts secret and binds it to info: the webhook's id, then the secret's id or the lower-case name of
// the header. It opens again only with the same info in the same order. Sealing the same twice gives
// different bytes.
//
// The first call ever makes the key pair; a call reads the store when it was last read a minute ago, so that
// a new pair is in use within that time. Seal fails when the store, or at the first call the maker, does.
func (s *Sealer) Seal(ctx context.Context, secret []byte, info ...string) (sealed []byte, err error) {
	defer fault.Wrap(&err, "seal a secret")
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
	box, err := hpke.Seal(key, kdf, aead, bind(info), secret)
	if err != nil {
		return nil, err
	}
	sealed = append([]byte{version, byte(len(public.ID))}, public.ID...)
	return append(sealed, box...), nil
}

// OpenerConfig is what an Opener needs.
type OpenerConfig struct {
	Pairs     PairReader
	Unwrapper Unwrapper
}

// Opener opens what a Sealer sealed. It is safe for concurrent use.
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
func (o *Opener) Open(ctx context.Context, sealed []byte, info ...string) (secret []byte, err error) {
	defer fault.Wrap(&err, "open a sealed secret")
	id, box, err := split(sealed)
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
	secret, err = hpke.Open(key, kdf, aead, bind(info), box)
	if err != nil {
		return nil, errSealed
	}
	return secret, nil
}

func split(sealed []byte) (id string, box []byte, err error) {
	if len(sealed) < 2 || sealed[0] != version || len(sealed) < 2+int(sealed[1]) {
		return "", nil, errSealed
	}
	end := 2 + int(sealed[1])
	return string(sealed[2:end]), sealed[end:], nil
}

// bind encodes the purpose and info, each preceded by its length: no two lists give the same bytes.
func bind(info []string) []byte {
	bound := appendPart(nil, keypair.WebhookSecrets)
	for _, part := range info {
		bound = appendPart(bound, part)
	}
	return bound
}

func appendPart(bound []byte, part string) []byte {
	return append(binary.AppendUvarint(bound, uint64(len(part))), part...)
}

package vault

import (
	"context"
	"crypto/ecdsa"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/required"
)

// Times for the rotation of token keys. A token lives 15 minutes. The last token that an old key signs is made
// SignAfter and a refresh after the new key, so more than half an hour of VerifyFor is left when it expires.
const (
	// SignAfter is how old a key is when it begins to sign. By then every process that verifies has read the key, and
	// so has every outside verifier that caches the key set for a minute, as it may, or a few minutes more.
	SignAfter = 5 * time.Minute
	// VerifyFor is how long a key is still accepted after its successor was made.
	VerifyFor = time.Hour

	// unknownFor is how long an unknown key id is taken as unknown without reading the store again. Strangers can write
	// any id into a token, and each must not cost a read. unknownFor is less than SignAfter, so a key is never unknown
	// when it begins to sign.
	unknownFor = 5 * time.Second
)

// SignerConfig configures a Signer. All fields but Now are required.
type SignerConfig struct {
	Pairs     Pairs
	Maker     Maker
	Unwrapper Unwrapper
	Now       func() time.Time // time.Now if nil
}

// Signer has the key that signs new tokens. It is safe for concurrent use.
type Signer struct {
	founder  founder
	privates privates
}

// NewSigner returns a Signer. It panics if a dependency is missing. It does not read the store.
func NewSigner(config SignerConfig) *Signer {
	required.Fields(config)
	ring := newRing(keypair.TokenSigning, config.Pairs, config.Now)
	return &Signer{
		founder:  founder{ring, config.Pairs, config.Maker},
		privates: privates{unwrapper: config.Unwrapper, turn: newTurn()},
	}
}

// SigningKey returns the key that signs now, and its id for the "kid" of the token. It is the newest key that is older
// than SignAfter, or else the oldest. The first call of all makes the pair. Each private key is unwrapped once in a
// process. A call reads the store if the last read was a minute ago.
func (s *Signer) SigningKey(ctx context.Context) (id string, key *ecdsa.PrivateKey, err error) {
	defer fault.Wrap(&err, "get the token signing key")
	pairs, err := s.founder.ensure(ctx)
	if err != nil {
		return "", nil, err
	}
	signing := pairs[0]
	for _, pair := range pairs[1:] {
		if s.founder.now().Sub(pair.CreatedAt) >= SignAfter {
			signing = pair
		}
	}
	key, err = s.privates.key(ctx, signing)
	if err != nil {
		return "", nil, err
	}
	return signing.ID, key, nil
}

// VerifierConfig configures a Verifier. Pairs is required.
type VerifierConfig struct {
	Pairs PairReader
	Now   func() time.Time // time.Now if nil
}

// Verifier has the keys whose tokens are accepted. It is safe for concurrent use.
type Verifier struct{ ring *ring }

// NewVerifier returns a Verifier. It panics if a dependency is missing. It does not read the store.
func NewVerifier(config VerifierConfig) *Verifier {
	required.Fields(config)
	return &Verifier{newRing(keypair.TokenSigning, config.Pairs, config.Now)}
}

// VerificationKeys returns the accepted keys, newest first: those that sign, those that will sign, and those whose
// successor is younger than VerifyFor. The list is empty before the first token was made. It is at most a minute old.
func (v *Verifier) VerificationKeys(ctx context.Context) (keys []keypair.Public, err error) {
	defer fault.Wrap(&err, "list the token verification keys")
	return v.accepted(ctx, refreshEvery)
}

// VerificationKey returns the accepted key with the id that a token names. If the id is unknown or no longer accepted,
// it returns a fault of kind NotFound.
func (v *Verifier) VerificationKey(ctx context.Context, id string) (key *ecdsa.PublicKey, err error) {
	defer fault.Wrap(&err, "get a token verification key")
	for _, maxAge := range []time.Duration{refreshEvery, unknownFor} {
		keys, err := v.accepted(ctx, maxAge)
		if err != nil {
			return nil, err
		}
		for _, public := range keys {
			if public.ID == id {
				return public.Key, nil
			}
		}
	}
	return nil, fault.New(fault.NotFound, "There is no accepted key with this id.")
}

// accepted returns the accepted keys as they were in the store at most maxAge ago.
func (v *Verifier) accepted(ctx context.Context, maxAge time.Duration) ([]keypair.Public, error) {
	pairs, err := v.ring.recent(ctx, maxAge)
	if err != nil {
		return nil, err
	}
	var keys []keypair.Public
	for i := len(pairs) - 1; i >= 0; i-- {
		if i+1 < len(pairs) && v.ring.now().Sub(pairs[i+1].CreatedAt) >= VerifyFor {
			break // the successors of older keys are even older
		}
		public, err := pairs[i].Public()
		if err != nil {
			return nil, err
		}
		keys = append(keys, public)
	}
	return keys, nil
}

package vault

import (
	"context"
	"crypto/ecdsa"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
)

// The times of a rotation of token keys. A token lives 15 minutes, so between the last one that an old key
// signed (SignAfter and a refresh after the new key was made) and VerifyFor more than half an hour is left.
const (
	// SignAfter is how old a key is when it begins to sign: by then every process that verifies has read it, and so
	// has every verifier outside that keeps the key set for as long as it may (a minute) and a few refreshes more.
	SignAfter = 5 * time.Minute
	// VerifyFor is how long after its successor was made a key is still accepted.
	VerifyFor = time.Hour

	// askAgain is how long an unknown key id is believed to be unknown: the id is whatever a stranger wrote
	// into a token, and must not cost a read of the store each time. It is below SignAfter: a genuine key has
	// been in the store for longer than that.
	askAgain = 5 * time.Second
)

// SignerConfig is what a Signer needs.
type SignerConfig struct {
	Pairs     Pairs
	Maker     Maker
	Unwrapper Unwrapper
	Now       func() time.Time // time.Now if nil
}

// Signer has the key for new tokens. It is safe for concurrent use.
type Signer struct {
	founder  founder
	privates privates
}

// NewSigner makes a Signer; it reads nothing yet. A missing dependency is refused.
func NewSigner(config SignerConfig) (*Signer, error) {
	if config.Pairs == nil || config.Maker == nil || config.Unwrapper == nil {
		return nil, errMissing
	}
	ring := newRing(keypair.TokenSigning, config.Pairs, config.Now)
	return &Signer{
		founder:  founder{ring, config.Pairs, config.Maker},
		privates: privates{unwrapper: config.Unwrapper, turn: newTurn()},
	}, nil
}

// SigningKey returns the key that signs now, and its id for the token's "kid": the newest that is older than
// SignAfter, or the oldest if none is. The first call ever makes the pair. Each private key is unwrapped once
// per process; a call reads the store when it was last read a minute ago.
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

// VerifierConfig is what a Verifier needs.
type VerifierConfig struct {
	Pairs PairReader
	Now   func() time.Time // time.Now if nil
}

// Verifier has the keys of the tokens that are accepted. It is safe for concurrent use.
type Verifier struct{ ring *ring }

// NewVerifier makes a Verifier; it reads nothing yet. A missing dependency is refused.
func NewVerifier(config VerifierConfig) (*Verifier, error) {
	if config.Pairs == nil {
		return nil, errMissing
	}
	return &Verifier{newRing(keypair.TokenSigning, config.Pairs, config.Now)}, nil
}

// VerificationKeys returns the keys that are accepted, newest first: those that sign, those that are about to,
// and those whose successor is younger than VerifyFor. There are none before the first token was made. What
// it returns is at most a minute old.
func (v *Verifier) VerificationKeys(ctx context.Context) (keys []keypair.Public, err error) {
	defer fault.Wrap(&err, "list the token verification keys")
	return v.accepted(ctx, refreshEvery)
}

// VerificationKey returns the accepted key with the id that a token names. An unknown one, or one that is no
// longer accepted, is a NotFound fault.
func (v *Verifier) VerificationKey(ctx context.Context, id string) (key *ecdsa.PublicKey, err error) {
	defer fault.Wrap(&err, "get a token verification key")
	for _, maxAge := range []time.Duration{refreshEvery, askAgain} {
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
	return nil, fault.New(fault.NotFound, "No accepted token was signed with this key.")
}

// accepted returns the accepted keys as the store held them at most maxAge ago.
func (v *Verifier) accepted(ctx context.Context, maxAge time.Duration) ([]keypair.Public, error) {
	pairs, err := v.ring.recent(ctx, maxAge)
	if err != nil {
		return nil, err
	}
	var keys []keypair.Public
	for i := len(pairs) - 1; i >= 0; i-- {
		if i+1 < len(pairs) && v.ring.now().Sub(pairs[i+1].CreatedAt) >= VerifyFor {
			break // whatever is older was succeeded even earlier
		}
		public, err := pairs[i].Public()
		if err != nil {
			return nil, err
		}
		keys = append(keys, public)
	}
	return keys, nil
}

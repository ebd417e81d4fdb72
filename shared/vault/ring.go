package vault

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"nepenthes/shared/keypair"
)

// refreshEvery is how old the pairs in memory may be when a newer pair would be preferred.
const refreshEvery = time.Minute

// ring keeps the pairs of one purpose in memory. Readers do not wait for each other. If the pairs are too old, one
// caller reads the store and the others wait for the result.
type ring struct {
	purpose string
	pairs   PairReader
	now     func() time.Time
	turn    turn
	latest  atomic.Pointer[reading]
}

// reading is the result of reading the store. It does not change.
type reading struct {
	pairs []keypair.Pair // oldest first
	at    time.Time      // when the read began
}

func newRing(purpose string, pairs PairReader, now func() time.Time) *ring {
	if now == nil {
		now = time.Now
	}
	r := &ring{purpose: purpose, pairs: pairs, now: now, turn: newTurn()}
	r.latest.Store(&reading{})
	return r
}

// recent returns the pairs as they were in the store at most maxAge ago.
func (r *ring) recent(ctx context.Context, maxAge time.Duration) ([]keypair.Pair, error) {
	if known := r.latest.Load(); r.young(known, maxAge) {
		return known.pairs, nil
	}
	if err := r.turn.take(ctx); err != nil {
		return nil, err
	}
	defer r.turn.leave()
	if known := r.latest.Load(); r.young(known, maxAge) {
		return known.pairs, nil // another caller read them while this one waited
	}
	at := r.now()
	pairs, err := r.pairs.KeyPairs(ctx, r.purpose)
	if err != nil {
		return nil, err
	}
	r.latest.Store(&reading{pairs, at})
	return pairs, nil
}

// young reports whether known is less than maxAge old. A reading without pairs never is, because the first pair is used
// as soon as it is made.
func (r *ring) young(known *reading, maxAge time.Duration) bool {
	return len(known.pairs) > 0 && r.now().Sub(known.at) < maxAge
}

// find returns the pair with the id. If the pair is not in memory, it may be new, so find reads the store.
func (r *ring) find(ctx context.Context, id string) (keypair.Pair, error) {
	if pair, ok := pick(r.latest.Load().pairs, id); ok {
		return pair, nil
	}
	pairs, err := r.recent(ctx, 0)
	if err != nil {
		return keypair.Pair{}, err
	}
	if pair, ok := pick(pairs, id); ok {
		return pair, nil
	}
	return keypair.Pair{}, fmt.Errorf("the store has no key pair %q", id)
}

func pick(pairs []keypair.Pair, id string) (keypair.Pair, bool) {
	for _, pair := range pairs {
		if pair.ID == id {
			return pair, true
		}
	}
	return keypair.Pair{}, false
}

// founder is a ring that may add the first pair.
type founder struct {
	*ring
	store Pairs
	maker Maker
}

// ensure returns the pairs like recent, but adds the first pair if there is none.
func (f *founder) ensure(ctx context.Context) ([]keypair.Pair, error) {
	pairs, err := f.recent(ctx, refreshEvery)
	if err != nil || len(pairs) > 0 {
		return pairs, err
	}
	if err := f.turn.take(ctx); err != nil {
		return nil, err
	}
	defer f.turn.leave()
	if known := f.latest.Load().pairs; len(known) > 0 {
		return known, nil // another caller added it while this one waited
	}
	at := f.now()
	pairs, err = add(ctx, f.store, f.maker, f.purpose, nil, at)
	if err != nil {
		return nil, err
	}
	f.latest.Store(&reading{pairs, at})
	return pairs, nil
}

// privates keeps the private keys that this process has unwrapped. It does not keep failures.
type privates struct {
	unwrapper Unwrapper
	turn      turn
	keys      sync.Map // pair id → *ecdsa.PrivateKey
}

// key returns the private half of pair. Callers that need it at the same time share one call of the unwrapper.
func (p *privates) key(ctx context.Context, pair keypair.Pair) (*ecdsa.PrivateKey, error) {
	if key, ok := p.keys.Load(pair.ID); ok {
		return key.(*ecdsa.PrivateKey), nil
	}
	if err := p.turn.take(ctx); err != nil {
		return nil, err
	}
	defer p.turn.leave()
	if key, ok := p.keys.Load(pair.ID); ok {
		return key.(*ecdsa.PrivateKey), nil
	}
	der, err := p.unwrapper.Unwrap(ctx, pair.Purpose, pair.Wrapped)
	if err != nil {
		return nil, err
	}
	key, err := parsePrivate(der, pair)
	if err != nil {
		return nil, err
	}
	p.keys.Store(pair.ID, key)
	return key, nil
}

// parsePrivate parses a private key and checks that it belongs to pair.
func parsePrivate(der []byte, pair keypair.Pair) (*ecdsa.PrivateKey, error) {
	public, err := pair.Public()
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the unwrapped private key is not PKCS #8") // the cause might contain a part of the key
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(public.Key) {
		return nil, errors.New("the unwrapped private key does not belong to the public key")
	}
	return key, nil
}

// turn lets one caller through at a time. Unlike with a mutex, a caller stops waiting when its context ends.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) leave() { <-t }

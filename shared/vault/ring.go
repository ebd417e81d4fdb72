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

// refreshEvery is how old the pairs in memory may be where a newer one would be preferred.
const refreshEvery = time.Minute

// ring holds the pairs of one purpose in memory. Readers never wait for one another; of those who find it too
// old one reads the store and the others wait for that.
type ring struct {
	purpose string
	pairs   PairReader
	now     func() time.Time
	turn    turn
	latest  atomic.Pointer[reading]
}

// reading is what the store held at a time; it does not change.
type reading struct {
	pairs []keypair.Pair // oldest first
	at    time.Time      // before it was asked for
}

func newRing(purpose string, pairs PairReader, now func() time.Time) *ring {
	if now == nil {
		now = time.Now
	}
	r := &ring{purpose: purpose, pairs: pairs, now: now, turn: newTurn()}
	r.latest.Store(&reading{})
	return r
}

// recent returns the pairs as the store held them at most maxAge ago.
func (r *ring) recent(ctx context.Context, maxAge time.Duration) ([]keypair.Pair, error) {
	if known := r.latest.Load(); r.young(known, maxAge) {
		return known.pairs, nil
	}
	if err := r.turn.take(ctx); err != nil {
		return nil, err
	}
	defer r.turn.leave()
	if known := r.latest.Load(); r.young(known, maxAge) {
		return known.pairs, nil // somebody read them while this caller waited
	}
	at := r.now()
	pairs, err := r.pairs.KeyPairs(ctx, r.purpose)
	if err != nil {
		return nil, err
	}
	r.latest.Store(&reading{pairs, at})
	return pairs, nil
}

// young reports whether known is at most maxAge old. One without pairs never is: the first pair is used as
// soon as it is made, so whoever saw none has to look again.
func (r *ring) young(known *reading, maxAge time.Duration) bool {
	return len(known.pairs) > 0 && r.now().Sub(known.at) < maxAge
}

// find returns the pair with the id, from memory if it is there. One that memory does not have may have been
// made since, so the store is asked.
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

// founder is a ring whose holder may make the first pair.
type founder struct {
	*ring
	store Pairs
	maker Maker
}

// ensure returns the pairs as recent does, and never none: it makes the first pair when there is none.
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
		return known, nil // somebody made it while this caller waited
	}
	at := f.now()
	pairs, err = add(ctx, f.store, f.maker, f.purpose, nil, at)
	if err != nil {
		return nil, err
	}
	f.latest.Store(&reading{pairs, at})
	return pairs, nil
}

// privates keeps the private keys that this process has unwrapped. Failures are not kept.
type privates struct {
	unwrapper Unwrapper
	turn      turn
	keys      sync.Map // pair id → *ecdsa.PrivateKey
}

// key returns the private half of pair; callers that ask at the same time share one call of the unwrapper.
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

// parsePrivate reads a private key and makes sure that it is the other half of pair.
func parsePrivate(der []byte, pair keypair.Pair) (*ecdsa.PrivateKey, error) {
	public, err := pair.Public()
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the unwrapped private key is not PKCS #8") // the cause might show some of it
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(public.Key) {
		return nil, errors.New("the unwrapped private key does not belong to the public key")
	}
	return key, nil
}

// turn lets one caller through at a time. Unlike a mutex it is given up with the caller's context.
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

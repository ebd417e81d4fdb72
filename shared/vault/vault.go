// Package vault seals secrets and opens them, and keeps the keys that sign access tokens. It is the only importer of
// KMS and Secrets Manager.
//
// For each purpose there is a key pair ([keypair.Pair]) in the config table of the store. Its public half is plain. Its
// private half is wrapped by KMS, or by a key file where there is no KMS. A process that writes a secret seals it with
// the public half (HPKE, RFC 9180) and binds it to its place (webhook.SealInfo); it cannot open the secret again. A
// process that may unwrap the private half does so once. So the number of KMS calls depends on the number of processes,
// not of webhooks or deliveries. The types say which part can do what:
//
//	Sealer    seals webhook secrets       used by the functions that write webhooks
//	Opener    opens webhook secrets       used only by the sender
//	Signer    has the key for new tokens  used only by the token endpoint
//	Verifier  has the accepted keys       used by the functions that accept a token
//
// Pairs never change. [Rotate] adds a pair. Secrets sealed with older pairs can be opened for ever, and tokens signed
// with older pairs are accepted for [VerifyFor].
package vault

import (
	"context"
	"errors"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
)

// PairReader reads the pairs of one purpose from the store.
type PairReader interface {
	// KeyPairs returns the pairs, oldest first, or none if there are none. It includes every pair whose PutKeyPair has
	// returned, and the pair that made a PutKeyPair fail.
	KeyPairs(ctx context.Context, purpose string) ([]keypair.Pair, error)
}

// Pairs reads and adds pairs.
type Pairs interface {
	PairReader
	// PutKeyPair adds pair if the newest pair of its purpose has the id after; "" means that there is none yet.
	// Otherwise it changes nothing and returns a fault of kind UpdateConflict.
	PutKeyPair(ctx context.Context, pair keypair.Pair, after string) error
}

// Maker makes a key pair on P-256 for a purpose and returns the private half only wrapped.
type Maker interface {
	Make(ctx context.Context, purpose string) (publicKey, wrapped []byte, err error)
}

// Unwrapper returns the private half as PKCS #8 in DER. It returns an error if wrapped was made for another purpose or
// by another key, or was altered.
type Unwrapper interface {
	Unwrap(ctx context.Context, purpose string, wrapped []byte) (privateKey []byte, err error)
}

// Rotate adds a pair for purpose and returns the newest pair afterwards. That is its own pair, or the pair that another
// process added at the same time, which serves as well. Rotate may add the first pair.
func Rotate(ctx context.Context, pairs Pairs, maker Maker, purpose string, now time.Time) (newest keypair.Pair, err error) {
	defer fault.Wrap(&err, "rotate the key pair for %s", purpose)
	present, err := pairs.KeyPairs(ctx, purpose)
	if err != nil {
		return keypair.Pair{}, err
	}
	all, err := add(ctx, pairs, maker, purpose, present, now)
	if err != nil {
		return keypair.Pair{}, err
	}
	return all[len(all)-1], nil
}

// add makes a pair that follows the present pairs, and returns the pairs of the store afterwards. If several processes
// add at the same time, the store accepts one pair, and all use it.
func add(ctx context.Context, pairs Pairs, maker Maker, purpose string, present []keypair.Pair, now time.Time) ([]keypair.Pair, error) {
	after := ""
	if len(present) > 0 {
		newest := present[len(present)-1]
		after = newest.ID
		// Pairs must be ordered by their times, even if the clocks of their makers differ.
		if earliest := newest.CreatedAt.Add(time.Millisecond); now.Before(earliest) {
			now = earliest
		}
	}
	public, wrapped, err := maker.Make(ctx, purpose)
	if err != nil {
		return nil, err
	}
	pair, err := keypair.New(purpose, public, wrapped, now)
	if err != nil {
		return nil, err
	}
	if err := pairs.PutKeyPair(ctx, pair, after); err != nil && !fault.Is(err, fault.UpdateConflict) {
		return nil, err
	}
	all, err := pairs.KeyPairs(ctx, purpose)
	if err == nil && len(all) <= len(present) {
		err = errors.New("the store does not show the pair that was added")
	}
	return all, err
}

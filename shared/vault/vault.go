// Package vault seals secrets at rest and opens them, keeps the keys that sign access tokens, and is the only
// importer of KMS and Secrets Manager.
//
// For each purpose there is a key pair ([keypair.Pair]) in the store's config table: the public half plain, the
// private half wrapped by KMS, or by a key file where there is no KMS. Whoever writes a secret seals it with
// the public half (HPKE, RFC 9180), bound to its place (webhook.SealInfo), and cannot open it again; whoever may
// unwrap the private half does so once per process. So calls of KMS follow the number of processes, not of webhooks or deliveries, and the types
// say who can do what:
//
//	Sealer    webhook secrets in      the functions that write webhooks
//	Opener    webhook secrets out     the sender alone
//	Signer    the key for new tokens  the token endpoint alone
//	Verifier  the keys of old tokens  whoever takes a token
//
// Pairs are never changed. [Rotate] adds one; what older ones sealed can be opened for ever, what they signed
// is accepted for [VerifyFor].
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
	// KeyPairs returns them oldest first, none being no error. It sees every pair whose PutKeyPair has
	// returned, and the one that made a PutKeyPair fail.
	KeyPairs(ctx context.Context, purpose string) ([]keypair.Pair, error)
}

// Pairs reads and adds pairs.
type Pairs interface {
	PairReader
	// PutKeyPair adds pair if the newest pair of its purpose has the id after, "" meaning that there is
	// none yet. Otherwise it changes nothing and fails with a fault of kind UpdateConflict.
	PutKeyPair(ctx context.Context, pair keypair.Pair, after string) error
}

// Maker makes a key pair on P-256 for a purpose, and does not show its private half.
type Maker interface {
	Make(ctx context.Context, purpose string) (publicKey, wrapped []byte, err error)
}

// Unwrapper returns the private half, PKCS #8 in DER. It fails when wrapped was made for another purpose or by
// another key, or was altered.
type Unwrapper interface {
	Unwrap(ctx context.Context, purpose string, wrapped []byte) (privateKey []byte, err error)
}

// errMissing is what a constructor says of a dependency that the wiring forgot.
var errMissing = errors.New("a dependency is missing")

// Rotate adds a pair for purpose and returns the pair that is then the newest: the one it made, or one that
// somebody else added at the same moment, which serves as well. The first pair can be made by it too.
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

// add makes a pair that follows the present ones and returns what the store holds then. Of several that add at
// once the store lets one win; the others drop the pair they made and go on with the winner's.
func add(ctx context.Context, pairs Pairs, maker Maker, purpose string, present []keypair.Pair, now time.Time) ([]keypair.Pair, error) {
	after := ""
	if len(present) > 0 {
		newest := present[len(present)-1]
		after = newest.ID
		// Pairs are ordered by their time, whatever the clocks of their makers say.
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

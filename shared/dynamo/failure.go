package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/fault"
)

const (
	// retryAfter is how long a client should wait when the store is unavailable.
	retryAfter = 2 * time.Second
	// retryFor is how long conflicts and unprocessed items are retried before the store is reported as unavailable.
	retryFor = 5 * time.Second
	// With these waits, a hundred processes that change the catalogue at the same time all succeed in half of retryFor
	// (simulated with 15 ms for a transaction).
	firstWait = 20 * time.Millisecond
	maxWait   = 200 * time.Millisecond
)

// classify returns a fault of kind Unavailable for an error that may pass by itself. It returns any other error
// unchanged.
func classify(err error) error {
	if _, conflict := errors.AsType[*types.TransactionConflictException](err); conflict || awsclient.IsTemporary(err) {
		return unavailable(err)
	}
	return err
}

// unavailable returns the fault for a store that does not answer. err is for the log.
func unavailable(err error) error {
	return fault.New(fault.Unavailable, "The store does not answer at the moment.").
		With("Try again a little later.").After(retryAfter).Because(err)
}

// refusal tells apart the errors of a conditional write. If the condition did not hold, refused is true and stored is
// the stored item. Any other error is classified.
func refusal(err error) (stored item, refused bool, _ error) {
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed.Item, true, nil
	}
	return nil, false, classify(err)
}

// retry calls try until it is done or fails. It waits a random time between calls, longer each time. After retryFor it
// returns a fault of kind Unavailable.
func retry(ctx context.Context, try func(context.Context) (done bool, err error)) error {
	deadline := time.Now().Add(retryFor)
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		done, err := try(ctx)
		if done || err != nil {
			return err
		}
		pause := time.NewTimer(rand.N(wait))
		select {
		case <-ctx.Done():
			pause.Stop()
			return classify(ctx.Err())
		case now := <-pause.C:
			if now.After(deadline) {
				return unavailable(errors.New("too many conflicts"))
			}
		}
	}
}

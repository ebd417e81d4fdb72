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
	// retryAfter is what a client is told to wait when the store is unavailable.
	retryAfter = 2 * time.Second
	// patience is how long conflicts and unprocessed items are retried before the store counts as unavailable.
	patience = 5 * time.Second
	// The waits are what gets a hundred changes of the catalogue at once, each from a process of its own, through
	// in half of that time (simulated with 15 ms a transaction).
	firstWait = 20 * time.Millisecond
	longWait  = 200 * time.Millisecond
)

// classify returns a fault of kind Unavailable for an error that may pass by itself. It returns any other error
// unchanged.
func classify(err error) error {
	if _, conflict := errors.AsType[*types.TransactionConflictException](err); conflict || awsclient.IsTemporary(err) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "The store does not answer at the moment.").
		With("Try again a little later.").After(retryAfter).Because(err)
}

func missing(kind, id string) error { return fault.New(fault.NotFound, "There is no %s %s.", kind, id) }

func conflict(kind string) error {
	return fault.New(fault.UpdateConflict, "Somebody else has changed the %s meanwhile.", kind).
		With("Read it again and repeat the change.")
}

// refusal tells a write whose condition did not hold, and what is stored there, from one that failed.
func refusal(err error) (stored item, refused bool, _ error) {
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed.Item, true, nil
	}
	return nil, false, classify(err)
}

// patiently tries until try is done or has failed, with growing random waits between; after the time of patience
// the store counts as unavailable.
func patiently(ctx context.Context, try func(context.Context) (done bool, err error)) error {
	deadline := time.Now().Add(patience)
	for wait := firstWait; ; wait = min(2*wait, longWait) {
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

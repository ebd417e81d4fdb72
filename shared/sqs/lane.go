// Package sqs keeps the lanes in SQS standard queues. In the cloud the functions only send: what they receive
// comes from an event source. Receiving and deleting are for local and for tests.
//
// A send can be taken in part, and an answer can get lost after the send has happened: what is not known to be
// taken is sent again, since every consumer stands duplicates.
package sqs

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/fault"
)

// Lane is one lane. It implements lane.Sender, for local and tests lane.Consumer too, and is safe
// for concurrent use.
type Lane struct {
	client *sqs.Client
	url    string

	mu sync.Mutex // protects handles
	// handles are the receipts of what was received and not deleted, by message id. Those of messages that
	// became dead letters stay; they are few.
	handles map[string]string
}

// New makes the lane whose queue has that URL, from package awsclient's configuration. It panics without a URL and
// does not touch the network.
func New(cfg aws.Config, queueURL string) *Lane {
	if queueURL == "" {
		panic("sqs: a lane without the URL of its queue")
	}
	return &Lane{client: sqs.NewFromConfig(cfg), url: queueURL, handles: map[string]string{}}
}

const (
	// retryAfter is what a client is told to wait when the lanes are unavailable.
	retryAfter = 2 * time.Second
	// tries is how often a message is offered to a queue that answers, but does not take it. The waits before the
	// second and later ones are random up to 100, 200, 400 and 800 ms, as for requests that fail as a whole.
	tries     = 5
	firstWait = 100 * time.Millisecond
)

// classify returns a fault of kind Unavailable for an error that may pass by itself. It returns any other error
// unchanged.
func classify(err error) error {
	if awsclient.IsTemporary(err) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "The queues do not answer at the moment.").
		With("Try again a little later.").After(retryAfter).Because(err)
}

// pause waits a random time before the try that follows the failed-th.
func pause(ctx context.Context, failed int) error {
	wait := time.NewTimer(rand.N(firstWait << (failed - 1)))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

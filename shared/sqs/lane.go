// Package sqs keeps the lanes in SQS standard queues. The functions in the cloud only send; an event source gives them
// their messages. Receiving and deleting are for local and for tests.
//
// SQS may take only a part of a send, or its response may be lost. A message that may not have been taken is sent
// again, because every consumer tolerates duplicates.
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

// Lane is one lane. It implements lane.Sender and, for local and tests, lane.Consumer. It is safe for concurrent use.
type Lane struct {
	client *sqs.Client
	url    string

	mu sync.Mutex // protects handles
	// handles are the receipt handles of messages that were received but not deleted, by message id. Those of messages
	// that became dead letters stay; they are few.
	handles map[string]string
}

// New returns the lane of the queue with a URL, using the configuration of package awsclient. It panics without a URL.
// It does not use the network.
func New(cfg aws.Config, queueURL string) *Lane {
	if queueURL == "" {
		panic("sqs.New: queueURL is missing")
	}
	return &Lane{client: sqs.NewFromConfig(cfg), url: queueURL, handles: map[string]string{}}
}

const (
	// retryAfter is how long a client should wait when the queues are unavailable.
	retryAfter = 2 * time.Second
	// tries is how often a message is sent to a queue that answers but does not take it. The waits between tries are
	// random, up to 100, 200, 400 and 800 ms, as for requests that fail as a whole.
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

// unavailable returns the fault for queues that do not answer. err is for the log.
func unavailable(err error) error {
	return fault.New(fault.Unavailable, "The queues do not answer at the moment.").
		With("Try again a little later.").After(retryAfter).Because(err)
}

// pause waits a random time after so many failed tries. It returns an error if ctx ends first.
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

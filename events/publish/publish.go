// Package publish sends events to the queue of Nepenthes.
//
// SQS may accept a part of a batch. If it refuses events because of its own failures, a Publisher waits and sends these events
// again. If some events still cannot be sent, Publish returns an [*Error] that names each of them. The producer should
// then send these events again. Sending an event twice does no harm, because Nepenthes delivers an event once per source and
// id.
package publish

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nepenthes/events"
)

// BatchSender sends a batch of messages to SQS. An *sqs.Client is a BatchSender. It should retry requests that fail as a
// whole, as *sqs.Client does, because a Publisher does not.
type BatchSender interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Config configures a Publisher. Fields that do not state a default are required.
type Config struct {
	// Client sends the batches.
	Client BatchSender
	// QueueURL is the address of the events queue: the output EventsQueueUrl of the deployment.
	QueueURL string
	// Attempts is the maximum number of times that an event is sent. The default is 5.
	Attempts int
	// Backoff is the longest wait before the second attempt. The default is 200 ms. It doubles with each attempt, up to
	// 10 s. The actual wait is a random time between half of the longest wait and all of it, so that producers that failed
	// at the same time do not retry at the same time.
	Backoff time.Duration
}

const (
	defaultAttempts = 5
	defaultBackoff  = 200 * time.Millisecond
	longestBackoff  = 10 * time.Second
)

// Publisher sends events to one queue. It is safe for concurrent use.
type Publisher struct{ config Config }

// New returns a Publisher. It returns an error if a required field of config is missing or a number is negative.
func New(config Config) (*Publisher, error) {
	switch {
	case config.Client == nil:
		return nil, errors.New("publish: Config.Client is missing")
	case config.QueueURL == "":
		return nil, errors.New("publish: Config.QueueURL is missing")
	case config.Attempts < 0 || config.Backoff < 0:
		return nil, errors.New("publish: Config.Attempts and Config.Backoff cannot be negative")
	}
	if config.Attempts == 0 {
		config.Attempts = defaultAttempts
	}
	if config.Backoff == 0 {
		config.Backoff = defaultBackoff
	}
	return &Publisher{config}, nil
}

// Publish sends the events and returns nil if SQS accepted all of them. It first checks all events. If one is not valid,
// Publish sends none. If a request fails as a whole, Publish does not send the events after it, because the next request
// would probably fail too. The error is an [*Error] that names every event that was not sent. If a response was lost, some
// of these events may have arrived.
func (p *Publisher) Publish(ctx context.Context, list ...events.Event) error {
	letters, err := write(list)
	if err != nil {
		return err
	}
	for batch := range batches(letters) {
		if !p.send(ctx, batch) {
			break
		}
	}
	return unsent(letters)
}

// send sends one batch. If SQS refuses events because of its own failures, send sends these events again, up to the maximum
// number of attempts. It returns false if Publish should not send the next batch.
func (p *Publisher) send(ctx context.Context, batch []*letter) bool {
	for attempt := 1; ; attempt++ {
		output, err := p.config.Client.SendMessageBatch(ctx, p.request(batch))
		if err != nil {
			for _, letter := range batch {
				letter.err = err
			}
			return false
		}
		batch = settle(batch, output)
		if len(batch) == 0 || attempt == p.config.Attempts {
			return true
		}
		if err := p.wait(ctx, attempt); err != nil {
			for _, letter := range batch {
				letter.err = fmt.Errorf("%w, after %w", err, letter.err)
			}
			return false
		}
	}
}

func (p *Publisher) request(batch []*letter) *sqs.SendMessageBatchInput {
	entries := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i, letter := range batch {
		// The id of an entry only matters within the request, and it may be only 80 characters long, so it cannot be the id of
		// the event.
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &letter.body}
	}
	return &sqs.SendMessageBatchInput{QueueUrl: &p.config.QueueURL, Entries: entries}
}

// settle sets the error of each letter to the result in output and returns the letters that should be sent again. These are
// the letters that SQS refused without blaming the sender, and those that output does not mention.
func settle(batch []*letter, output *sqs.SendMessageBatchOutput) (again []*letter) {
	for i, letter := range batch {
		id := strconv.Itoa(i)
		if slices.ContainsFunc(output.Successful, func(e types.SendMessageBatchResultEntry) bool { return aws.ToString(e.Id) == id }) {
			letter.err = nil
			continue
		}
		failure := slices.IndexFunc(output.Failed, func(e types.BatchResultErrorEntry) bool { return aws.ToString(e.Id) == id })
		if failure < 0 {
			letter.err = errors.New("SQS: no result for this message")
			again = append(again, letter)
			continue
		}
		refusal := output.Failed[failure]
		letter.err = fmt.Errorf("SQS: %s: %s", aws.ToString(refusal.Code), aws.ToString(refusal.Message))
		if !refusal.SenderFault {
			again = append(again, letter)
		}
	}
	return again
}

// wait waits before the attempt after the given one. It returns an error if ctx ends first.
func (p *Publisher) wait(ctx context.Context, attempt int) error {
	longest := p.config.Backoff
	for i := 1; i < attempt && longest < longestBackoff; i++ {
		longest *= 2
	}
	longest = min(longest, longestBackoff)
	timer := time.NewTimer(longest/2 + rand.N(longest/2+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

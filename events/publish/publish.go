// Package publish sends events to the queue from which Nepenthes takes them.
//
// Events travel in batches of SQS. A batch may be taken in part: what SQS could not take for reasons of its own
// is sent again after a wait, and what is left in the end comes back in an [*Error] that names each event.
// Sending an event twice does no harm, since Nepenthes delivers it once per source and id; so after an error a
// producer sends the events that it names again, and need not know how far the first try got.
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

// BatchSender is the one ability of an SQS client that is needed; *sqs.Client has it. Its own retries are for
// requests that fail as a whole and stay its business.
type BatchSender interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
}

// Config is what a Publisher works with.
type Config struct {
	// Client sends; required.
	Client BatchSender
	// QueueURL is the address of the events queue, the output EventsQueueUrl of the deployment; required.
	QueueURL string
	// Attempts is how often an event is offered to SQS before it is given up; 5 when zero.
	Attempts int
	// Backoff is the longest wait before the second attempt; 200 ms when zero. It doubles with each attempt, up
	// to 10 s. The true wait is a random time between half of that and all of it, so that producers which
	// failed together do not come back together.
	Backoff time.Duration
}

const (
	defaultAttempts = 5
	defaultBackoff  = 200 * time.Millisecond
	longestBackoff  = 10 * time.Second
)

// Publisher sends events to one queue. It is safe for concurrent use.
type Publisher struct{ config Config }

// New makes a Publisher. It fails when the client or the queue's address is missing, or a number is negative.
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

// Publish sends the events and returns nil once SQS has all of them. First every event is checked: if one is
// not valid, none is sent. Otherwise as many as possible are sent, but for what follows a request that failed
// as a whole, since the next would hardly fare better. The error is an [*Error] that names every event not sent;
// when an answer got lost on its way some of those may have arrived nevertheless.
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

// send offers one batch until SQS has taken all it will ever take. It answers false when going on is no use.
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
				letter.err = fmt.Errorf("%w, after SQS said: %w", err, letter.err)
			}
			return false
		}
	}
}

func (p *Publisher) request(batch []*letter) *sqs.SendMessageBatchInput {
	entries := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i, letter := range batch {
		// An entry's id has meaning within its request only, and allows less than an event's.
		entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &letter.body}
	}
	return &sqs.SendMessageBatchInput{QueueUrl: &p.config.QueueURL, Entries: entries}
}

// settle notes what SQS said about each letter and returns those that are worth another try: it failed on them
// and the fault was its own, or it passed over them in silence.
func settle(batch []*letter, output *sqs.SendMessageBatchOutput) (again []*letter) {
	for i, letter := range batch {
		id := strconv.Itoa(i)
		if slices.ContainsFunc(output.Successful, func(e types.SendMessageBatchResultEntry) bool { return aws.ToString(e.Id) == id }) {
			letter.err = nil
			continue
		}
		failure := slices.IndexFunc(output.Failed, func(e types.BatchResultErrorEntry) bool { return aws.ToString(e.Id) == id })
		if failure < 0 {
			letter.err = errors.New("SQS said nothing about it")
			again = append(again, letter)
			continue
		}
		said := output.Failed[failure]
		letter.err = fmt.Errorf("SQS: %s: %s", aws.ToString(said.Code), aws.ToString(said.Message))
		if !said.SenderFault {
			again = append(again, letter)
		}
	}
	return again
}

// wait waits before the attempt that follows the given one. It fails when ctx ends first.
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

package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"nepenthes/shared/lambdahost"
	"nepenthes/shared/lane"
)

// source is the receiving end of a lane, see lane.Consumer.
type source interface {
	Receive(ctx context.Context, max int) ([]lane.Message, error)
	Delete(ctx context.Context, ids ...string) error
}

// consumer consumes one lane, like an SQS event source in the cloud. It passes each message to the same batch adapter
// as there. Each message is in a batch of its own, so that a slow message does not delay others.
type consumer struct {
	source source
	batch  lambdahost.Batch
	slots  int  // number of messages in progress at once
	twice  bool // process every message twice
	logger *slog.Logger
}

// run consumes messages until ctx ends, and returns when no message is in progress any more.
func (c *consumer) run(ctx context.Context) {
	var workers sync.WaitGroup
	defer workers.Wait()
	jobs, free := make(chan lane.Message), make(chan struct{}, c.slots)
	for range c.slots {
		free <- struct{}{}
	}
	for ctx.Err() == nil {
		room := c.room(ctx, free)
		messages, err := c.source.Receive(ctx, room)
		for range room - len(messages) {
			free <- struct{}{}
		}
		if err != nil {
			c.pause(ctx, err)
		}
		for _, m := range messages {
			c.give(ctx, m, jobs, free, &workers)
		}
	}
}

// room waits for a free slot, takes all free slots and returns their number. It returns 0 if ctx ends first.
func (c *consumer) room(ctx context.Context, free chan struct{}) (taken int) {
	select {
	case <-free:
	case <-ctx.Done():
		return 0
	}
	for taken = 1; ; taken++ {
		select {
		case <-free:
		default:
			return taken
		}
	}
}

// give passes a message to an idle worker, or to a new one. Workers are kept, because their stacks have already grown
// to the size that a message needs.
func (c *consumer) give(ctx context.Context, m lane.Message, jobs chan lane.Message, free chan struct{}, workers *sync.WaitGroup) {
	select {
	case jobs <- m:
		return
	default:
	}
	workers.Go(func() {
		for {
			c.work(ctx, m)
			free <- struct{}{}
			select {
			case m = <-jobs:
			case <-ctx.Done():
				return
			}
		}
	})
}

// pauseAfterFailure is the wait after a failed receive, which avoids a tight loop while the store is broken.
const pauseAfterFailure = 100 * time.Millisecond

func (c *consumer) pause(ctx context.Context, err error) {
	if !errors.Is(err, context.Canceled) {
		c.logger.ErrorContext(ctx, "lane.receive_failed", "error", err)
	}
	select {
	case <-time.After(pauseAfterFailure):
	case <-ctx.Done():
	}
}

// work processes one message, and deletes it from the lane if that succeeds. Otherwise the message comes back by itself.
func (c *consumer) work(ctx context.Context, m lane.Message) {
	times := 1
	if c.twice {
		times = 2
	}
	for range times {
		if !c.invoke(ctx, m) {
			return
		}
	}
	if err := c.source.Delete(context.WithoutCancel(ctx), m.ID); err != nil {
		c.logger.ErrorContext(ctx, "lane.delete_failed", "error", err)
	}
}

func (c *consumer) invoke(ctx context.Context, m lane.Message) (done bool) {
	answer, err := c.batch(ctx, lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{lambdahost.Record(m)}})
	return err == nil && len(answer.BatchItemFailures) == 0
}

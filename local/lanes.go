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

// source is the receiving side of a lane, see conformance.Consumer.
type source interface {
	Receive(ctx context.Context, max int) ([]lane.Message, error)
	Delete(ctx context.Context, ids ...string) error
}

// consumer runs one lane: it does for local what an SQS event source does in the cloud. Each message goes through
// the same batch adapter as there, in a batch of its own, so that one that takes long holds up no other.
type consumer struct {
	source source
	batch  lambdahost.Batch
	slots  int           // messages in work at once
	limit  time.Duration // of one invocation, as the function's time-out
	twice  bool          // hand over every message twice
	logger *slog.Logger
}

// run consumes until ctx ends, and returns when the last message in work is through.
func (c *consumer) run(ctx context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	free := make(chan struct{}, c.slots)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		messages, err := c.source.Receive(ctx, 1+c.slots-len(free))
		<-free
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.pause(ctx, err)
			continue
		}
		for _, m := range messages {
			free <- struct{}{} // there is room for all that were asked for
			working.Go(func() {
				defer func() { <-free }()
				c.work(ctx, m)
			})
		}
	}
}

// pauseAfterFailure keeps a broken store from being asked in a tight loop.
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

// work hands over one message, and acknowledges it when it is done. One that is not comes back by itself.
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
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	answer, err := c.batch(ctx, lambdaevents.SQSEvent{Records: []lambdaevents.SQSMessage{lambdahost.Record(m)}})
	return err == nil && len(answer.BatchItemFailures) == 0
}

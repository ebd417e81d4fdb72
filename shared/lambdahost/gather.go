package lambdahost

import (
	"context"
	"sync"
	"time"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// Sender sends messages on one lane. If Send returns nil, all messages are durable there.
type Sender interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// Gather returns a Sender that combines the messages that one batch sends to the same lane into one request. SQS charges
// by request, and a request with ten messages costs as much as a request with one. Send waits until every other message
// of the batch also waits or is done, but at most gatherFor. Like the Send of to, it returns when its messages are
// durable. A send that fails does not make others fail. Outside a batch, or if the messages fill a request, Send calls
// the Send of to directly.
func Gather(to Sender) Sender { return &gathered{to} }

// gatherFor is the longest time that sends wait for a slow message of the same batch.
const gatherFor = 50 * time.Millisecond

type gathered struct{ to Sender }

// Send waits for the other messages of the batch, as described at Gather.
func (g *gathered) Send(ctx context.Context, messages ...lane.Message) error {
	b, ok := ctx.Value(batchKey{}).(*batch)
	if !ok || len(messages) >= limits.BatchSize {
		return g.to.Send(ctx, messages...)
	}
	w := &waiting{g, messages, make(chan error, 1)}
	b.wait(w)
	select {
	case err := <-w.sent:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// batchKey is the key of the batch in the contexts of its messages.
type batchKey struct{}

// batch tracks the messages of one batch.
type batch struct {
	ctx context.Context // ends when the batch does

	mu      sync.Mutex // protects the fields below
	working int        // messages that are not done
	waiting []*waiting
	timer   *time.Timer
}

// waiting holds messages that wait to be sent together with others.
type waiting struct {
	to       *gathered
	messages []lane.Message
	sent     chan error
}

// newBatch returns a batch and the context for its messages.
func newBatch(ctx context.Context, messages int) (*batch, context.Context) {
	b := &batch{ctx: ctx, working: messages}
	return b, context.WithValue(ctx, batchKey{}, b)
}

// wait adds w to the waiting sends. The first of them starts the timer, so that no send waits longer than gatherFor.
func (b *batch) wait(w *waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting = append(b.waiting, w); len(b.waiting) == 1 {
		b.timer = time.AfterFunc(gatherFor, b.send)
	}
	b.sendIfAllWait()
}

// done records that one message is done.
func (b *batch) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.working--
	b.sendIfAllWait()
}

// sendIfAllWait sends if every message that is not done waits. The caller must hold mu.
func (b *batch) sendIfAllWait() {
	if len(b.waiting) > 0 && len(b.waiting) >= b.working {
		b.timer.Stop()
		go b.send()
	}
}

// send sends the waiting messages, with requests to different lanes at the same time.
func (b *batch) send() {
	b.mu.Lock()
	all := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	byLane := map[*gathered][]*waiting{}
	for _, w := range all {
		byLane[w.to] = append(byLane[w.to], w)
	}
	for to, together := range byLane {
		go sendTogether(b.ctx, to.to, together)
	}
}

// sendTogether sends all messages in as few requests as possible. If that fails, it makes each send separately, so that
// only the sends that fail alone get an error. Messages of the first try may then arrive twice.
func sendTogether(ctx context.Context, to Sender, together []*waiting) {
	var messages []lane.Message
	for _, w := range together {
		messages = append(messages, w.messages...)
	}
	err := to.Send(ctx, messages...)
	for _, w := range together {
		if err != nil && len(together) > 1 {
			w.sent <- to.Send(ctx, w.messages...)
		} else {
			w.sent <- err
		}
	}
}

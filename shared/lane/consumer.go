package lane

import "context"

// Sender sends messages on one lane. It returns nil when every message is durable there. After an error some may
// have been sent; sending all of them again is harmless, since every consumer stands duplicates. When one of them is
// refused by Message.Check, none is sent.
type Sender interface {
	Send(ctx context.Context, messages ...Message) error
}

// Consumer is the receiving side of one lane: what an SQS event source does for a function, and what the embedded
// lane does by itself.
type Consumer interface {
	Sender
	// Receive waits until there are visible messages or ctx ends (then ctx's error), and gives at most max of
	// them. Each stays hidden for the lane's visibility from now and then comes back, until it is deleted. One
	// that has been received limits.MaxReceiveCount times moves to the dead-letter lane instead, keeping id, body
	// and attributes.
	Receive(ctx context.Context, max int) ([]Message, error)
	// Waiting counts the messages that are visible now; a lane in the cloud may be a little behind.
	Waiting(ctx context.Context) (int, error)
	// Delete acknowledges received messages by id; those that are gone already are no fault.
	Delete(ctx context.Context, ids ...string) error
}

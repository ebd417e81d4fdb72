package lane

import "context"

// Sender sends messages on one lane.
type Sender interface {
	// Send returns nil when every message is durable in the lane. If Message.Check refuses one of the messages, Send
	// sends none of them. After any other error some messages may have been sent. Sending all of them again is then
	// harmless, because every consumer handles duplicates.
	Send(ctx context.Context, messages ...Message) error
}

// Consumer receives the messages of one lane. On AWS an SQS event source does this for a function.
type Consumer interface {
	Sender
	// Receive waits until the lane has visible messages and returns at most max of them. It returns the error of ctx
	// if ctx ends first. A received message is hidden for the visibility time of the lane, and becomes visible again
	// unless it is deleted. After limits.MaxReceiveCount receives a message moves to the dead-letter lane instead,
	// with its id, body and attributes.
	Receive(ctx context.Context, max int) ([]Message, error)
	// Waiting returns the number of messages that are visible now. The number of a lane on SQS may be a little behind.
	Waiting(ctx context.Context) (int, error)
	// Delete acknowledges received messages by their ids. Deleting a message that no longer exists is not an error.
	Delete(ctx context.Context, ids ...string) error
}

// Package lane names the queues by which work travels, and the message that travels on them.
//
// There are three: events waiting for fan-out, first attempts waiting for the sender, and later attempts. Each
// has a dead-letter lane of its own, for what our own code could not process (a receiver's failures never go
// there). A lane delivers at least once and in no order.
package lane

import "time"

// Name is the name of a lane.
type Name string

// The lanes.
const (
	Events     Name = "events"
	Deliveries Name = "deliveries"
	Retries    Name = "retries"
)

// Names lists the lanes that are consumed.
func Names() []Name { return []Name{Events, Deliveries, Retries} }

// DeadLetters is the lane that takes what n's consumer could not process.
func (n Name) DeadLetters() Name { return n + "-dead" }

// Attributes that messages carry.
const (
	// Reason says why a message was sent straight to a dead-letter lane (an events.Reason).
	Reason = "reason"
	// Detail explains the reason in a sentence.
	Detail = "detail"
	// Truncated is "true" on a dead letter whose body was cut.
	Truncated = "truncated"
	// Again is "true" on a doorbell for a delivery that is known to have a row: the sender then reads it before
	// it tries to make one. Only a hint; without it the same happens at the price of a write.
	Again = "again"
	// Traceparent is the W3C trace context of whoever sent the message.
	Traceparent = "traceparent"
)

// Message is one message, to be sent or as received.
type Message struct {
	// ID is the lane's name for the message; a redrive changes it, so it is never an identity. Send ignores it.
	ID string
	// Body is at most 1 MiB, attributes included.
	Body []byte
	// Group is the MessageGroupId that fair queues go by: the webhook's id. Empty: none.
	Group string
	// Attributes are string attributes, at most ten.
	Attributes map[string]string
	// Delay keeps a message that is sent invisible for so long, at most 15 minutes. SQS counts in whole
	// seconds: a lane on SQS rounds up.
	Delay time.Duration
	// ReceiveCount is how often the message has been received, this time included; zero when sent.
	ReceiveCount int
	// SentAt is when the lane took the message; zero when sent.
	SentAt time.Time
}

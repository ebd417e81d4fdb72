// Package lane names the queues by which work travels, and the message that travels on them.
//
// There are three: events waiting for fan-out, first attempts waiting for the sender, and later attempts. Each
// has a dead-letter lane of its own, for what our own code could not process (a receiver's failures never go
// there). A lane delivers at least once and in no order.
package lane

import (
	"fmt"
	"time"

	"nepenthes/shared/limits"
)

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

// AttributeType is the type of every attribute, whose name SQS counts with each.
const AttributeType = "String"

// Size is what SQS counts of a message, in bytes: the body, and the names, types and values of its attributes.
func (m *Message) Size() int {
	size := len(m.Body)
	for name, value := range m.Attributes {
		size += len(name) + len(AttributeType) + len(value)
	}
	return size
}

// Check refuses a message that SQS would never take: more than ten attributes, more than 1 MiB with them, or a delay
// of more than 15 minutes.
func (m *Message) Check() error {
	switch size := m.Size(); {
	case size > limits.BatchBytes:
		return fmt.Errorf("a message of %d bytes with its attributes, the most is %d", size, limits.BatchBytes)
	case len(m.Attributes) > limits.MessageAttributes:
		return fmt.Errorf("a message with %d attributes, the most is %d", len(m.Attributes), limits.MessageAttributes)
	case m.Delay > limits.MaxDelay:
		return fmt.Errorf("a message with a delay of %v, the most is %v", m.Delay, limits.MaxDelay)
	}
	return nil
}

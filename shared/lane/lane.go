// Package lane declares the queues of the system, called lanes, and their messages.
//
// There are three lanes: events waiting for fan-out, first attempts waiting for the sender, and later attempts waiting
// for the sender. Each has its own dead-letter lane for messages that our own code could not process. The failure of a
// receiver never produces a dead letter. A lane delivers every message at least once, in any order.
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

// Names returns the lanes without their dead-letter lanes.
func Names() []Name { return []Name{Events, Deliveries, Retries} }

// DeadLetters returns the dead-letter lane of n: the lane for messages that n's consumer could not process.
func (n Name) DeadLetters() Name { return n + "-dead" }

// Names of message attributes.
const (
	// Reason says why fan-out sent a message to a dead-letter lane. Its value is an events.Reason.
	Reason = "reason"
	// Detail explains the reason in a sentence.
	Detail = "detail"
	// Truncated is "true" on a dead letter whose body was cut.
	Truncated = "truncated"
	// Again is "true" on a doorbell for a delivery that is known to have a row. The sender then reads the row before
	// it tries to create one. It is only a hint, which saves a write.
	Again = "again"
	// Traceparent is the W3C trace context of the sender of the message.
	Traceparent = "traceparent"
)

// Message is a message that is to be sent or has been received.
type Message struct {
	// ID is the id that the lane gave the message. It must not serve as an identity, because a redrive changes it.
	// Send ignores it.
	ID string
	// Body is at most 1 MiB together with the attributes.
	Body []byte
	// Group is the MessageGroupId for fair queues: the id of the webhook. It may be empty.
	Group string
	// Attributes are string attributes, at most ten.
	Attributes map[string]string
	// Delay is how long the message stays invisible after it is sent, at most 15 minutes. SQS counts in whole
	// seconds, so a lane on SQS rounds up.
	Delay time.Duration
	// ReceiveCount is how often the message has been received, this time included. Send ignores it.
	ReceiveCount int
	// SentAt is when the lane accepted the message. Send ignores it.
	SentAt time.Time
}

// AttributeType is the SQS data type of every attribute. SQS adds its length to the size of each attribute.
const AttributeType = "String"

// Size returns the size of the message in bytes as SQS counts it: the body and the names, types and values of the
// attributes.
func (m *Message) Size() int {
	size := len(m.Body)
	for name, value := range m.Attributes {
		size += len(name) + len(AttributeType) + len(value)
	}
	return size
}

// Check returns an error for a message that SQS would refuse: one with more than ten attributes, with more than 1 MiB
// including its attributes, or with a delay of more than 15 minutes.
func (m *Message) Check() error {
	switch size := m.Size(); {
	case size > limits.BatchBytes:
		return fmt.Errorf("the message has %d bytes with its attributes; the limit is %d", size, limits.BatchBytes)
	case len(m.Attributes) > limits.MessageAttributes:
		return fmt.Errorf("the message has %d attributes; the limit is %d", len(m.Attributes), limits.MessageAttributes)
	case m.Delay > limits.MaxDelay:
		return fmt.Errorf("the message has a delay of %v; the limit is %v", m.Delay, limits.MaxDelay)
	}
	return nil
}

package lane

import (
	"fmt"
	"strings"
	"time"
)

// The body of a message on the two sender lanes is JSON in exactly this form. It names the delivery and nothing
// else: the event is read from its table, so that there is one way to its bytes.
const (
	doorbellOpens  = `{"delivery":"`
	doorbellCloses = `"}`
)

// Doorbell makes the message that calls the sender to a delivery at once. Its group is the webhook, so that
// fair queues keep one noisy webhook from delaying the others.
func Doorbell(deliveryID, webhookID string) Message {
	return Message{Body: []byte(doorbellOpens + deliveryID + doorbellCloses), Group: webhookID}
}

// DoorbellAgain is Doorbell for a delivery that has a row, after delay.
func DoorbellAgain(deliveryID, webhookID string, delay time.Duration) Message {
	m := Doorbell(deliveryID, webhookID)
	m.Delay, m.Attributes = delay, map[string]string{Again: "true"}
	return m
}

// Called reads the delivery's id from a doorbell; it refuses a body that Doorbell does not make.
func Called(m Message) (deliveryID string, err error) {
	rest, opens := strings.CutPrefix(string(m.Body), doorbellOpens)
	deliveryID, closes := strings.CutSuffix(rest, doorbellCloses)
	if !opens || !closes {
		return "", fmt.Errorf("message %s is no doorbell", m.ID)
	}
	return deliveryID, nil
}

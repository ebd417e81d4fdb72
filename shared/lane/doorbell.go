package lane

import (
	"encoding/json"
	"fmt"
	"time"
)

// doorbell is the body of a message on the two sender lanes: it names the delivery and nothing else. The event is
// read from its table, so that there is one way to its bytes.
type doorbell struct {
	Delivery string `json:"delivery"`
}

// Doorbell makes the message that calls the sender to a delivery at once. Its group is the webhook, so that
// fair queues keep one noisy webhook from delaying the others.
func Doorbell(deliveryID, webhookID string) Message {
	return Message{Body: []byte(`{"delivery":"` + deliveryID + `"}`), Group: webhookID}
}

// DoorbellAgain is Doorbell for a delivery that has a row, after delay.
func DoorbellAgain(deliveryID, webhookID string, delay time.Duration) Message {
	m := Doorbell(deliveryID, webhookID)
	m.Delay, m.Attributes = delay, map[string]string{Again: "true"}
	return m
}

// Called reads the delivery's id from a doorbell; it refuses a body that is none.
func Called(m Message) (deliveryID string, err error) {
	var d doorbell
	if err := json.Unmarshal(m.Body, &d); err != nil || d.Delivery == "" {
		return "", fmt.Errorf("message %s is no doorbell", m.ID)
	}
	return d.Delivery, nil
}

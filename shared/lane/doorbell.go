package lane

import (
	"encoding/json"
	"fmt"
	"time"
)

// member is the one member of a doorbell's body, a JSON object. It names the delivery: the event is read from its
// table, so that there is one way to its bytes.
const member = "delivery"

// Doorbell makes the message that calls the sender to a delivery at once. Its group is the webhook, so that
// fair queues keep one noisy webhook from delaying the others.
func Doorbell(deliveryID, webhookID string) Message {
	body, _ := json.Marshal(map[string]string{member: deliveryID}) // never fails
	return Message{Body: body, Group: webhookID}
}

// DoorbellAgain is Doorbell for a delivery that has a row, after delay.
func DoorbellAgain(deliveryID, webhookID string, delay time.Duration) Message {
	m := Doorbell(deliveryID, webhookID)
	m.Delay, m.Attributes = delay, map[string]string{Again: "true"}
	return m
}

// Called returns the id of the delivery that a doorbell names. What the body says counts, not its bytes: who hands
// a message over may write its JSON again, with other white space or escapes. Members that are not known are passed
// over. The error names the message and tells nothing of its body.
func Called(m Message) (deliveryID string, err error) {
	var members map[string]json.RawMessage // a struct would take names in any case
	if json.Unmarshal(m.Body, &members) != nil || json.Unmarshal(members[member], &deliveryID) != nil || deliveryID == "" {
		return "", fmt.Errorf("message %s is no doorbell", m.ID)
	}
	return deliveryID, nil
}

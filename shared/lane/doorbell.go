package lane

import (
	"encoding/json"
	"fmt"
	"time"
)

// member is the only member of a doorbell's body, which is a JSON object. Its value is the id of the delivery. The
// event itself is not in the message; the sender reads it from the table of events.
const member = "delivery"

// Doorbell returns a message that tells the sender to attempt a delivery now. Its group is the webhook: fair queues
// then keep one busy webhook from delaying the others.
func Doorbell(deliveryID, webhookID string) Message {
	body, _ := json.Marshal(map[string]string{member: deliveryID}) // never fails
	return Message{Body: body, Group: webhookID}
}

// DoorbellAgain returns a doorbell for a delivery that already has a row. It becomes visible after delay.
func DoorbellAgain(deliveryID, webhookID string, delay time.Duration) Message {
	m := Doorbell(deliveryID, webhookID)
	m.Delay, m.Attributes = delay, map[string]string{Again: "true"}
	return m
}

// Called returns the id of the delivery that a doorbell names. The body may be any JSON with that meaning, because a
// message may be encoded again on its way, with other white space or escapes. Called ignores unknown members. Its
// error names the message and contains nothing of the body.
func Called(m Message) (deliveryID string, err error) {
	var members map[string]json.RawMessage // a struct would match names in any letter case
	if json.Unmarshal(m.Body, &members) != nil || json.Unmarshal(members[member], &deliveryID) != nil || deliveryID == "" {
		return "", fmt.Errorf("message %s is not a doorbell", m.ID)
	}
	return deliveryID, nil
}

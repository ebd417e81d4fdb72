package publish

import (
	"iter"
	"strings"

	"nepenthes/events"
)

// The limits of one request to SQS. maxBatchBytes limits the size of all bodies together, so four events of the maximum
// size fit into a request.
const (
	maxEntries    = 10
	maxBatchBytes = 1 << 20
)

// letter is an event that is being sent.
type letter struct {
	event events.Event
	body  string
	err   error // why the event was not sent; nil if it was sent
}

// write returns a letter for each event. It returns an [*Error] if one of the events cannot be sent.
func write(list []events.Event) ([]*letter, error) {
	letters := make([]*letter, len(list))
	valid := true
	for i, event := range list {
		letters[i] = &letter{event: event, err: ErrNotTried}
		if body, err := encode(event); err != nil {
			letters[i].err = err
			valid = false
		} else {
			letters[i].body = body
		}
	}
	if !valid {
		return nil, unsent(letters)
	}
	return letters, nil
}

func encode(event events.Event) (string, error) {
	if err := event.Validate(); err != nil {
		return "", err
	}
	body, err := event.Encode()
	if err != nil {
		return "", err
	}
	return string(body), checkCharacters(string(body))
}

// checkCharacters refuses the two characters of JSON text that SQS does not accept. SQS either refuses the message or
// replaces them with U+FFFD, which would change data.
func checkCharacters(body string) error {
	if !strings.Contains(body, "\ufffe") && !strings.Contains(body, "\uffff") {
		return nil
	}
	return &events.Error{Reason: events.Invalid, Problems: []events.Problem{{
		Attribute: "data",
		Message:   `It contains U+FFFE or U+FFFF, which SQS does not accept. Write the character as the escape \ufffe or \uffff.`,
	}}}
}

// batches divides the letters, in their order, into batches that fit into one request each.
func batches(letters []*letter) iter.Seq[[]*letter] {
	return func(yield func([]*letter) bool) {
		for len(letters) > 0 {
			n := firstBatch(letters)
			if !yield(letters[:n:n]) {
				return
			}
			letters = letters[n:]
		}
	}
}

// firstBatch returns how many of the letters fit into one request. This is at least one, because no event is larger than a
// batch.
func firstBatch(letters []*letter) int {
	size := 0
	for n, letter := range letters {
		size += len(letter.body)
		if n == maxEntries || size > maxBatchBytes {
			return n
		}
	}
	return len(letters)
}

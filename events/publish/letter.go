package publish

import (
	"iter"
	"strings"

	"nepenthes/events"
)

// What one request to SQS may hold: entries, and bytes of all bodies together (1 MiB). Four events of the
// greatest size still fit.
const (
	maxEntries    = 10
	maxBatchBytes = 1 << 20
)

// letter is an event on its way.
type letter struct {
	event events.Event
	body  string
	err   error // why it has not been sent; nil once it has
}

// write makes a letter of every event. It fails with an [*Error] when one of them cannot be sent.
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

// checkCharacters refuses the two characters of JSON text that SQS does not carry: depending on the way it
// rejects them or puts U+FFFD in their place, and then data would not arrive as it was.
func checkCharacters(body string) error {
	if !strings.Contains(body, "\ufffe") && !strings.Contains(body, "\uffff") {
		return nil
	}
	return &events.Error{Reason: events.Invalid, Problems: []events.Problem{{
		Attribute: "data",
		Message:   `It holds U+FFFE or U+FFFF, which SQS does not carry; write it as the escape \ufffe or \uffff.`,
	}}}
}

// batches cuts letters, in their order, into what single requests may hold.
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

// firstBatch is how many of the letters fit into one request; at least one, as no event is larger than a batch.
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

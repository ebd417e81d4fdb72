package publish

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"nepenthes/events"
)

// ErrNotTried is why an event was not sent that had nothing wrong with it: another event of the same call was
// not valid, or an earlier request failed as a whole.
var ErrNotTried = errors.New("not tried")

// Unsent is an event that was not sent.
type Unsent struct {
	// Index is its place among the arguments of Publish, from 0.
	Index int
	// Source and ID name it.
	Source, ID string
	// Err is why: an *events.Error when the event is not valid, ErrNotTried, the client's error when a request
	// failed as a whole, or what SQS said about this event.
	Err error
}

// Error names every event that was not sent. Those that failed for want of SQS can be given to Publish again;
// an event whose Err is an *events.Error must be mended first.
type Error struct {
	// Unsent is never empty and in the order of the arguments of Publish.
	Unsent []Unsent
}

// inText is how many events the text of an error names; Unsent has all.
const inText = 20

// Error names the events, the first 20 of them, and why they were not sent.
func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "publish: %d not sent: ", len(e.Unsent))
	named := e.Unsent[:min(len(e.Unsent), inText)]
	for i, unsent := range named {
		// What is not valid may hold anything: %q keeps it in one line, and the precision short.
		fmt.Fprintf(&text, "%.256q %.128q", unsent.Source, unsent.ID)
		if i+1 < len(named) && named[i+1].Err.Error() == unsent.Err.Error() {
			text.WriteString(", ") // a request that failed as a whole has one reason for all its events
			continue
		}
		fmt.Fprintf(&text, " (%v) ", unsent.Err)
	}
	if more := len(e.Unsent) - len(named); more > 0 {
		fmt.Fprintf(&text, "and %d more", more)
	}
	return strings.TrimSpace(text.String())
}

// Unwrap gives why each event was not sent, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	causes := make([]error, len(e.Unsent))
	for i, unsent := range e.Unsent {
		causes[i] = unsent.Err
	}
	return causes
}

// unsent is nil when every letter was sent.
func unsent(letters []*letter) error {
	var left []Unsent
	for i, letter := range letters {
		if letter.err != nil {
			source := cmp.Or(letter.event.Source, events.DefaultSource)
			left = append(left, Unsent{Index: i, Source: source, ID: letter.event.ID, Err: letter.err})
		}
	}
	if left == nil {
		return nil
	}
	return &Error{left}
}

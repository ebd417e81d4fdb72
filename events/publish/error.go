package publish

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"nepenthes/events"
)

// ErrNotTried means that an event was not sent although it is valid, because another event of the same call was not valid or
// an earlier request failed as a whole.
var ErrNotTried = errors.New("not tried")

// Unsent is an event that was not sent.
type Unsent struct {
	// Index is the index of the event in the arguments of Publish.
	Index int
	// Source and ID identify the event.
	Source, ID string
	// Err is the reason: an *events.Error if the event is not valid, ErrNotTried, the error of the client if a request
	// failed as a whole, or the result of SQS for this event.
	Err error
}

// Error names every event that was not sent. An event whose Err is an *events.Error must be corrected. The other events can
// be given to Publish again.
type Error struct {
	// Unsent is in the order of the arguments of Publish. It is never empty.
	Unsent []Unsent
}

// unsentShown is the number of events in the text of an error, which must be short enough for a log.
const unsentShown = 20

// Error returns, in one line, the first 20 events with the reasons why they were not sent, and how many more there are.
func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "publish: %d not sent: ", len(e.Unsent))
	named := e.Unsent[:min(len(e.Unsent), unsentShown)]
	for i, unsent := range named {
		// The source and the id of an invalid event can be any text. %q keeps it in one line, and the precision cuts it.
		fmt.Fprintf(&text, "%.256q %.128q", unsent.Source, unsent.ID)
		if i+1 < len(named) && named[i+1].Err.Error() == unsent.Err.Error() {
			text.WriteString(", ") // if a request fails as a whole, all its events have the same reason
			continue
		}
		fmt.Fprintf(&text, " (%v) ", unsent.Err)
	}
	if more := len(e.Unsent) - len(named); more > 0 {
		fmt.Fprintf(&text, "and %d more", more)
	}
	return strings.TrimSpace(text.String())
}

// Unwrap returns the reason for each event, so that errors.Is and errors.As find it.
func (e *Error) Unwrap() []error {
	causes := make([]error, len(e.Unsent))
	for i, unsent := range e.Unsent {
		causes[i] = unsent.Err
	}
	return causes
}

// unsent returns an [*Error] with the letters that were not sent, or nil if all were sent.
func unsent(letters []*letter) error {
	var list []Unsent
	for i, letter := range letters {
		if letter.err != nil {
			source := cmp.Or(letter.event.Source, events.DefaultSource)
			list = append(list, Unsent{Index: i, Source: source, ID: letter.event.ID, Err: letter.err})
		}
	}
	if list == nil {
		return nil
	}
	return &Error{list}
}

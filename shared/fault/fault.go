// Package fault holds the closed list of ways in which a request can fail, and what may be told about each.
//
// A Fault is made for the client: its message, hint and details are meant to be read by whoever sent the
// request, so they never carry a secret, a payload or the text of an inner error. Every other error is for
// the operator's log alone; [From] turns it into an Internal fault that says nothing about its cause.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Fault is an error that may be told to the client. Its texts are bounded, so that no answer about faults is longer
// than 64 KiB.
type Fault struct {
	Kind    Kind
	Message string
	// Hint says what to do next; it may be empty.
	Hint string
	// Details names the attributes at fault, in the order in which the client wrote them where that is known. When
	// there are too many to be told, the last entry says how many more there are.
	Details []Detail
	// Untold is how many details the last entry stands for; 0: every detail is told.
	Untold int
	// RetryAfter is how long the client should wait; zero when waiting would not help.
	RetryAfter time.Duration

	cause error
}

// New makes a fault of kind with a message for the client. A message that is too long is cut.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: cut(fmt.Sprintf(format, args...), textMax)}
}

// Invalid makes the fault for attributes that break a rule, as [Details.Err] does; nil for none.
func Invalid(details ...Detail) error {
	var found Details
	found.Add(details...)
	return found.Err()
}

// BadParameter returns the fault of kind InvalidQuery about one parameter of the query, or about a header.
func BadParameter(name, message, hint string) *Fault {
	f := New(InvalidQuery, "%s: %s", name, message).With(hint)
	f.Details = []Detail{{Attribute: name, Message: message, Hint: hint}}
	return f
}

// With adds what to do next and returns the fault.
func (f *Fault) With(hint string) *Fault {
	f.Hint = cut(hint, textMax)
	return f
}

// Because keeps cause for the operator's log; the client never sees it.
func (f *Fault) Because(cause error) *Fault {
	f.cause = cause
	return f
}

// After says how long to wait before the next try, and returns the fault.
func (f *Fault) After(wait time.Duration) *Fault {
	f.RetryAfter = wait
	return f
}

// attributesLogged is how many attributes at fault the text for the log names.
const attributesLogged = 10

// Error is the text for the operator's log. It names the first attributes at fault and counts the others.
func (f *Fault) Error() string {
	var text strings.Builder
	text.WriteString(f.Kind.Title() + ": " + f.Message)
	for i, d := range f.Details {
		if i == attributesLogged {
			fmt.Fprintf(&text, " and %d more", f.Count()-attributesLogged)
			break
		}
		text.WriteString(" [" + cut(d.Attribute, attributeMax) + "]")
	}
	if f.cause != nil {
		text.WriteString(": " + f.cause.Error())
	}
	return text.String()
}

// Count is how many attributes are at fault, those included that are not told.
func (f *Fault) Count() int {
	if f.Untold > 0 {
		return len(f.Details) - 1 + f.Untold
	}
	return len(f.Details)
}

// Unwrap gives the cause, nil when there is none.
func (f *Fault) Unwrap() error { return f.cause }

// From returns what may be told about err: the fault in its chain, or an Internal one that tells nothing.
// It returns nil for nil.
func From(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return New(Internal, "The request could not be carried out.").
		With("Try again; if it goes on, give the operator the id of this request.").Because(err)
}

// Is reports whether err carries a fault of kind. Errors that are no faults are Internal; nil is none.
func Is(err error, kind Kind) bool {
	return err != nil && From(err).Kind == kind
}

// Wrap prefixes *errp with the operation that failed; it does nothing when *errp is nil. It is written once
// per function, at its top: defer fault.Wrap(&err, "fanout event %s", id). What a caller named is cut where nobody
// would read on.
func Wrap(errp *error, format string, args ...any) {
	if *errp != nil {
		*errp = fmt.Errorf("%s: %w", cut(fmt.Sprintf(format, args...), operationMax), *errp)
	}
}

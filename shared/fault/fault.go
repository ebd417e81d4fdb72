// Package fault defines the closed list of the kinds of failures, and the errors that a client may see.
//
// A [Fault] is made for the client. Its message, hint and details never contain a secret, a payload or the text of
// another error. Every other error is only for the operator's log; [From] turns it into an Internal fault whose message
// does not mention the cause.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Fault is an error that a client may see. Its texts have limits, so that an answer about a fault stays below 64 KiB.
type Fault struct {
	Kind Kind
	// Message says what is wrong.
	Message string
	// Hint says what to do next; it may be empty.
	Hint string
	// Details has an entry for each wrong attribute, in the order of the request if that is known. If there are too
	// many, the last entry says how many more there are.
	Details []Detail
	// Omitted is the number of details that the last entry stands for. It is 0 if no detail is omitted.
	Omitted int
	// RetryAfter is the time that the client should wait. It is 0 if waiting would not help.
	RetryAfter time.Duration

	cause error
}

// New returns a fault with a message for the client, cut to 2 KiB.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: cut(fmt.Sprintf(format, args...), textMax)}
}

// Invalid returns a fault about attributes that break a rule, as [Details.Err] does, or nil if there are no details.
func Invalid(details ...Detail) error {
	var found Details
	found.Add(details...)
	return found.Err()
}

// BadParameter returns a fault of kind InvalidQuery about one query parameter or header.
func BadParameter(name, message, hint string) *Fault {
	f := New(InvalidQuery, "%s: %s", name, message).With(hint)
	f.Details = []Detail{{Attribute: name, Message: message, Hint: hint}}
	return f
}

// With sets the hint, cut to 2 KiB, and returns the fault.
func (f *Fault) With(hint string) *Fault {
	f.Hint = cut(hint, textMax)
	return f
}

// Because sets the cause, which only the operator's log shows, and returns the fault.
func (f *Fault) Because(cause error) *Fault {
	f.cause = cause
	return f
}

// After sets how long the client should wait before it tries again, and returns the fault.
func (f *Fault) After(wait time.Duration) *Fault {
	f.RetryAfter = wait
	return f
}

// attributesLogged is the number of attributes that Error names, so that a log line stays short.
const attributesLogged = 10

// Error returns the text for the operator's log. It names the first ten wrong attributes and counts the others.
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

// Count returns the number of wrong attributes, the omitted ones included.
func (f *Fault) Count() int {
	if f.Omitted > 0 {
		return len(f.Details) - 1 + f.Omitted
	}
	return len(f.Details)
}

// Unwrap returns the cause, or nil.
func (f *Fault) Unwrap() error { return f.cause }

// From returns the fault in the chain of err. If there is none, it returns an Internal fault with err as its cause.
// From(nil) returns nil.
func From(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return New(Internal, "The request could not be carried out.").
		With("Try again. If it fails again, tell the operator the id of this request.").Because(err)
}

// Is reports whether err has the kind. An error that is not a fault has kind Internal. Nil has no kind.
func Is(err error, kind Kind) bool {
	return err != nil && From(err).Kind == kind
}

// Wrap prefixes *errp with the operation that failed. It does nothing if *errp is nil. A function calls it at most
// once, in its first line: defer fault.Wrap(&err, "fanout event %s", id). The operation is cut to 512 bytes, because it
// may contain a client's text.
func Wrap(errp *error, format string, args ...any) {
	if *errp != nil {
		*errp = fmt.Errorf("%s: %w", cut(fmt.Sprintf(format, args...), operationMax), *errp)
	}
}

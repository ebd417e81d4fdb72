// Package fault holds the closed list of ways in which a request can fail, and what may be told about each.
//
// A Fault is made for the client: its message, hint and details are meant to be read by whoever sent the
// request, so they never carry a secret, a payload or the text of an inner error. Every other error is for
// the operator's log alone; [From] turns it into an Internal fault that says nothing about its cause.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Detail names one attribute that is wrong, says why, and what to do about it.
type Detail struct {
	// Kind is PropertyConstraintViolation or PropertyIsReadOnly; zero means the former.
	Kind Kind `json:"-"`
	// Attribute is the path of the member, such as "payloadUrl" or "projects.ids".
	Attribute string `json:"attribute"`
	// Message says what is wrong with it.
	Message string `json:"message"`
	// Hint says what to do next; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// Fault is an error that may be told to the client.
type Fault struct {
	Kind    Kind
	Message string
	// Hint says what to do next; it may be empty.
	Hint string
	// Details names the attributes at fault, in the order in which the client wrote them where that is known.
	Details []Detail
	// RetryAfter is how long the client should wait; zero when waiting would not help.
	RetryAfter time.Duration

	cause error
}

// New makes a fault of kind with a message for the client.
func New(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the fault for attributes that break a rule: the kind of the only one, MultipleErrors for
// several, and nil for none, so that a validator can end with "return fault.Invalid(details...)".
func Invalid(details ...Detail) error {
	switch len(details) {
	case 0:
		return nil
	case 1:
		kind := details[0].Kind
		if kind == Internal {
			kind = PropertyConstraintViolation
		}
		return &Fault{Kind: kind, Message: details[0].Message, Hint: details[0].Hint, Details: details}
	}
	return &Fault{
		Kind:    MultipleErrors,
		Message: fmt.Sprintf("%d attributes are not acceptable.", len(details)),
		Hint:    "Every entry of errors names one attribute: mend them all and send the request again.",
		Details: details,
	}
}

// With adds what to do next and returns the fault.
func (f *Fault) With(hint string) *Fault {
	f.Hint = hint
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

// Error is the text for the operator's log.
func (f *Fault) Error() string {
	text := f.Kind.Title() + ": " + f.Message
	for _, d := range f.Details {
		text += " [" + d.Attribute + "]"
	}
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
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
// per function, at its top: defer fault.Wrap(&err, "fanout event %s", id).
func Wrap(errp *error, format string, args ...any) {
	if *errp != nil {
		*errp = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *errp)
	}
}

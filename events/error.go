package events

import (
	"fmt"
	"strings"

	"nepenthes/shared/strictjson"
)

// Reason says why an event is refused. The list is closed. The attribute "reason" of a dead letter is a Reason.
type Reason string

const (
	// Malformed means that the message cannot be read, or that a member of the envelope is named twice.
	Malformed Reason = "malformed"
	// TooLarge means that the message has more than MaxSize bytes.
	TooLarge Reason = "too_large"
	// UnknownType means that the type is not in the catalogue.
	UnknownType Reason = "unknown_type"
	// Invalid means that a member breaks a rule.
	Invalid Reason = "invalid"
	// IDConflict means that another event of the same source has this id. This package never returns it; only a store
	// of events can find out.
	IDConflict Reason = "id_conflict"
)

// Problem is one thing that is wrong with an event.
type Problem struct {
	// Attribute is the path of the member, such as "project.id", spelled as in the message. It is empty if the problem
	// is the message as a whole.
	Attribute string
	// Message is a sentence. It never contains the value of the member.
	Message string
}

// Error says why an event was refused. Neither the Error nor its text contains a value from the message, because errors
// are written to logs, and payloads must not be.
type Error struct {
	Reason Reason
	// Problems has between 1 and 100 entries. Malformed and TooLarge have one.
	Problems []Problem
	// Omitted is the number of problems that Problems has no room for.
	Omitted int
	// Line and Column are the place of the error. They count from 1, and columns are characters. They are 0 unless the
	// reason is Malformed.
	Line, Column int
}

// problemsShown is the number of problems in the text of an error, which must be short enough for a log.
const problemsShown = 10

// Error returns the reason, the first ten problems, and how many more there are, in one line.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(string(e.Reason))
	if e.Line > 0 {
		fmt.Fprintf(&text, " at line %d, column %d", e.Line, e.Column)
	}
	separator := ": "
	for i, problem := range e.Problems {
		if i == problemsShown {
			fmt.Fprintf(&text, " And %d more.", len(e.Problems)-i+e.Omitted)
			break
		}
		text.WriteString(separator)
		if problem.Attribute != "" {
			text.WriteString(problem.Attribute + ": ")
		}
		text.WriteString(problem.Message)
		separator = " "
	}
	return text.String()
}

func malformed(err *strictjson.Error) *Error {
	return &Error{Reason: Malformed, Problems: []Problem{{Message: err.Problem}}, Line: err.Line, Column: err.Column}
}

func tooLarge(size int) *Error {
	return &Error{Reason: TooLarge, Problems: []Problem{{
		Message: fmt.Sprintf("An event is at most %d bytes; this one has %d.", MaxSize, size),
	}}}
}

// maxProblems keeps the answer readable when a message has a hundred thousand wrong members.
const maxProblems = 100

// problems collects everything that is wrong with one event, so that the producer sees all of it at once.
type problems struct {
	list        []Problem
	omitted     int // problems after maxProblems; an attribute may be counted more than once
	unknownType bool
}

// add adds a problem, unless the attribute already has one: an attribute that is not a string need not also be too short.
func (p *problems) add(attribute, message string) {
	if len(p.list) == maxProblems {
		p.omitted++
		return
	}
	if p.has(attribute) {
		return
	}
	p.list = append(p.list, Problem{attribute, message})
}

func (p *problems) has(attribute string) bool {
	for _, problem := range p.list {
		if problem.Attribute == attribute {
			return true
		}
	}
	return false
}

// err returns nil if there are no problems. An unknown type decides the reason, because the other rules depend on the
// type.
func (p *problems) err() error {
	switch {
	case p.list == nil:
		return nil
	case p.unknownType:
		return &Error{Reason: UnknownType, Problems: p.list, Omitted: p.omitted}
	}
	return &Error{Reason: Invalid, Problems: p.list, Omitted: p.omitted}
}

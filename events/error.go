package events

import (
	"fmt"
	"strings"
)

// Reason is why an event is refused. The list is closed; it is what a dead letter's attribute "reason" says.
type Reason string

const (
	// Malformed: the message cannot be read, or names a member of the envelope twice.
	Malformed Reason = "malformed"
	// TooLarge: the message has more than MaxSize bytes.
	TooLarge Reason = "too_large"
	// UnknownType: the type is not in the catalogue.
	UnknownType Reason = "unknown_type"
	// Invalid: a member breaks a rule.
	Invalid Reason = "invalid"
	// IDConflict: another event of the same source has this id. Only who keeps events can tell.
	IDConflict Reason = "id_conflict"
)

// Problem is one thing that is wrong with an event.
type Problem struct {
	// Attribute is the path of the member, such as "project.id", spelt as in the message that was read; empty
	// when the fault lies with the message as a whole.
	Attribute string
	// Message is a sentence about it. It never holds what the member says.
	Message string
}

// Error is why an event was refused. Neither it nor its text ever holds a value out of the message: an error
// ends in logs, where payloads have no place.
type Error struct {
	Reason Reason
	// Problems is never empty. It lists what is wrong, at most 100 things; Malformed and TooLarge have only one.
	Problems []Problem
	// Untold is how many things are wrong besides.
	Untold int
	// Line and Column say where reading ended: both count from 1, columns in characters. They are 0 unless
	// the reason is Malformed.
	Line, Column int
}

// problemsShown is how many problems the text of an error names: it ends in logs.
const problemsShown = 10

// Error is the reason and the first ten problems in one line, and how many more there are.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(string(e.Reason))
	if e.Line > 0 {
		fmt.Fprintf(&text, " at line %d, column %d", e.Line, e.Column)
	}
	separator := ": "
	for i, problem := range e.Problems {
		if i == problemsShown {
			fmt.Fprintf(&text, " And %d more.", len(e.Problems)-i+e.Untold)
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

func tooLarge(size int) *Error {
	return &Error{Reason: TooLarge, Problems: []Problem{{
		Message: fmt.Sprintf("An event is at most %d bytes; this one has %d.", MaxSize, size),
	}}}
}

// maxProblems keeps the answer to a message of a hundred thousand wrong members readable.
const maxProblems = 100

// problems gathers what is wrong with one event, so that its producer hears everything at once.
type problems struct {
	list        []Problem
	untold      int // beyond maxProblems; an attribute may count more than once there
	unknownType bool
}

// add notes a problem. An attribute counts once: what is not a string need not also be told to be too short.
func (p *problems) add(attribute, message string) {
	if len(p.list) == maxProblems {
		p.untold++
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

// err is nil when nothing is wrong. An unknown type outweighs the rest: until it is known nothing else about
// the event can be judged.
func (p *problems) err() error {
	switch {
	case p.list == nil:
		return nil
	case p.unknownType:
		return &Error{Reason: UnknownType, Problems: p.list, Untold: p.untold}
	}
	return &Error{Reason: Invalid, Problems: p.list, Untold: p.untold}
}

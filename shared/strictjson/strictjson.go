// Package strictjson reads JSON text (RFC 8259) and returns the places of the members of an object, so that its caller
// decides about names and values. It copies nothing and imports only the standard library, because producers import it
// with package events.
package strictjson

import "fmt"

// MaxDepth is the maximum depth of nested objects and arrays. The parsers of receivers have limits of their own, often 1,000.
const MaxDepth = 1000

// Repeated is the problem of an object in which two members have the same name.
const Repeated = "A member is named twice."

// Error says why and where a text cannot be read. It contains no part of the text.
type Error struct {
	// Problem is a sentence.
	Problem string
	// Line and Column count from 1. Columns are characters.
	Line, Column int
}

// Error returns the place and the problem.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
}

// Span is the place of a name or a value in a text: the bytes from From up to but not including To. The zero Span stands for
// an absent member.
type Span struct{ From, To int }

// IsZero reports whether s is the zero Span.
func (s Span) IsZero() bool { return s.To == 0 }

// Visitor is called with the places of the name, in its quotes, and of the value of each member of an object, in the order
// of the text. If the member must not be there, it returns a sentence that says why; the error then has the place of the
// name.
type Visitor func(name, value Span) (problem string)

// Object calls visit for each member of text, which must be one JSON object in UTF-8, with nothing but white space around
// it. Object returns the first thing that is wrong with text, or nil. Members that come before the error have been visited.
func Object(text []byte, visit Visitor) *Error {
	s := scanner{text: text}
	if !s.wholeObject(visit) {
		return s.err()
	}
	return nil
}

// ObjectAt calls visit for each member of the object that begins at from in a text that was read before. It returns an
// error if visit returns a problem.
func ObjectAt(text []byte, from int, visit Visitor) *Error {
	s := scanner{text: text, at: from}
	if !s.object(visit) {
		return s.err()
	}
	return nil
}

// CheckIJSON returns an error if text is not one JSON object that keeps the rules of I-JSON (RFC 7493 §2) about names and
// characters: no object in it has two members of the same name, and no escape is half of a surrogate pair. Such a text
// means the same to every program that reads it.
func CheckIJSON(text []byte) *Error {
	s := scanner{text: text, iJSON: true}
	if !s.wholeObject(nil) {
		return s.err()
	}
	return nil
}

// IsValue reports whether text is one JSON value in UTF-8 that can stand inside depth levels of objects and arrays. White
// space may follow the value but not precede it.
func IsValue(text []byte, depth int) bool {
	s := scanner{text: text, depth: depth}
	return s.unicode() && s.value() && s.end()
}

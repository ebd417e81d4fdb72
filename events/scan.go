package events

import (
	"bytes"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested, the message itself included. Parsers of receivers
// have limits of their own, often 1,000; and the scanner must not be driven to the end of its stack.
const maxDepth = 1000

// span is the place of a member's name or value in a message.
type span struct{ from, to int }

// scanner walks over JSON text (RFC 8259) and tells where the members of an object lie. It is written by hand
// since encoding/json forgets what this package promises to keep: it matches names in any case, lets the last
// of two members win, and replaces bytes that are no UTF-8. Its methods answer false once something is wrong;
// problem then says what, and at is where.
type scanner struct {
	text    []byte
	at      int
	depth   int
	problem string
}

// visitor is told of each member of an object in order, its name with the quotes. It answers a sentence when
// the member must not be there.
type visitor func(name, value span) (problem string)

func (s *scanner) fail(problem string) bool {
	s.problem = problem
	return false
}

// err describes what the scanner stumbled over.
func (s *scanner) err() *Error {
	before := s.text[:s.at]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return &Error{
		Reason:   Malformed,
		Problems: []Problem{{Message: s.problem}},
		Line:     1 + bytes.Count(before, []byte{'\n'}),
		Column:   1 + utf8.RuneCount(before[lineStart:]),
	}
}

// peek is the next byte. It is 0 at the end, which no JSON text may contain outside of an escape.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// unicode checks that the whole text is UTF-8. A byte order mark is left for value to refuse.
func (s *scanner) unicode() bool {
	if utf8.Valid(s.text) {
		return true
	}
	for {
		r, size := utf8.DecodeRune(s.text[s.at:])
		if r == utf8.RuneError && size <= 1 {
			return s.fail("The message is not UTF-8.")
		}
		s.at += size
	}
}

// end checks that nothing but white space is left.
func (s *scanner) end() bool {
	s.space()
	if s.at < len(s.text) {
		return s.fail("Something follows the end of the JSON value.")
	}
	return true
}

// value walks over any one value.
func (s *scanner) value() bool {
	switch c := s.peek(); {
	case c == '"':
		return s.string()
	case c == '{':
		return s.object(nil)
	case c == '[':
		return s.array()
	case c == '-' || isDigit(c):
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.fail("A JSON value is expected here.")
}

// open walks over a bracket and the white space behind it.
func (s *scanner) open() bool {
	if s.depth++; s.depth > maxDepth {
		return s.fail("Objects and arrays are nested more than 1000 deep.")
	}
	s.at++
	s.space()
	return true
}

func (s *scanner) close() bool {
	s.depth--
	s.at++
	return true
}

// object walks over an object and shows its members to visit, which may be nil.
func (s *scanner) object(visit visitor) bool {
	if !s.open() {
		return false
	}
	if s.peek() == '}' {
		return s.close()
	}
	for s.member(visit) {
		switch s.peek() {
		case ',':
			s.at++
			s.space()
		case '}':
			return s.close()
		default:
			return s.fail("A comma or the end of the object is expected here.")
		}
	}
	return false
}

func (s *scanner) member(visit visitor) bool {
	name := span{from: s.at}
	if s.peek() != '"' {
		return s.fail("The name of a member, in double quotes, is expected here.")
	}
	if !s.string() {
		return false
	}
	name.to = s.at
	s.space()
	if s.peek() != ':' {
		return s.fail("A colon is expected here.")
	}
	s.at++
	s.space()
	value := span{from: s.at}
	if !s.value() {
		return false
	}
	value.to = s.at
	s.space()
	if visit == nil {
		return true
	}
	if problem := visit(name, value); problem != "" {
		s.at = name.from
		return s.fail(problem)
	}
	return true
}

func (s *scanner) array() bool {
	if !s.open() {
		return false
	}
	if s.peek() == ']' {
		return s.close()
	}
	for s.value() {
		s.space()
		switch s.peek() {
		case ',':
			s.at++
			s.space()
		case ']':
			return s.close()
		default:
			return s.fail("A comma or the end of the array is expected here.")
		}
	}
	return false
}

func (s *scanner) string() bool {
	s.at++
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return true
		case c == '\\':
			if !s.escape() {
				return false
			}
		case c < 0x20:
			return s.fail("A control character in a string must be written as an escape.")
		default:
			s.at++
		}
	}
	return s.fail("The message ends within a string.")
}

// escape walks over a backslash and what belongs to it. Half of a surrogate pair is a legal escape: the
// grammar of RFC 8259 allows it, so data may hold one.
func (s *scanner) escape() bool {
	s.at++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
		s.at++
		for range 4 {
			if !isHex(s.peek()) {
				return s.fail("Four hexadecimal digits are expected here.")
			}
			s.at++
		}
		return true
	}
	return s.fail("No escape of JSON begins like this.")
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++ // no digit may follow a leading zero
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	if !isDigit(s.peek()) {
		return s.fail("A digit is expected here.")
	}
	for isDigit(s.peek()) {
		s.at++
	}
	return true
}

func (s *scanner) literal(word string) bool {
	if !bytes.HasPrefix(s.text[s.at:], []byte(word)) {
		return s.fail("A JSON value is expected here.")
	}
	s.at += len(word)
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

package strictjson

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks over JSON text. It is written by hand because package encoding/json matches names in any case, lets the
// last of two members win, and replaces bytes that are not UTF-8. Its methods return false once something is wrong; then
// problem says what, and at is where.
type scanner struct {
	text    []byte
	at      int
	depth   int
	iJSON   bool // the rules of CheckIJSON hold
	problem string
}

func (s *scanner) fail(problem string) bool {
	s.problem = problem
	return false
}

// err returns the problem with its place.
func (s *scanner) err() *Error {
	before := s.text[:s.at]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	return &Error{
		Problem: s.problem,
		Line:    1 + bytes.Count(before, []byte{'\n'}),
		Column:  1 + utf8.RuneCount(before[lineStart:]),
	}
}

// peek returns the next byte. It returns 0 at the end; no JSON text contains a 0.
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

// unicode checks that the whole text is UTF-8. It accepts a byte order mark, which value refuses.
func (s *scanner) unicode() bool {
	if utf8.Valid(s.text) {
		return true
	}
	for {
		r, size := utf8.DecodeRune(s.text[s.at:])
		if r == utf8.RuneError && size <= 1 {
			return s.fail("The text is not UTF-8.")
		}
		s.at += size
	}
}

// wholeObject checks that the whole text is one object.
func (s *scanner) wholeObject(visit Visitor) bool {
	if !s.unicode() {
		return false
	}
	s.space()
	if s.peek() != '{' {
		return s.fail("A JSON object is expected here.")
	}
	return s.object(visit) && s.end()
}

// end checks that only white space is left.
func (s *scanner) end() bool {
	s.space()
	if s.at < len(s.text) {
		return s.fail("Something follows the end of the JSON value.")
	}
	return true
}

// value walks over one value of any kind.
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

// open walks over an opening bracket and the white space behind it.
func (s *scanner) open() bool {
	if s.depth++; s.depth > MaxDepth {
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

// object walks over an object and calls visit, unless it is nil, for each member.
func (s *scanner) object(visit Visitor) bool {
	if !s.open() {
		return false
	}
	if s.peek() == '}' {
		return s.close()
	}
	var seen names
	for s.member(visit, &seen) {
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

func (s *scanner) member(visit Visitor, seen *names) bool {
	name := Span{From: s.at}
	if s.peek() != '"' {
		return s.fail("The name of a member, in double quotes, is expected here.")
	}
	if !s.string() {
		return false
	}
	name.To = s.at
	if s.iJSON && seen.repeat(s.text[name.From:name.To]) {
		s.at = name.From
		return s.fail(Repeated)
	}
	s.space()
	if s.peek() != ':' {
		return s.fail("A colon is expected here.")
	}
	s.at++
	s.space()
	value := Span{From: s.at}
	if !s.value() {
		return false
	}
	value.To = s.at
	s.space()
	if visit == nil {
		return true
	}
	if problem := visit(name, value); problem != "" {
		s.at = name.From
		return s.fail(problem)
	}
	return true
}

// names holds the names of the members of one object.
type names struct {
	first []byte
	seen  map[string]bool // nil until the second name: a text can have very many small objects
}

// repeat adds a quoted name and reports whether the object has had it before. Names are compared as they read, so "a" and
// "\u0061" are the same.
func (n *names) repeat(quoted []byte) bool {
	name, _ := Unquote(quoted)
	if n.first == nil {
		n.first = append(make([]byte, 0, len(name)+1), name...) // not nil for the empty name
		return false
	}
	if n.seen == nil {
		n.seen = map[string]bool{string(n.first): true}
	}
	if n.seen[string(name)] {
		return true
	}
	n.seen[string(name)] = true
	return false
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
	return s.fail("The text ends within a string.")
}

// escape walks over a backslash and what belongs to it. RFC 8259 allows an escape that is half of a surrogate pair; I-JSON
// does not.
func (s *scanner) escape() bool {
	from := s.at
	s.at++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
		if !s.codeUnit() {
			return false
		}
		if s.iJSON && utf16.IsSurrogate(codeUnit(s.text[from:])) {
			return s.otherHalf(from)
		}
		return true
	}
	return s.fail("No escape of JSON begins like this.")
}

// codeUnit walks over the u of an escape and its four digits.
func (s *scanner) codeUnit() bool {
	s.at++
	for range 4 {
		if !isHex(s.peek()) {
			return s.fail("Four hexadecimal digits are expected here.")
		}
		s.at++
	}
	return true
}

// otherHalf walks over the second half of the surrogate pair that begins at from.
func (s *scanner) otherHalf(from int) bool {
	second := s.at
	if bytes.HasPrefix(s.text[second:], []byte(`\u`)) {
		s.at++
		if !s.codeUnit() {
			return false
		}
		if utf16.DecodeRune(codeUnit(s.text[from:]), codeUnit(s.text[second:])) != utf8.RuneError {
			return true
		}
	}
	s.at = from
	return s.fail("This escape is half of a character (a lone surrogate).")
}

// number walks over a number (RFC 8259 §6). It accepts any size and any number of digits, because the value is never converted.
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

// literal walks over true, false or null. It need not check the character after the word, because the caller expects a comma
// or a bracket there.
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

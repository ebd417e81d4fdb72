package events

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendMember writes what precedes a string, and the string (RFC 8259 §7). U+FFFE and U+FFFF become escapes:
// SQS does not carry them.
func appendMember(b []byte, before, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, before...)
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0xfffe || r == 0xffff:
			b = append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// unquote gives the text of a JSON string whose grammar has been checked; a part of quoted where it can. It
// answers false when the text holds half of a surrogate pair: Go has no string for it, and a replacement would
// change what was said.
func unquote(quoted []byte) (text []byte, ok bool) {
	rest := quoted[1 : len(quoted)-1]
	for {
		plain := bytes.IndexByte(rest, '\\')
		if plain < 0 && text == nil {
			return rest, true
		}
		if plain < 0 {
			return append(text, rest...), true
		}
		text = append(text, rest[:plain]...)
		r, size := unescape(rest[plain:])
		if utf16.IsSurrogate(r) {
			return nil, false
		}
		text = utf8.AppendRune(text, r)
		rest = rest[plain+size:]
	}
}

// unescape reads the character that text begins with, an escape, and tells how many bytes that took: two
// escapes make one character when they are the halves of a surrogate pair.
func unescape(text []byte) (r rune, size int) {
	switch text[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r = codeUnit(text)
		if utf16.IsSurrogate(r) && len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
			if pair := utf16.DecodeRune(r, codeUnit(text[6:])); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return r, 6
	}
	return rune(text[1]), 2 // a quotation mark, a slash, a backslash
}

// codeUnit is the number in an escape of the form \u0000.
func codeUnit(escape []byte) rune {
	unit, _ := strconv.ParseUint(string(escape[2:6]), 16, 16) // the grammar has been checked
	return rune(unit)
}

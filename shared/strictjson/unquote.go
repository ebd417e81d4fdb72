package strictjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote returns the text of a JSON string that was read before. The result is a part of quoted if no escape is in it. ok
// is false if the string contains half of a surrogate pair, which UTF-8 cannot express. A replacement character would
// change what was said.
func Unquote(quoted []byte) (text []byte, ok bool) {
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

// unescape returns the character of the escape with which text begins, and the number of its bytes. Two escapes are one
// character if they are the halves of a surrogate pair.
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
	return rune(text[1]), 2 // a quotation mark, a slash or a backslash
}

// codeUnit returns the number in an escape of the form \u0000.
func codeUnit(escape []byte) rune {
	unit, _ := strconv.ParseUint(string(escape[2:6]), 16, 16) // the digits were checked
	return rune(unit)
}

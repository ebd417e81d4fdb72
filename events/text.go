package events

import "unicode/utf8"

// appendMember appends before, and then text as a JSON string (RFC 8259 §7). U+FFFE and U+FFFF become escapes, because SQS
// does not accept them.
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

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

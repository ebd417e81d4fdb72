package page

import (
	"strings"
	"unicode/utf8"
)

// deepest is the last level that is indented further: what is nested deeper stands below it. Otherwise a line's
// indentation would grow with its depth, and nobody could see the text behind it.
const deepest = 20

// printer lays JSON out and stops when it has written enough, so that what is shown cut is made cut: its cost is that
// of what it shows, however long or deeply nested the text is.
type printer struct {
	out   strings.Builder
	max   int // in bytes
	depth int
}

// pretty lays out the beginning of a JSON text, at most max bytes, and reports whether there was more. It knows JSON
// by its brackets and strings alone: a text that is not JSON is laid out somehow.
func pretty(text string, limit int) (shown string, cut bool) {
	p := &printer{max: limit}
	for len(text) > 0 && p.out.Len() <= p.max {
		text = p.token(text)
	}
	shown, cut = beginning(p.out.String(), limit)
	return shown, cut || len(text) > 0
}

// token writes the first token of the text and returns the rest.
func (p *printer) token(text string) (rest string) {
	switch c := text[0]; c {
	case ' ', '\t', '\r', '\n':
		return text[1:]
	case '{', '[':
		rest = strings.TrimLeft(text[1:], " \t\r\n")
		if rest != "" && rest[0] == c+2 { // } stands two behind {, and ] behind [
			p.out.WriteByte(c)
			p.out.WriteByte(rest[0])
			return rest[1:]
		}
		p.depth++
		p.out.WriteByte(c)
		p.line()
		return rest
	case '}', ']':
		p.depth--
		p.line()
		p.out.WriteByte(c)
	case ',':
		p.out.WriteByte(c)
		p.line()
	case ':':
		p.out.WriteString(": ")
	default:
		return p.scalar(text)
	}
	return text[1:]
}

// line begins a line.
func (p *printer) line() {
	p.out.WriteByte('\n')
	for range max(0, min(p.depth, deepest)) {
		p.out.WriteString("  ")
	}
}

// scalar writes the string, number or word at the beginning of the text, no more of it than is shown.
func (p *printer) scalar(text string) (rest string) {
	end := 1
	if text[0] == '"' {
		end = endOfString(text, p.max+1)
	} else {
		for end < len(text) && end <= p.max && !strings.ContainsRune(" \t\r\n{}[],:\"", rune(text[end])) {
			end++
		}
	}
	p.out.WriteString(text[:end])
	return text[end:]
}

// endOfString is where the string at the beginning of the text ends, or limit or more bytes of it.
func endOfString(text string, limit int) int {
	for end := 1; end < len(text) && end < limit+2; end++ {
		switch text[end] {
		case '\\':
			end++
		case '"':
			return end + 1
		}
	}
	return min(len(text), limit+2)
}

// beginning shortens a text to at most limit bytes, at a whole character, and reports whether there was more.
func beginning(text string, limit int) (shown string, cut bool) {
	if len(text) <= limit {
		return text, false
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit], true
}

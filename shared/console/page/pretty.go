package page

import (
	"strings"
	"unicode/utf8"
)

// maxIndent is the largest indentation, in levels. Without a limit the indentation would grow with the depth, and nobody
// could see the text after it.
const maxIndent = 20

// printer indents JSON and stops when it has written enough. So its cost depends on what it shows, however long or deeply
// nested the text is.
type printer struct {
	out   strings.Builder
	max   int // in bytes
	depth int
}

// pretty indents the beginning of a JSON text. It returns at most limit bytes and reports whether there was more. It looks
// only at brackets and strings, so it also accepts a text that is not JSON.
func pretty(text string, limit int) (shown string, cut bool) {
	p := &printer{max: limit}
	for len(text) > 0 && p.out.Len() <= p.max {
		text = p.token(text)
	}
	shown, cut = truncate(p.out.String(), limit)
	return shown, cut || len(text) > 0
}

// token writes the first token of the text and returns the rest.
func (p *printer) token(text string) (rest string) {
	switch c := text[0]; c {
	case ' ', '\t', '\r', '\n':
		return text[1:]
	case '{', '[':
		rest = strings.TrimLeft(text[1:], " \t\r\n")
		if rest != "" && rest[0] == c+2 { // in ASCII, } is two after {, and ] is two after [
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

// line begins a new line.
func (p *printer) line() {
	p.out.WriteByte('\n')
	for range max(0, min(p.depth, maxIndent)) {
		p.out.WriteString("  ")
	}
}

// scalar writes the string, number or word at the beginning of the text, but no more of it than is shown.
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

// endOfString returns the length of the string at the beginning of the text. For a longer string it returns limit or a
// little more.
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

// truncate returns the beginning of a text, at most limit bytes of whole characters, and reports whether there was more.
func truncate(text string, limit int) (shown string, cut bool) {
	if len(text) <= limit {
		return text, false
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit], true
}

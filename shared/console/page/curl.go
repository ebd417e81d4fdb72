package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"nepenthes/shared/delivery"
	"nepenthes/shared/payload"
)

// Curl is the command that repeats a request, and what to know about it. FileHref offers the body, which the command
// then reads from a file; it is empty when the command itself holds the body.
type Curl struct{ Text, Note, FileHref string }

// curl makes the command for the newest attempt whose request is known; nil for none. What only the sender knows, the
// signature and the values of custom headers, is left out. self is the address of the delivery's page.
func curl(requests []payload.Request, self string) *Curl {
	for _, r := range slices.Backward(requests) {
		if r.Body != nil {
			return command(&r, self)
		}
	}
	return nil
}

// command writes only printable characters, each text as one quoted word: neither the shell nor the terminal into
// which it is pasted takes anything for its own.
func command(r *payload.Request, self string) *Curl {
	parts := []string{"curl --globoff --path-as-is -i -X POST " + quote(sentURL(r.Attempt.URL))}
	var left []string
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		value := r.Headers[name]
		if value == payload.Masked || !isPrintable(value) {
			left = append(left, name)
			continue
		}
		parts = append(parts, "-H "+quote(name+": "+value))
	}
	c := &Curl{Note: "Run it where the receiver can be reached."}
	if len(left) > 0 {
		c.Note += " Without what is not shown: " + strings.Join(left, ", ") + "; a receiver that verifies the signature refuses it."
	}
	if body := *r.Body; isPasted(body) {
		parts = append(parts, "--data-raw "+quote(body))
	} else {
		parts = append(parts, "--data-binary @request.json")
		c.Note += " The body is too long for a command line, or holds characters that cannot be pasted: save it as request.json first."
		c.FileHref = bodyHref(self, r.Attempt)
	}
	c.Text = strings.Join(parts, " \\\n  ")
	return c
}

// pastedMax is how long a quoted body may be, in bytes, to stand in the command: a terminal drops what a line has
// beyond 4,096 bytes, the closing quote among it.
const pastedMax = 4000

// isPasted reports whether a body can stand in the command.
func isPasted(body string) bool {
	return len(body) <= pastedMax && len(quote(body)) <= pastedMax && isPrintable(body)
}

// bodyHref is the address of the body of an attempt's request as text.
func bodyHref(self string, a *delivery.Attempt) string {
	return self + "/attempts/" + a.ID + "/request"
}

// isPrintable reports whether a text has only characters that print, the space among them: no line end, no control
// character, no mark that turns the direction of text, nothing that is not UTF-8.
func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// sentURL is the URL as it is sent: bytes that have no place in one are escaped.
func sentURL(text string) string {
	var sent strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&sent, "%%%02X", c)
		} else {
			sent.WriteByte(c)
		}
	}
	return sent.String()
}

// quote makes one word of a POSIX shell out of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

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

// Curl is the command that repeats a request, with a note about it. If the command reads the body from a file, FileHref
// is the address of the body. Otherwise it is empty.
type Curl struct{ Text, Note, FileHref string }

// curl returns the command for the newest attempt whose request is known, or nil if there is none. The command has no
// signature and no custom headers, which only the sender knows. self is the address of the delivery's page.
func curl(requests []payload.Request, self string) *Curl {
	for _, r := range slices.Backward(requests) {
		if r.Body != nil {
			return command(&r, self)
		}
	}
	return nil
}

// command returns the command for a request. It consists of printable characters, and each text is one quoted word. So
// neither the shell nor the terminal interprets any part of the request.
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
	c := &Curl{Note: "Run it on a machine that can reach the receiver."}
	if len(left) > 0 {
		c.Note += " It lacks the headers that are not shown: " + strings.Join(left, ", ") + ". A receiver that verifies the signature refuses the request."
	}
	if body := *r.Body; isPasted(body) {
		parts = append(parts, "--data-raw "+quote(body))
	} else {
		parts = append(parts, "--data-binary @request.json")
		c.Note += " The body is too long for a command line, or has characters that cannot be pasted. Save it as request.json first."
		c.FileHref = bodyHref(self, r.Attempt)
	}
	c.Text = strings.Join(parts, " \\\n  ")
	return c
}

// pastedMax is the maximum length of a quoted body in the command, in bytes. A terminal drops the part of a line beyond
// 4,096 bytes, which would include the closing quote.
const pastedMax = 4000

// isPasted reports whether a body can be part of the command.
func isPasted(body string) bool {
	return len(body) <= pastedMax && len(quote(body)) <= pastedMax && isPrintable(body)
}

// bodyHref returns the address of the body of an attempt's request as text.
func bodyHref(self string, a *delivery.Attempt) string {
	return self + "/attempts/" + a.ID + "/request"
}

// isPrintable reports whether a text is UTF-8 and has only printable characters and spaces. Line ends, control characters
// and characters that change the direction of text are not printable.
func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// sentURL returns the URL as it is sent, with the bytes escaped that a URL cannot have.
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

// quote quotes any text as one word of a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

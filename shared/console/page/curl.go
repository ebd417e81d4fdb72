package page

import (
	"maps"
	"slices"
	"strings"

	"nepenthes/shared/api/hal"
)

// Curl is the command that repeats a request, and what to know about it.
type Curl struct{ Text, Note string }

// curl makes the command for the newest attempt whose request is known; nil for none. What only the sender knows, the
// signature and the values of custom headers, is left out.
func curl(attempts []*hal.Attempt) *Curl {
	for _, a := range slices.Backward(attempts) {
		if a.Request.Body != nil {
			return command(a)
		}
	}
	return nil
}

func command(a *hal.Attempt) *Curl {
	parts := []string{"curl -i -X POST " + quote(a.URL)}
	var left []string
	for _, name := range slices.Sorted(maps.Keys(a.Request.Headers)) {
		value := a.Request.Headers[name]
		if value == hal.Masked {
			left = append(left, name)
			continue
		}
		parts = append(parts, "-H "+quote(name+": "+value))
	}
	c := &Curl{Note: "Run it where the receiver can be reached."}
	if len(left) > 0 {
		c.Note += " Without what is not shown: " + strings.Join(left, ", ") + "; a receiver that verifies the signature refuses it."
	}
	if body := *a.Request.Body; len(body) <= bodyShown {
		parts = append(parts, "--data-raw "+quote(body))
	} else {
		parts = append(parts, "--data-binary @request.json")
		c.Note += " The body is long: save it as request.json first."
	}
	c.Text = strings.Join(parts, " \\\n  ")
	return c
}

// quote makes one word of a POSIX shell out of any text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

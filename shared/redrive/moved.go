package redrive

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// Cause says why a message was a dead letter. A Cause without a reason means that the message was received too often.
type Cause struct {
	Reason string // an events.Reason
	Detail string
}

// Moved is the number of moved messages for each cause.
type Moved map[Cause]int

func (m Moved) add(letters []lane.Message) {
	for _, letter := range letters {
		m[Cause{Reason: letter.Attributes[lane.Reason], Detail: letter.Attributes[lane.Detail]}]++
	}
}

// Total returns the number of messages.
func (m Moved) Total() (total int) {
	for n := range maps.Values(m) {
		total += n
	}
	return total
}

// causesShown is the largest number of causes in a report.
const causesShown = 20

// Report returns a text about the messages that were moved to a lane, with a line for each cause, the most frequent cause
// first. It does not contain the bodies of the messages, because they may be confidential.
func (m Moved) Report(to lane.Name) string {
	if len(m) == 0 {
		return fmt.Sprintf("%s has no dead letters that can be moved now", to)
	}
	causes := slices.SortedFunc(maps.Keys(m), func(a, b Cause) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Detail, b.Detail))
	})
	lines := []string{Sentence(m.Total(), to)}
	for _, c := range causes[:min(len(causes), causesShown)] {
		lines = append(lines, fmt.Sprintf("  %d: %s", m[c], c))
	}
	if more := len(causes) - causesShown; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d other causes", more))
	}
	return strings.Join(lines, "\n")
}

// Sentence returns a sentence that says how many messages went back to a lane.
func Sentence(moved int, to lane.Name) string {
	if moved == 1 {
		return fmt.Sprintf("1 message went back to %s", to)
	}
	return fmt.Sprintf("%d messages went back to %s", moved, to)
}

// String returns the cause on one line. The text is safe for a terminal, although a producer can set the attributes of a
// message to any text.
func (c Cause) String() string {
	switch {
	case c.Reason == "":
		return fmt.Sprintf("failed %d times, no reason given", limits.MaxReceiveCount)
	case strings.HasPrefix(c.Detail, c.Reason): // fan-out begins some details with the reason
		return printable(c.Detail)
	case c.Detail == "":
		return printable(c.Reason)
	}
	return printable(c.Reason + ": " + c.Detail)
}

// charactersShown is the largest number of characters of a cause in a report.
const charactersShown = 300

// printable returns the beginning of a text and replaces characters that are not printable, such as those that control a
// terminal.
func printable(text string) string {
	var shown strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > charactersShown {
			return shown.String() + "…"
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		shown.WriteRune(r)
	}
	return shown.String()
}

package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/instant"
)

// Time is a moment as a page shows it. The page has it in UTC, because the server does not know the zone of the reader. The
// script shows it in that zone.
type Time struct{ at time.Time }

// Moment returns the Time of a moment, or nil for the zero time.
func Moment(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t.UTC()}
}

// ISO returns the time for machines (RFC 3339), with milliseconds.
func (t Time) ISO() string { return instant.Text(t.at) }

// Text returns the time for people.
func (t Time) Text() string { return t.at.Format("2 Jan 2006, 15:04:05") + " UTC" }

// Mark is a state as a word with an icon and a colour. The word and the icon are for people who do not see the colour.
type Mark struct{ Tone, Icon, Text string }

// The tones. The style sheet gives them colours.
const (
	good = "good"
	bad  = "bad"
	warn = "warn"
	calm = "calm"
	info = "info"
	held = "held"
)

// Labels is a list of short texts, and the number of further texts that are not shown.
type Labels struct {
	Shown []string
	More  int
}

// labelsShown is the largest number of labels that a list shows.
const labelsShown = 3

func labels(all []string) Labels {
	shown := min(len(all), labelsShown)
	return Labels{Shown: all[:shown], More: len(all) - shown}
}

// Pages has the links to the previous and the next page.
type Pages struct {
	Previous, Next string
	// Counted is a text about the part of the list that the page shows. It is empty if the list is not counted.
	Counted string
}

// rangeText returns a text about the part of a list that is shown. It is empty if the page shows all of the list.
func rangeText(noun string, offset, size, shown, total int) string {
	if total <= shown {
		return ""
	}
	from := (offset-1)*size + 1
	return fmt.Sprintf("%d to %d of %d %s", from, from+shown-1, total, noun)
}

// asWords returns a name of the catalogue in words: "Work package" for "work_package".
func asWords(name string) string {
	text := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// resourceOf returns the resource of an event pattern, in words.
func resourceOf(pattern string) string {
	if pattern == "*" {
		return "All events"
	}
	resource, _, _ := strings.Cut(pattern, ":")
	return asWords(resource)
}

// durationText returns a duration for people. It has few digits, but enough to compare a receiver on the same machine with one
// far away.
func durationText(d time.Duration) string {
	ms := float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return strconv.FormatFloat(ms, 'f', 2, 64) + " ms"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 1000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
}

// ageText returns how long ago a moment was, in the largest unit that fits.
func ageText(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", d/time.Hour)
	}
	return fmt.Sprintf("%d days ago", d/(24*time.Hour))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// eventOptions returns the event types as options. If first is not empty, it is the label of an empty option above them.
func eventOptions(chosen, first string, operational bool) []Option {
	var list []Option
	if first != "" {
		list = append(list, Option{Label: first})
	}
	for _, t := range events.Types() {
		if operational || !t.Operational {
			list = append(list, Option{Value: t.Name, Label: t.Name, Chosen: t.Name == chosen})
		}
	}
	return list
}

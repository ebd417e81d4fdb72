package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/instant"
)

// Time is a moment as a page shows it: in UTC, until the script writes it in the reader's zone.
type Time struct{ at time.Time }

// Moment returns the Time of a moment, nil for the zero time.
func Moment(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t.UTC()}
}

// ISO is for machines (RFC 3339), in milliseconds.
func (t Time) ISO() string { return instant.Text(t.at) }

// Text is for people.
func (t Time) Text() string { return t.at.Format("2 Jan 2006, 15:04:05") + " UTC" }

// Mark is a state at a glance: a word with a shape and a colour.
type Mark struct{ Tone, Icon, Text string }

// The tones, which the style sheet knows.
const (
	good = "good"
	bad  = "bad"
	warn = "warn"
	calm = "calm"
	info = "info"
)

// Labels are a few short texts and how many more there are.
type Labels struct {
	Shown []string
	More  int
}

// labelsShown is how many labels a list shows before it counts.
const labelsShown = 3

func labels(all []string) Labels {
	shown := min(len(all), labelsShown)
	return Labels{Shown: all[:shown], More: len(all) - shown}
}

// Pages leads to the neighbours of a page.
type Pages struct {
	Previous, Next string
	// Counted says where in the whole the page is; empty when the whole is not counted.
	Counted string
}

// counted says which part of a counted whole is shown.
func counted(noun string, offset, size, shown, total int) string {
	if total <= shown {
		return ""
	}
	from := (offset-1)*size + 1
	return fmt.Sprintf("%d to %d of %d %s", from, from+shown-1, total, noun)
}

// words turns a name of the catalogue into words: "work_package" is "Work package".
func words(name string) string {
	text := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// resourceOf is what an event pattern is about, in words.
func resourceOf(pattern string) string {
	if pattern == "*" {
		return "All events"
	}
	resource, _, _ := strings.Cut(pattern, ":")
	return words(resource)
}

// took writes a duration for a person to read.
func took(d time.Duration) string {
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

// age is how long ago something was, in the largest unit that fits.
func age(at, now time.Time) string {
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

// eventOptions lists the types of events; first stands above them.
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

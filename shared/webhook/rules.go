package webhook

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
)

// Limits of the fields of a webhook.
const (
	NameMax        = 255   // characters
	DescriptionMax = 4096  // characters
	PatternsMax    = 60    // event types and wildcards
	ProjectsMax    = 1_000 // selected projects
)

// composedMax is the largest number of characters into which Unicode decomposes a single character.
const composedMax = 4

// Defaults returns a new webhook with the default values. It is enabled, selects all projects and has no event types.
func Defaults() Webhook {
	return Webhook{
		Enabled:       true,
		Subscription:  Subscription{Projects: Projects{All: true}},
		PayloadFormat: Formats()[0],
		Timeout:       limits.ExchangeTimeout,
		RetrySchedule: Schedules()[0],
	}
}

// Normalise trims the name, brings it into NFC, removes duplicates from the subscription, and returns a fault for every
// rule that a field breaks, in the order of the fields. Normalising twice changes nothing. former has the patterns that
// the webhook already has: they stay acceptable even if their types have been removed from the catalogue.
//
// Normalise does not check the payload URL, which package address checks, nor the headers, which [CheckHeaders] checks
// before they are sealed. It does not check whether the projects exist either, because only the store knows.
func (w *Webhook) Normalise(former ...string) fault.Details {
	var faults faults
	w.Name = strings.TrimSpace(w.Name)
	if utf8.RuneCountInString(w.Name) <= composedMax*NameMax { // a longer name exceeds NameMax even in NFC
		w.Name = norm.NFC.String(w.Name)
	}
	faults.length("name", w.Name, 1, NameMax)
	if strings.ContainsFunc(w.Name, unicode.IsControl) {
		faults.add("name", "It contains a control character, such as a line break.", "Write the name in one line.")
	}
	faults.length("description", w.Description, 0, DescriptionMax)
	faults.subscription(&w.Subscription, former)
	faults.oneOf("payloadFormat", string(w.PayloadFormat), texts(Formats()))
	if w.Timeout < limits.ExchangeMin || w.Timeout > limits.ExchangeMax || w.Timeout%time.Second != 0 {
		faults.add("timeoutSeconds", fmt.Sprintf("It must be a whole number from %d to %d.",
			limits.ExchangeMin/time.Second, limits.ExchangeMax/time.Second), "")
	}
	faults.oneOf("retrySchedule", string(w.RetrySchedule), texts(Schedules()))
	return faults.Details
}

// faults collects the faults of one webhook.
type faults struct{ fault.Details }

// add adds a fault about an attribute.
func (f *faults) add(attribute, message, hint string) {
	f.Add(fault.Detail{Attribute: attribute, Message: message, Hint: hint})
}

// length checks the number of characters of a text.
func (f *faults) length(attribute, text string, least, most int) {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		f.add(attribute, "It is required and cannot be blank.", "")
	case n > most:
		f.add(attribute, fmt.Sprintf("It has %d characters; the limit is %d.", n, most), "")
	}
}

// oneOf checks that a value is in a list.
func (f *faults) oneOf(attribute, value string, known []string) {
	if !slices.Contains(known, value) {
		f.add(attribute, "It must be one of "+strings.Join(known, ", ")+".", "")
	}
}

// texts converts a list to strings.
func texts[S ~string](list []S) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}

// subscription removes duplicates from a subscription and checks it.
func (f *faults) subscription(s *Subscription, former []string) {
	s.Events = unique(s.Events)
	switch {
	case len(s.Events) == 0:
		f.add("events", "It must have at least one event type or pattern.", `Add a type such as "work_package:updated", a resource such as "work_package:*", or "*".`)
	case len(s.Events) > PatternsMax:
		f.add("events", fmt.Sprintf("It has %d patterns; the limit is %d.", len(s.Events), PatternsMax), "")
	default:
		f.patterns(s.Events, former)
	}
	if s.Projects.All {
		s.Projects.IDs = nil
		return
	}
	s.Projects.IDs = unique(s.Projects.IDs)
	switch n := len(s.Projects.IDs); {
	case n == 0:
		f.add("projects.ids", "No project is selected.", `Select at least one project, or set "all" to true.`)
	case n > ProjectsMax:
		f.add("projects.ids", fmt.Sprintf("It has %d projects; the limit is %d.", n, ProjectsMax), "")
	}
}

// patternsNamed is the largest number of unknown patterns that a fault names.
const patternsNamed = 10

// patterns checks that every pattern is in the catalogue or in former.
func (f *faults) patterns(patterns, former []string) {
	var named []string
	unknown := 0
	for _, p := range patterns {
		if events.CheckPattern(p) == nil || slices.Contains(former, p) {
			continue
		}
		if unknown++; unknown <= patternsNamed {
			named = append(named, fault.Quote(p))
		}
	}
	if unknown == 0 {
		return
	}
	message := "The catalogue does not have " + strings.Join(named, ", ")
	if more := unknown - len(named); more > 0 {
		message += fmt.Sprintf(" and %d more", more)
	}
	f.add("events", message+".",
		`Use the exact name of an event type, in lower case, or "<resource>:*", or "*". See event_types.`)
}

// unique returns the list without duplicates, in the same order.
func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	kept := make([]string, 0, len(list))
	for _, entry := range list {
		if !seen[entry] {
			seen[entry] = true
			kept = append(kept, entry)
		}
	}
	return kept
}

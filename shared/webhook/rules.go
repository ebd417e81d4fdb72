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

// Limits of the fields of a webhook (contract of the API, "Webhooks").
const (
	NameMax        = 255   // characters
	DescriptionMax = 4096  // characters
	PatternsMax    = 60    // event types and wildcards
	ProjectsMax    = 1_000 // selected projects
)

// composedMax is the largest number of characters in the canonical decomposition of one character (Unicode).
const composedMax = 4

// Defaults returns a new webhook with the default values: it is enabled, for all projects and without any events.
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
// rule that a field breaks, in the order of the fields. It does not check the payload URL (package address does),
// whether the projects exist (the store knows), and the headers ([CheckHeaders] does, before they are sealed).
// Normalising twice changes nothing. former are the patterns that the webhook has had until now: they stay acceptable
// when the catalogue loses a type.
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

func (f *faults) add(attribute, message, hint string) {
	f.Add(fault.Detail{Attribute: attribute, Message: message, Hint: hint})
}

func (f *faults) length(attribute, text string, least, most int) {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		f.add(attribute, "It is required and cannot be blank.", "")
	case n > most:
		f.add(attribute, fmt.Sprintf("It has %d characters; it must be at most %d.", n, most), "")
	}
}

func (f *faults) oneOf(attribute, value string, known []string) {
	if !slices.Contains(known, value) {
		f.add(attribute, "It must be one of "+strings.Join(known, ", ")+".", "")
	}
}

func texts[S ~string](list []S) []string {
	all := make([]string, len(list))
	for i, s := range list {
		all[i] = string(s)
	}
	return all
}

func (f *faults) subscription(s *Subscription, former []string) {
	s.Events = unique(s.Events)
	switch {
	case len(s.Events) == 0:
		f.add("events", "It is required: at least one event type or pattern.", `Name a type such as "work_package:updated", a resource such as "work_package:*", or "*".`)
	case len(s.Events) > PatternsMax:
		f.add("events", fmt.Sprintf("It names %d patterns; it must be at most %d.", len(s.Events), PatternsMax), "")
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
		f.add("projects.ids", "No project is selected.", `Name at least one, or set "all" to true.`)
	case n > ProjectsMax:
		f.add("projects.ids", fmt.Sprintf("It names %d projects; it must be at most %d.", n, ProjectsMax), "")
	}
}

// patternsNamed is the largest number of unknown patterns that a fault names.
const patternsNamed = 10

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

// unique removes duplicates and keeps the order.
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

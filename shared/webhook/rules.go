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

// What the fields of a webhook may hold (contract of the API, "Webhooks").
const (
	NameMax        = 255   // characters
	DescriptionMax = 4096  // characters
	PatternsMax    = 60    // event types and wildcards of one webhook
	ProjectsMax    = 1_000 // selected projects
)

// composedMax is how many characters one can be written as at most (Unicode, canonical decomposition).
const composedMax = 4

// Defaults is a new webhook before its maker has said anything: enabled, for all projects, without any event.
func Defaults() Webhook {
	return Webhook{
		Enabled:       true,
		Subscription:  Subscription{Projects: Projects{All: true}},
		PayloadFormat: Formats()[0],
		Timeout:       limits.ExchangeTimeout,
		RetrySchedule: Schedules()[0],
	}
}

// Normalise trims the name and brings it into NFC, drops what is named twice in the subscription, and lists every
// rule that the fields break, in the order of the fields. The payload URL and whether projects exist are judged
// elsewhere (package address, the store); header values by [CheckHeader] before they are sealed. Normalising twice
// changes nothing.
func (w *Webhook) Normalise() fault.Details {
	var faults faults
	w.Name = strings.TrimSpace(w.Name)
	if utf8.RuneCountInString(w.Name) <= composedMax*NameMax { // a longer one has more than NameMax in any form
		w.Name = norm.NFC.String(w.Name)
	}
	faults.length("name", w.Name, 1, NameMax)
	if strings.ContainsFunc(w.Name, unicode.IsControl) {
		faults.add("name", "It has a control character, such as a line break.", "Write it in one line of text.")
	}
	faults.length("description", w.Description, 0, DescriptionMax)
	faults.subscription(&w.Subscription)
	faults.oneOf("payloadFormat", string(w.PayloadFormat), texts(Formats()))
	if w.Timeout < limits.ExchangeMin || w.Timeout > limits.ExchangeMax || w.Timeout%time.Second != 0 {
		faults.add("timeoutSeconds", fmt.Sprintf("It must be a whole number from %d to %d.",
			limits.ExchangeMin/time.Second, limits.ExchangeMax/time.Second), "")
	}
	faults.oneOf("retrySchedule", string(w.RetrySchedule), texts(Schedules()))
	return faults.Details
}

// faults gathers what is wrong with one webhook.
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

func (f *faults) subscription(s *Subscription) {
	s.Events = unique(s.Events)
	switch {
	case len(s.Events) == 0:
		f.add("events", "It is required: at least one event type or pattern.", `Name a type such as "work_package:updated", a resource such as "work_package:*", or "*".`)
	case len(s.Events) > PatternsMax:
		f.add("events", fmt.Sprintf("It names %d patterns; it must be at most %d.", len(s.Events), PatternsMax), "")
	default:
		f.patterns(s.Events)
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

// patternsNamed is how many unknown patterns are told by name.
const patternsNamed = 10

func (f *faults) patterns(patterns []string) {
	var named []string
	unknown := 0
	for _, p := range patterns {
		if events.CheckPattern(p) == nil {
			continue
		}
		if unknown++; unknown <= patternsNamed {
			named = append(named, fault.Quote(p))
		}
	}
	if unknown == 0 {
		return
	}
	message := "It names " + strings.Join(named, ", ")
	if more := unknown - len(named); more > 0 {
		message += fmt.Sprintf(" and %d more", more)
	}
	f.add("events", message+", which the catalogue does not have.",
		`Names are exact and lower case; besides them there are "<resource>:*" and "*". See event_types.`)
}

// unique drops what comes twice and keeps the order.
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

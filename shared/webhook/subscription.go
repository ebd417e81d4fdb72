package webhook

import (
	"slices"

	"nepenthes/events"
)

// Subscription says which events a webhook wants: those whose type matches one of its patterns and whose project
// is among its projects.
type Subscription struct {
	Events   []string // exact names, "<resource>:*" or "*" (events.Matches)
	Projects Projects
}

// Projects selects all projects, or those listed. A selected project is matched by its id exactly; an event
// without a project reaches webhooks for all projects only.
type Projects struct {
	All bool
	IDs []string
}

// Rule names what can say no to an event.
type Rule string

// The rules, in the order in which they are told.
const (
	RuleEnabled Rule = "enabled"
	RuleEvent   Rule = "event"
	RuleProject Rule = "project"
)

// Refusals lists every rule by which w does not want an event of that type and project (empty: none); it is
// empty when w wants it. Fan-out, sender and explain all go by it.
func (w *Webhook) Refusals(eventType, projectID string) []Rule {
	var no []Rule
	if !w.Enabled {
		no = append(no, RuleEnabled)
	}
	if !w.Subscription.wantsType(eventType) {
		no = append(no, RuleEvent)
	}
	if !w.Subscription.Projects.include(projectID) {
		no = append(no, RuleProject)
	}
	return no
}

func (s Subscription) wantsType(eventType string) bool {
	return slices.ContainsFunc(s.Events, func(pattern string) bool { return events.Matches(pattern, eventType) })
}

func (p Projects) include(id string) bool {
	return p.All || id != "" && slices.Contains(p.IDs, id)
}

package webhook

import (
	"slices"

	"nepenthes/events"
)

// Subscription selects the events that a webhook wants. It selects an event if the type matches one of its patterns and
// the project is one of its projects.
type Subscription struct {
	Events   []string // exact names, "<resource>:*" or "*" (events.Matches)
	Projects Projects
}

// Projects selects either all projects or the projects with the given ids. Ids are compared exactly. An event without a
// project is wanted only by webhooks that select all projects.
type Projects struct {
	All bool
	IDs []string
}

// Rule is the name of a rule by which a webhook can refuse an event or hold it back.
type Rule string

// The rules, in the order in which Refusals returns them.
const (
	RuleEnabled Rule = "enabled"
	RuleEvent   Rule = "event"
	RuleProject Rule = "project"
	// RulePaused only holds an event back, so Refusals does not return it.
	RulePaused Rule = "paused"
)

// Refusals returns every rule by which w refuses an event of the given type and project. It returns none if w wants the
// event. projectID is empty for an event without a project. Fan-out, the sender and the explanation of matches all
// follow these rules.
func (w *Webhook) Refusals(eventType, projectID string) []Rule {
	var refusing []Rule
	if !w.Enabled {
		refusing = append(refusing, RuleEnabled)
	}
	if !w.Subscription.wantsType(eventType) {
		refusing = append(refusing, RuleEvent)
	}
	if !w.Subscription.Projects.include(projectID) {
		refusing = append(refusing, RuleProject)
	}
	return refusing
}

func (s Subscription) wantsType(eventType string) bool {
	return slices.ContainsFunc(s.Events, func(pattern string) bool { return events.Matches(pattern, eventType) })
}

func (p Projects) include(id string) bool {
	return p.All || id != "" && slices.Contains(p.IDs, id)
}

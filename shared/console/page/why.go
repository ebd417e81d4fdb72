package page

import (
	"fmt"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

// Why is the page that explains which webhooks want an event.
type Why struct {
	Frame
	Summary                *Summary
	Event, Project, Pasted Field
	Asked                  bool
	Verdict                string
	Rows                   []WhyRow
	Method                 string
	Again                  []Input
	PreviousPage, NextPage string
	Counted                string
}

// WhyRow is one webhook's answer.
type WhyRow struct {
	Name, Href string
	Match      Mark
	Reasons    []string
}

// The values of the project's list that are no project's id.
const (
	ExampleProject = ""
	NoProject      = "-"
)

// Question is what was asked, as typed.
type Question struct{ Event, Project, Pasted string }

// NewWhy makes the page with the question; projects are those to choose from, nil to have an id typed.
func NewWhy(f Frame, q Question, projects []project.Project, err error) *Why {
	f.Title = "Why (not)?"
	p := &Why{
		Frame: f,
		Event: Field{ID: "event", Name: "event", Label: "Event type", Options: eventOptions(q.Event, "", false)},
		Project: Field{
			ID: "project", Name: "project", Label: "Project", Value: q.Project,
			Hint: "The event is taken to have happened there.",
		},
		Pasted: Field{
			ID: "pasted", Name: "pasted", Label: "Event as JSON", Value: q.Pasted, Rows: 7, Width: "code",
			Hint: "As a producer sends it; id and occurredAt may be left out.",
		},
	}
	if projects != nil {
		pairs := []string{ExampleProject, "That of the example", NoProject, "None"}
		for _, p := range projects {
			pairs = append(pairs, p.ID, projectBox(p, false).Label)
		}
		p.Project.Options = options(q.Project, pairs...)
	} else {
		p.Project.Hint += " Empty: that of the example. A hyphen: none."
	}
	p.blame(q, err)
	return p
}

// blame puts the faults beside what asked: the fields of the example, or the event that was pasted, whose members are
// named.
func (p *Why) blame(q Question, err error) {
	if err == nil {
		return
	}
	asked := []*Field{&p.Event, &p.Project}
	if q.Event != "" {
		Blame(err, []string{"type", "project"}, asked)
		p.Summary = SummaryOf(err, asked)
		return
	}
	f := fault.From(err)
	for _, d := range faultsOf(f) {
		if d.Attribute != "" {
			d.Message = d.Attribute + ": " + d.Message
		}
		p.Pasted.Faults = append(p.Pasted.Faults, d)
	}
	p.Summary = summary(p.Pasted.Faults, f.Count(), []*Field{&p.Pasted})
}

// Answer puts the explanations on the page; again are the inputs that ask the same for another page.
func (p *Why) Answer(list *api.Page[api.Explanation], eventType, method string, again []Input) {
	p.Asked, p.Method, p.Again = true, method, again
	matches := 0
	for _, e := range list.Items {
		row := WhyRow{Name: e.Webhook.Name, Href: p.To("/webhooks/" + e.Webhook.ID), Match: Mark{calm, "dash", "No"}}
		if len(e.Refusals) == 0 {
			matches++
			row.Match = Mark{good, "check", "Yes"}
		}
		for _, r := range e.Refusals {
			row.Reasons = append(row.Reasons, r.Detail)
		}
		p.Rows = append(p.Rows, row)
	}
	switch {
	case list.Total == 0:
		p.Verdict = "There is no webhook yet"
	case len(list.Items) == list.Total:
		p.Verdict = fmt.Sprintf("Wanted by %d of %s: %s", matches, plural(list.Total, "webhook", "webhooks"), eventType)
	default:
		p.Verdict = "Who wants " + eventType
	}
	p.Counted = counted("webhooks", list.Number, list.Size, len(list.Items), list.Total)
	if list.Number > 1 {
		p.PreviousPage = number(int64(list.Number - 1))
	}
	if list.HasNext() {
		p.NextPage = number(int64(list.Number + 1))
	}
}

package page

import (
	"fmt"
	"strconv"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

// Why is the page that explains which webhooks want an event.
type Why struct {
	Frame
	Summary                *Summary
	Event, Project, Pasted Field
	Explained              bool
	Verdict                string
	Rows                   []WhyRow
	Method                 string
	Inputs                 []Input
	PreviousPage, NextPage string
	Counted                string
}

// WhyRow says whether a webhook wants the event, and if not, why.
type WhyRow struct {
	Name, Href string
	Match      Mark
	Reasons    []string
}

// The values of the list of projects that are not the id of a project.
const (
	ExampleProject = ""
	NoProject      = "-"
)

// Question has the input.
type Question struct{ Event, Project, Pasted string }

// NewWhy returns the page without an answer. projects has the projects to choose from. If it is nil, the page has a field
// for the id of a project.
func NewWhy(f Frame, q Question, projects []project.Project, err error) *Why {
	f.Title = "Why (not)?"
	p := &Why{
		Frame: f,
		Event: Field{ID: "event", Name: "event", Label: "Event type", Options: eventOptions(q.Event, "", false)},
		Project: Field{
			ID: "project", Name: "project", Label: "Project", Value: q.Project,
			Hint: "The project in which the event happens.",
		},
		Pasted: Field{
			ID: "pasted", Name: "pasted", Label: "Event as JSON", Value: q.Pasted, Rows: 7, Width: "code",
			Hint: "As a producer sends it; id and occurredAt may be left out.",
		},
	}
	if projects != nil {
		pairs := []string{ExampleProject, "The example's project", NoProject, "None"}
		for _, p := range projects {
			pairs = append(pairs, p.ID, projectBox(p, false).Label)
		}
		p.Project.Options = options(q.Project, pairs...)
	} else {
		p.Project.Hint += " Leave it empty for the example's project. Enter a hyphen for none."
	}
	p.assignFaults(q, err)
	return p
}

// assignFaults sets the faults of the fields for an example, or of the field with the pasted event. The text of a fault of a
// pasted event begins with the member, because the field is the same for all members.
func (p *Why) assignFaults(q Question, err error) {
	if err == nil {
		return
	}
	asked := []*Field{&p.Event, &p.Project}
	if q.Event != "" {
		AssignFaults(err, []string{"type", "project"}, asked)
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

// Answer adds the explanations to the page. inputs are the hidden fields of the form that requests another page of them.
func (p *Why) Answer(list *api.Page[api.Explanation], eventType, method string, inputs []Input) {
	p.Explained, p.Method, p.Inputs = true, method, inputs
	matches := 0
	for _, e := range list.Items {
		row := WhyRow{Name: NameOf(e.Webhook.Name, e.Webhook.ID), Href: p.To("/webhooks/" + e.Webhook.ID), Match: Mark{calm, "dash", "No"}}
		if e.Match {
			matches++
			row.Match = Mark{good, "check", "Yes"}
		}
		for _, r := range e.Reasons {
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
		p.Verdict = "Which webhooks want " + eventType
	}
	p.Counted = rangeText("webhooks", list.Number, list.Size, len(list.Items), list.Total)
	if list.Number > 1 {
		p.PreviousPage = strconv.Itoa(list.Number - 1)
	}
	if list.HasNext() {
		p.NextPage = strconv.Itoa(list.Number + 1)
	}
}

package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/webhook"
)

// WebhookForm is the page on which a webhook is created or changed.
type WebhookForm struct {
	Frame
	Trail                                       []Crumb
	Summary                                     *Summary
	Action, Button, Cancel, Version, FormNumber string
	Name, PayloadURL, Description, Active       Field
	Secret                                      Field
	SecretChoices                               []Choice
	Events                                      Field
	AllEvents                                   Box
	EventGroups, OptInGroups                    []EventGroup
	Projects                                    Field
	AllProjects                                 bool
	ProjectBoxes                                []Box
	ProjectNote                                 string
	Filter, ProjectID                           *Field
	FilterInPlace                               bool
	AdvancedOpen                                bool
	Format, Legacy, Headers, Timeout, Schedule  Field
	HeaderRows                                  []HeaderRow
}

// EventGroup has the event types of one resource. All is the box for the whole resource, or nil.
type EventGroup struct {
	Label string
	All   *Box
	Types []Box
}

// HeaderRow is a row in which a custom header can be typed.
type HeaderRow struct {
	Index                   int
	Name, Kept, Placeholder string
}

// ProjectChoices has the projects that the form offers.
type ProjectChoices struct {
	// Listed has the projects that are shown: all if there are few, otherwise those that the filter found.
	Listed []project.Project
	// Names has the names of projects by id, for the selected projects that are not listed.
	Names map[string]string
	// Many reports whether there are too many projects to show them all.
	Many bool
	// Total is the number of all projects.
	Total int
	// Filter and Added are input: a part of a name, and the id of a project to be added.
	Filter, Added string
	// Hidden reports whether the client may not see projects.
	Hidden bool
	// Addable reports whether the client may add projects.
	Addable bool
	// Refused is the fault of an addition, or nil.
	Refused error
}

// WebhookFormOptions has what the form shows besides the input.
type WebhookFormOptions struct {
	// Current is the webhook to be changed, or nil for a new one.
	Current    *webhook.Webhook
	Projects   ProjectChoices
	FormNumber string
	// Conflict reports whether somebody else saved meanwhile. Current is then the version that they saved.
	Conflict bool
	// Pressed is the pressed button of the projects: "filter", "add" or empty. Its field gets the focus.
	Pressed string
	// SecretDropped reports whether the input had a secret, which is not shown again.
	SecretDropped bool
	Now           time.Time
}

// NewWebhookForm returns the page with the input and the faults of err.
func NewWebhookForm(f Frame, w form.Webhook, o WebhookFormOptions, err error) *WebhookForm {
	f.Title = "New webhook"
	p := &WebhookForm{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}}, Action: f.To("/webhooks/new"), Button: "Create", Cancel: f.To("/webhooks"),
		Version: w.Version, FormNumber: o.FormNumber, AllProjects: w.AllProjects,
	}
	if o.Current != nil {
		self := f.To("/webhooks/" + o.Current.ID)
		p.Title, p.Action, p.Button, p.Cancel = "Edit webhook", self+"/edit", "Save", self
		p.Trail = append(p.Trail, Crumb{NameOf(o.Current.Name, o.Current.ID), self})
	}
	p.basics(w)
	p.secrets(w, o.Current, o.Now)
	p.events(w.Events)
	p.projects(w, o.Projects)
	p.headers(w)
	p.assignFaults(w, o, err)
	p.setFocus(o)
	return p
}

// basics sets the fields that other methods do not set.
func (p *WebhookForm) basics(w form.Webhook) {
	p.Name = Field{ID: "name", Name: "name", Label: "Name", Value: w.Name}
	p.PayloadURL = Field{
		ID: "payload_url", Name: "payload_url", Label: "Payload URL", Type: "url", Value: w.PayloadURL, Width: "code",
		Hint: "Where events are sent, as POST requests: https://… on the public internet.",
	}
	p.Description = Field{
		ID: "description", Name: "description", Label: "Description", Value: w.Description, Rows: 2,
		Hint: "What the webhook is for, and whom to ask.",
	}
	p.Active = Field{ID: "active", Name: "active", Label: "Active", Checked: w.Active, Hint: "Events are sent only while this is ticked."}
	p.Events = Field{ID: "events", Name: "events", Label: "Events"}
	p.Projects = Field{ID: "projects", Name: "projects", Label: "Projects"}
	p.Format = Field{
		ID: "payload_format", Name: "payload_format", Label: "Payload format",
		Options: optionsOf(w.Format, webhook.Formats(), formatWords),
	}
	p.Legacy = Field{
		ID: "legacy_signature", Name: "legacy_signature", Label: "Legacy signature", Checked: w.Legacy,
		Hint: "Also sends X-OP-Signature, for receivers that were written for OpenProject.",
	}
	p.Headers = Field{
		ID: "headers", Name: "header_name", Label: "Custom headers",
		Hint: "Sent with every request, such as Authorization. Values are stored encrypted and never shown. To remove a header, clear its name.",
	}
	p.Timeout = Field{
		ID: "timeout", Name: "timeout", Label: "Timeout (seconds)", Type: "number", Min: "1", Max: "30", Value: w.Timeout,
		Hint: "How long a request with its answer may take: 1 to 30.",
	}
	p.Schedule = Field{
		ID: "retry_schedule", Name: "retry_schedule", Label: "Retry schedule",
		Options: optionsOf(w.Schedule, webhook.Schedules(), scheduleWords),
	}
}

// secrets sets the choices of the signature secret. A secret that was typed is never part of the page.
func (p *WebhookForm) secrets(w form.Webhook, current *webhook.Webhook, now time.Time) {
	p.Secret = Field{ID: "secret", Name: "secret", Label: "Signature secret", Hint: "The receiver uses it to verify that a request comes from us and is unchanged."}
	if current != nil {
		note := "There is none, so deliveries are not signed."
		if len(current.LiveSecrets(now)) > 0 {
			note = "Signing does not change."
		}
		p.SecretChoices = append(p.SecretChoices, Choice{Value: form.SecretKeep, Label: "Keep the present secret", Note: note})
	}
	p.SecretChoices = append(p.SecretChoices,
		Choice{Value: form.SecretNone, Label: "None", Note: "Deliveries are not signed."},
		Choice{Value: form.SecretGenerate, Label: "Generate", Note: "A new secret, shown once on the next page."},
		Choice{Value: form.SecretGiven, Label: "Use this", Note: "whsec_…, whsk_…, or plain text of 8 to 128 bytes, without quotes or spaces around it."})
	for i := range p.SecretChoices {
		c := &p.SecretChoices[i]
		if c.Checked = c.Value == w.SecretChoice; c.Checked && c.Value == form.SecretGiven {
			p.Secret.Hint += " Your input is not shown again."
		}
	}
}

// events offers the event types in a group for each resource. Types that a wildcard of several resources does not include are
// in separate groups.
func (p *WebhookForm) events(chosen []string) {
	box := func(pattern, label string) Box {
		return Box{ID: "event-" + pattern, Name: "events", Value: pattern, Label: label, Code: pattern, Checked: slices.Contains(chosen, pattern)}
	}
	p.AllEvents = box("*", "All events")
	p.AllEvents.ID, p.AllEvents.Code = "event-all", ""
	groups := map[string]*EventGroup{}
	var order, apart []string
	for _, t := range events.Types() {
		key, list := t.Resource, &order
		if t.OptIn || t.Operational {
			key, list = "apart:"+t.Resource, &apart
		}
		if groups[key] == nil {
			groups[key] = &EventGroup{Label: asWords(t.Resource)}
			if !t.OptIn {
				all := box(t.Resource+":*", "All")
				groups[key].All = &all
			}
			*list = append(*list, key)
		}
		groups[key].Types = append(groups[key].Types, box(t.Name, asWords(t.Action)))
	}
	for _, key := range order {
		p.EventGroups = append(p.EventGroups, *groups[key])
	}
	for _, key := range apart {
		p.OptInGroups = append(p.OptInGroups, *groups[key])
	}
}

// projects offers the listed projects, and the selected projects even if they are not listed. Without their boxes, saving
// would drop them. It offers no more of them than a webhook can have.
func (p *WebhookForm) projects(w form.Webhook, c ProjectChoices) {
	boxes, listed := projectBoxes(w.ProjectIDs, c), len(c.Listed)
	unlisted := len(boxes) - listed
	if most := webhook.ProjectsMax; unlisted > most {
		p.Projects.Faults = append(p.Projects.Faults, fault.Detail{
			Message: fmt.Sprintf("%d more are selected than are shown. If you save again, they are dropped.", unlisted-most),
		})
		boxes = slices.Delete(boxes, most, unlisted)
	}
	p.ProjectBoxes = boxes
	switch {
	case c.Hidden:
		p.ProjectNote = "Only applications with the scope projects:read can see the names of projects."
	case c.Total == 0:
		p.ProjectNote = "A project appears with its first event."
	case c.Many && c.Filter == "":
		p.ProjectNote = fmt.Sprintf("There are %d projects. The selected ones are shown. Find others with the filter.", c.Total)
	case c.Many && len(c.Listed) == 0:
		p.ProjectNote = "No project has a name or identifier that contains this."
	}
	if c.Many {
		p.Filter = &Field{ID: "project_filter", Name: "project_filter", Label: "Filter", Value: c.Filter}
	}
	p.FilterInPlace = !c.Many && len(p.ProjectBoxes) > 12
	if c.Addable {
		p.ProjectID = &Field{ID: "project_id", Name: "project_id", Label: "Project ID", Value: c.Added, Width: "code", Hint: "Adds a project that has had no event yet."}
		if c.Total > 0 && !c.Many {
			p.ProjectID.Hint += " All others are in the list above."
		}
	}
}

// projectIDMax is the maximum length of the id of a project, in bytes. A longer id is not the value of a box, so no box is made
// for it.
const projectIDMax = 128

// projectBoxes returns the boxes of the selected projects that are not listed, followed by those of the listed projects.
func projectBoxes(ticked []string, c ProjectChoices) []Box {
	state := make(map[string]bool, len(ticked)) // whether the project has a box, for each ticked one
	for _, id := range ticked {
		state[id] = false
	}
	var listed, others []Box
	for _, p := range c.Listed {
		_, checked := state[p.ID]
		state[p.ID] = true
		listed = append(listed, projectBox(p, checked))
	}
	for _, id := range ticked {
		if !state[id] && len(id) <= projectIDMax {
			state[id] = true
			others = append(others, projectBox(project.Project{ID: id, Name: c.Names[id]}, true))
		}
	}
	return append(others, listed...)
}

// projectBox returns the box of a project. The identifier helps to distinguish projects with the same name.
func projectBox(p project.Project, checked bool) Box {
	b := Box{ID: "project-" + p.ID, Name: "project_ids", Value: p.ID, Label: NameOf(p.Name, p.ID), Checked: checked}
	if p.Identifier != "" {
		b.Code = p.Identifier
	}
	if p.Gone {
		b.Note = "gone"
	}
	return b
}

// spareHeaders is the number of empty rows for further headers.
const spareHeaders = 2

// headers sets the rows of custom headers, with a few empty rows, because a page without a script cannot add rows.
func (p *WebhookForm) headers(w form.Webhook) {
	shown := min(len(w.Headers), webhook.HeadersMax)
	if more := len(w.Headers) - shown; more > 0 {
		p.Headers.Faults = append(p.Headers.Faults, fault.Detail{
			Message: fmt.Sprintf("%d more were entered than are shown. If you save again, they are dropped.", more),
		})
	}
	for _, h := range w.Headers[:shown] {
		row := HeaderRow{Index: len(p.HeaderRows), Name: h.Name, Kept: h.Kept, Placeholder: "enter the value again"}
		if h.Kept != "" {
			row.Placeholder = "*** (kept; enter a value to replace it)"
		}
		p.HeaderRows = append(p.HeaderRows, row)
	}
	for range min(spareHeaders, max(0, webhook.HeadersMax-len(w.Headers))) {
		p.HeaderRows = append(p.HeaderRows, HeaderRow{Index: len(p.HeaderRows)})
	}
}

// assignFaults sets the faults, or the values that somebody else saved, of the fields.
func (p *WebhookForm) assignFaults(w form.Webhook, o WebhookFormOptions, err error) {
	fields := []*Field{
		&p.Name, &p.PayloadURL, &p.Description, &p.Active, &p.Events, &p.Projects, &p.Format, &p.Legacy, &p.Headers, &p.Timeout, &p.Schedule, &p.Secret,
	} // in the order of form.Webhook.Texts, followed by the secret, which has no text
	switch {
	case o.Conflict:
		theirs := form.FromWebhook(o.Current)
		p.Version, p.Summary = theirs.Version, Conflict()
		Compare(w.Texts(), theirs.Texts(), fields[:len(fields)-1])
	case o.Projects.Refused != nil && p.ProjectID != nil:
		added := []*Field{p.ProjectID}
		AssignFaults(o.Projects.Refused, []string{"id"}, added)
		p.Summary = SummaryOf(o.Projects.Refused, added)
	default:
		AssignFaults(err, []string{
			"name", "payloadUrl", "description", "enabled", "events", "projects", "payloadFormat", "legacySignature", "headers", "timeoutSeconds", "retrySchedule", "secret",
		}, fields)
		p.Summary = SummaryOf(err, fields)
	}
	advanced := []*Field{&p.Format, &p.Legacy, &p.Headers, &p.Timeout, &p.Schedule}
	p.AdvancedOpen = slices.ContainsFunc(advanced, func(f *Field) bool { return len(f.Faults) > 0 || f.Theirs != "" }) ||
		slices.ContainsFunc(w.Headers, func(h form.Header) bool { return h.Kept == "" })
}

// setFocus gives the focus to the field of the button that was pressed.
func (p *WebhookForm) setFocus(o WebhookFormOptions) {
	if o.SecretDropped {
		p.Secret.Faults = append(p.Secret.Faults, fault.Detail{Message: "Enter the secret again. It was not kept while you chose projects."})
	}
	switch {
	case p.Summary != nil: // the summary has the focus
	case o.Pressed == "filter" && p.Filter != nil:
		p.Filter.Focus = true
	case o.Pressed == "add" && p.ProjectID != nil:
		p.ProjectID.Focus = true
	}
}

// NewWebhookSecret returns the page that shows a secret that was just generated for a webhook. publicKey is empty unless
// the secret is a key pair.
func NewWebhookSecret(f Frame, w *webhook.Webhook, title, secret, publicKey string, warnings []api.Warning, notes ...string) *Secret {
	f.Title = title
	self := f.To("/webhooks/" + w.ID)
	p := &Secret{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}, {NameOf(w.Name, w.ID), self}}, Next: self, Notes: notes,
		Lines: []SecretLine{{ID: "new-secret", Label: "Signature secret", Text: secret}},
	}
	if publicKey != "" {
		p.Lines = append(p.Lines, SecretLine{ID: "public-key", Label: "Public key", Text: publicKey})
	}
	for _, w := range warnings {
		p.Warnings = append(p.Warnings, w.Message)
	}
	return p
}

// Overlap returns a sentence about how long the previous secrets stay valid.
func Overlap(hours string) string {
	if n, err := strconv.Atoi(strings.TrimSpace(hours)); err == nil && n > 0 {
		return "The previous secrets also sign for " + plural(n, "hour", "hours") + ". Give the new secret to the receiver before then."
	}
	return "The previous secrets no longer sign. Give the new secret to the receiver now."
}

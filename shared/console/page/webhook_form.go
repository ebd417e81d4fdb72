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

// WebhookForm is the page on which a webhook is made or changed.
type WebhookForm struct {
	Frame
	Trail                                      []Crumb
	Summary                                    *Summary
	Action, Button, Cancel, Version, Once      string
	Name, PayloadURL, Description, Active      Field
	Secret                                     Field
	SecretChoices                              []Choice
	Events                                     Field
	AllEvents                                  Box
	EventGroups, OptInGroups                   []EventGroup
	Projects                                   Field
	AllProjects                                bool
	ProjectBoxes                               []Box
	ProjectNote                                string
	Filter, ProjectID                          *Field
	FilterInPlace                              bool
	AdvancedOpen                               bool
	Format, Legacy, Headers, Timeout, Schedule Field
	HeaderRows                                 []HeaderRow
}

// EventGroup is the event types of one resource; All is the box for the whole resource, nil where there is none.
type EventGroup struct {
	Label string
	All   *Box
	Types []Box
}

// HeaderRow is a custom header to be typed.
type HeaderRow struct {
	Index                   int
	Name, Kept, Placeholder string
}

// ProjectChoices are the projects that the form offers.
type ProjectChoices struct {
	// Listed are those that are shown; all there are when they are few, else those that the filter found.
	Listed []project.Project
	// Names are the names of those that are ticked, by id.
	Names map[string]string
	// Many: there are too many to show them all.
	Many bool
	// Total is how many there are.
	Total int
	// Filter is what was typed to find some, Added the id of a project that was typed to be added.
	Filter, Added string
	// Hidden: the names of projects may not be seen.
	Hidden bool
	// Addable: projects may be added.
	Addable bool
	// Refused is what an addition met.
	Refused error
}

// WebhookFormOptions are what the form shows besides what was typed.
type WebhookFormOptions struct {
	// Current is the webhook that is changed; nil for a new one.
	Current  *webhook.Webhook
	Projects ProjectChoices
	Once     string
	// Conflict: somebody else saved meanwhile, and Current is what they made of it.
	Conflict bool
	// Asked is what of the projects was asked for, "filter" or "add", whose field takes the focus; Dropped says that a
	// secret was typed before, which is not shown again.
	Asked   string
	Dropped bool
	Now     time.Time
}

// NewWebhookForm makes the page: what was typed, with the faults that err has about it.
func NewWebhookForm(f Frame, w form.Webhook, o WebhookFormOptions, err error) *WebhookForm {
	f.Title = "New webhook"
	p := &WebhookForm{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}}, Action: f.To("/webhooks/new"), Button: "Create", Cancel: f.To("/webhooks"),
		Version: w.Version, Once: o.Once, AllProjects: w.AllProjects,
	}
	if o.Current != nil {
		self := f.To("/webhooks/" + o.Current.ID)
		p.Title, p.Action, p.Button, p.Cancel = "Edit webhook", self+"/edit", "Save", self
		p.Trail = append(p.Trail, Crumb{NameOf(o.Current.Name, o.Current.ID), self})
	}
	p.plain(w)
	p.secrets(w, o.Current, o.Now)
	p.events(w.Events)
	p.projects(w, o.Projects)
	p.headers(w)
	p.blame(w, o, err)
	p.goOn(o)
	return p
}

// plain fills the ordinary fields.
func (p *WebhookForm) plain(w form.Webhook) {
	p.Name = Field{ID: "name", Name: "name", Label: "Name", Value: w.Name}
	p.PayloadURL = Field{
		ID: "payload_url", Name: "payload_url", Label: "Payload URL", Type: "url", Value: w.PayloadURL, Width: "code",
		Hint: "Where events are sent, as POST requests: https://… on the public internet.",
	}
	p.Description = Field{
		ID: "description", Name: "description", Label: "Description", Value: w.Description, Rows: 2,
		Hint: "What it is for, and whom to ask.",
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
		Hint: "Sent with every request, such as Authorization. Values are sealed and never shown; to remove a header, clear its name.",
	}
	p.Timeout = Field{
		ID: "timeout", Name: "timeout", Label: "Timeout (seconds)", Type: "number", Min: "1", Max: "30", Value: w.Timeout,
		Hint: "How long a whole exchange may take: 1 to 30.",
	}
	p.Schedule = Field{
		ID: "retry_schedule", Name: "retry_schedule", Label: "Retry schedule",
		Options: optionsOf(w.Schedule, webhook.Schedules(), scheduleWords),
	}
}

func (p *WebhookForm) secrets(w form.Webhook, current *webhook.Webhook, now time.Time) {
	p.Secret = Field{ID: "secret", Name: "secret", Label: "Signature secret", Hint: "The receiver verifies with it that a request comes from us and is unchanged."}
	if current != nil {
		note := "There is none: deliveries are not signed."
		if len(current.LiveSecrets(now)) > 0 {
			note = "Nothing about signing changes."
		}
		p.SecretChoices = append(p.SecretChoices, Choice{Value: form.SecretKeep, Label: "Keep the present secret", Note: note})
	}
	p.SecretChoices = append(p.SecretChoices,
		Choice{Value: form.SecretNone, Label: "None", Note: "Deliveries are not signed."},
		Choice{Value: form.SecretGenerate, Label: "Generate", Note: "A new one, shown once on the next page."},
		Choice{Value: form.SecretGiven, Label: "Use this", Note: "whsec_…, whsk_…, or plain text of 8 to 128 bytes, without anything around it."})
	for i := range p.SecretChoices {
		c := &p.SecretChoices[i]
		if c.Checked = c.Value == w.SecretChoice; c.Checked && c.Value == form.SecretGiven {
			p.Secret.Hint += " What was typed is never shown again."
		}
	}
}

// events offers the catalogue: a group for each resource, and those types that no wildcard reaches apart.
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
			groups[key] = &EventGroup{Label: words(t.Resource)}
			if !t.OptIn {
				all := box(t.Resource+":*", "All")
				groups[key].All = &all
			}
			*list = append(*list, key)
		}
		groups[key].Types = append(groups[key].Types, box(t.Name, words(t.Action)))
	}
	for _, key := range order {
		p.EventGroups = append(p.EventGroups, *groups[key])
	}
	for _, key := range apart {
		p.OptInGroups = append(p.OptInGroups, *groups[key])
	}
}

// projects offers the projects: those listed, and those that are ticked in any case, but no more than can be.
func (p *WebhookForm) projects(w form.Webhook, c ProjectChoices) {
	boxes, listed := projectBoxes(w.ProjectIDs, c), len(c.Listed)
	unlisted := len(boxes) - listed
	if most := webhook.ProjectsMax; unlisted > most {
		p.Projects.Faults = append(p.Projects.Faults, fault.Detail{
			Message: fmt.Sprintf("%d more are ticked than are shown; if you save again, they are not among them.", unlisted-most),
		})
		boxes = slices.Delete(boxes, most, unlisted)
	}
	p.ProjectBoxes = boxes
	switch {
	case c.Hidden:
		p.ProjectNote = "The names of projects need the scope projects:read."
	case c.Total == 0:
		p.ProjectNote = "A project appears with its first event."
	case c.Many && c.Filter == "":
		p.ProjectNote = fmt.Sprintf("There are %d projects. Those that are ticked are shown; find others with the filter.", c.Total)
	case c.Many && len(c.Listed) == 0:
		p.ProjectNote = "No project has a name or identifier that contains this."
	}
	if c.Many {
		p.Filter = &Field{ID: "project_filter", Name: "project_filter", Label: "Filter", Value: c.Filter}
	}
	p.FilterInPlace = !c.Many && len(p.ProjectBoxes) > 12
	if c.Addable {
		p.ProjectID = &Field{ID: "project_id", Name: "project_id", Label: "Project ID", Value: c.Added, Width: "code", Hint: "Adds a project that had no event yet."}
		if c.Total > 0 && !c.Many {
			p.ProjectID.Hint += " The list above has the others."
		}
	}
}

// projectIDMax is how long the id of a project can be, in bytes. No box sends a longer one.
const projectIDMax = 128

// projectBoxes are the boxes of the projects that are ticked and not listed, and then those of the listed ones.
func projectBoxes(ticked []string, c ProjectChoices) []Box {
	state := make(map[string]bool, len(ticked)) // true: there is a box
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

// spareHeaders is how many empty rows for headers there are besides those in use.
const spareHeaders = 2

func (p *WebhookForm) headers(w form.Webhook) {
	shown := min(len(w.Headers), webhook.HeadersMax)
	if more := len(w.Headers) - shown; more > 0 {
		p.Headers.Faults = append(p.Headers.Faults, fault.Detail{
			Message: fmt.Sprintf("%d more were typed than are shown; if you save again, they are not among them.", more),
		})
	}
	for _, h := range w.Headers[:shown] {
		row := HeaderRow{Index: len(p.HeaderRows), Name: h.Name, Kept: h.Kept, Placeholder: "type the value again"}
		if h.Kept != "" {
			row.Placeholder = "*** (kept; type to replace it)"
		}
		p.HeaderRows = append(p.HeaderRows, row)
	}
	for range min(spareHeaders, max(0, webhook.HeadersMax-len(w.Headers))) {
		p.HeaderRows = append(p.HeaderRows, HeaderRow{Index: len(p.HeaderRows)})
	}
}

// blame puts faults, and what somebody else saved, beside the fields.
func (p *WebhookForm) blame(w form.Webhook, o WebhookFormOptions, err error) {
	fields := []*Field{
		&p.Name, &p.PayloadURL, &p.Description, &p.Active, &p.Events, &p.Projects, &p.Format, &p.Legacy, &p.Headers, &p.Timeout, &p.Schedule, &p.Secret,
	} // as form.Webhook.Texts has them, then the secret, which has no text
	switch {
	case o.Conflict:
		theirs := form.FromWebhook(o.Current)
		p.Version, p.Summary = theirs.Version, Conflict()
		Compare(w.Texts(), theirs.Texts(), fields[:len(fields)-1])
	case o.Projects.Refused != nil && p.ProjectID != nil:
		added := []*Field{p.ProjectID}
		Blame(o.Projects.Refused, []string{"id"}, added)
		p.Summary = SummaryOf(o.Projects.Refused, added)
	default:
		Blame(err, []string{
			"name", "payloadUrl", "description", "enabled", "events", "projects", "payloadFormat", "legacySignature", "headers", "timeoutSeconds", "retrySchedule", "secret",
		}, fields)
		p.Summary = SummaryOf(err, fields)
	}
	advanced := []*Field{&p.Format, &p.Legacy, &p.Headers, &p.Timeout, &p.Schedule}
	p.AdvancedOpen = slices.ContainsFunc(advanced, func(f *Field) bool { return len(f.Faults) > 0 || f.Theirs != "" }) ||
		slices.ContainsFunc(w.Headers, func(h form.Header) bool { return h.Kept == "" })
}

// goOn leads back to where projects were asked for.
func (p *WebhookForm) goOn(o WebhookFormOptions) {
	if o.Dropped {
		p.Secret.Faults = append(p.Secret.Faults, fault.Detail{Message: "Type the secret again: what was typed is not kept while projects are chosen."})
	}
	switch {
	case p.Summary != nil: // which takes the focus
	case o.Asked == "filter" && p.Filter != nil:
		p.Filter.Focus = true
	case o.Asked == "add" && p.ProjectID != nil:
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

// Overlap says in a sentence how long former secrets go on.
func Overlap(hours string) string {
	if n, err := strconv.Atoi(strings.TrimSpace(hours)); err == nil && n > 0 {
		return "The former secrets go on signing for " + plural(n, "hour", "hours") + ". Give the new one to the receiver before that."
	}
	return "The former secrets sign no longer: give the new one to the receiver now."
}

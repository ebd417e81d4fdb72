package form

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// The choices of a signature secret.
const (
	SecretKeep     = "keep"
	SecretNone     = "none"
	SecretGenerate = "generate"
	SecretGiven    = "given"
)

// Webhook is a webhook as it was typed. It has a secret and the values of headers only if the form was sent. A form that is
// shown never contains them.
type Webhook struct {
	Name, PayloadURL, Description string
	SecretChoice, Secret          string
	Active                        bool
	Events                        []string
	AllProjects                   bool
	ProjectIDs                    []string
	Format, Schedule, Timeout     string
	Legacy                        bool
	Headers                       []Header
	Version                       string
}

// Header is a custom header as it was typed.
type Header struct {
	Name, Value string
	// Kept is the name of the existing header whose value stays if no value is typed. It is empty if there is none.
	Kept string
}

// NewWebhook returns the form for a new webhook.
func NewWebhook() Webhook {
	d := webhook.Defaults()
	return Webhook{
		SecretChoice: SecretGenerate, Active: d.Enabled, AllProjects: d.Subscription.Projects.All,
		Format: string(d.PayloadFormat), Schedule: string(d.RetrySchedule), Timeout: strconv.Itoa(int(d.Timeout / time.Second)),
	}
}

// FromWebhook returns the form for an existing webhook.
func FromWebhook(w *webhook.Webhook) Webhook {
	f := Webhook{
		Name: w.Name, PayloadURL: w.PayloadURL, Description: w.Description, SecretChoice: SecretKeep, Active: w.Enabled,
		Events: w.Subscription.Events, AllProjects: w.Subscription.Projects.All, ProjectIDs: w.Subscription.Projects.IDs,
		Format: string(w.PayloadFormat), Schedule: string(w.RetrySchedule), Timeout: strconv.Itoa(int(w.Timeout / time.Second)), Legacy: w.LegacySignature,
		Version: strconv.FormatInt(w.LockVersion, 10),
	}
	for _, h := range w.Headers {
		f.Headers = append(f.Headers, Header{Name: h.Name, Kept: h.Name})
	}
	return f
}

// ReadWebhook reads the form.
func ReadWebhook(values url.Values) Webhook {
	v := Values{values}
	f := Webhook{
		Name: v.text("name"), PayloadURL: strings.TrimSpace(v.text("payload_url")), Description: v.text("description"),
		SecretChoice: v.text("secret_choice"), Secret: v.text("secret"), Active: v.ticked("active"),
		Events: v.list("events"), AllProjects: v.text("projects") == "all", ProjectIDs: v.list("project_ids"),
		Format: v.text("payload_format"), Schedule: v.text("retry_schedule"), Timeout: v.text("timeout"), Legacy: v.ticked("legacy_signature"),
		Version: v.text("version"),
	}
	names, given, kept := v.list("header_name"), v.list("header_value"), v.list("header_kept")
	for i, name := range names {
		h := Header{Name: strings.TrimSpace(name)}
		if i < len(given) {
			h.Value = given[i]
		}
		if i < len(kept) {
			h.Kept = kept[i]
		}
		if h.Name != "" || h.Value != "" {
			f.Headers = append(f.Headers, h)
		}
	}
	return f
}

// WithoutSecrets returns the form without the secret and the values of headers, so that it can be shown again. A header
// whose new value is removed no longer keeps its old value, so the user must enter a value.
func (f Webhook) WithoutSecrets() Webhook {
	f.Secret = ""
	f.Headers = slices.Clone(f.Headers)
	for i := range f.Headers {
		if h := &f.Headers[i]; h.Value != "" {
			h.Value, h.Kept = "", ""
		}
	}
	return f
}

// Creation returns the request for the webhook that the form describes.
func (f Webhook) Creation() *api.CreateWebhook {
	return &api.CreateWebhook{WebhookPatch: f.patch(true)}
}

// Change returns the change of the webhook with the id that the form asks for.
func (f Webhook) Change(id string) *api.ChangeWebhook {
	return &api.ChangeWebhook{ID: id, WebhookPatch: f.patch(false), Insistence: filledFrom(f.Version)}
}

// patch returns the attributes of the form. It sets every attribute except a kept secret, because the form shows all
// others.
func (f Webhook) patch(isNew bool) api.WebhookPatch {
	var found problems
	p := api.WebhookPatch{
		Name: api.Set(f.Name), PayloadURL: api.Set(f.PayloadURL), Description: api.Set(f.Description), Enabled: api.Set(f.Active),
		Events: api.Set(f.Events), Projects: f.projects(), PayloadFormat: api.Set(webhook.Format(f.Format)),
		RetrySchedule: api.Set(webhook.ScheduleName(f.Schedule)), LegacySignature: api.Set(f.Legacy),
		TimeoutSeconds: found.wholeNumber("timeoutSeconds", f.Timeout), Headers: api.Set(f.headers(&found)), Secret: f.secret(isNew, &found),
	}
	p.Found.Read = found.Details
	return p
}

// projects returns the selection of projects. With all projects it leaves the ids out, because the form hides their boxes.
func (f Webhook) projects() api.ProjectsPatch {
	p := api.ProjectsPatch{All: api.Set(f.AllProjects)}
	if !f.AllProjects {
		p.IDs = api.Set(f.ProjectIDs)
	}
	return p
}

// secret returns the chosen change of the secret. An empty Patch keeps the secret, which a new webhook does not have.
func (f Webhook) secret(isNew bool, found *problems) (p api.Patch[string]) {
	switch f.SecretChoice {
	case SecretNone:
		return api.Reset[string]()
	case SecretGenerate:
		return api.Set(api.Generate)
	case SecretGiven:
		if f.Secret == "" {
			found.note("secret", "Enter the secret.")
			return p
		}
		return api.Set(f.Secret)
	case SecretKeep:
		if !isNew {
			return p
		}
	}
	found.note("secret", "Choose one of these.")
	return p
}

// kept is the text that pages show for the value of a header. A user who types it means the current value.
const kept = "***"

// headers returns the custom headers. A header without a typed value keeps its current value.
func (f Webhook) headers(found *problems) map[string]api.HeaderPatch {
	all := map[string]api.HeaderPatch{}
	for _, h := range f.Headers {
		value := api.HeaderPatch{Value: h.Value, Keep: h.Value == kept}
		switch {
		case h.Value == "" && h.Kept != "" && strings.EqualFold(h.Kept, h.Name):
			value.Keep = true
		case h.Value == "":
			found.note("headers", "Enter the value of "+fault.Quote(h.Name)+".")
		case h.Name == "":
			found.note("headers", "A value has no header name.")
			continue
		}
		if _, twice := all[h.Name]; twice {
			found.Add(fault.Detail{Attribute: "headers", Message: fault.Quote(h.Name) + " is given twice.", Hint: "Keep one of them."})
		}
		all[h.Name] = value
	}
	return all
}

// Same reports whether the values are equal and f keeps the secret. It ignores the versions.
func (f Webhook) Same(other Webhook) bool {
	return f.SecretChoice == SecretKeep && slices.Equal(f.Texts(), other.Texts())
}

// Texts returns the values of the form as a person compares them, in the order of the page: name, payload URL,
// description, active, events, projects, format, legacy signature, headers, timeout, schedule.
func (f Webhook) Texts() []string {
	var names []string
	for _, h := range f.Headers {
		names = append(names, h.Name)
	}
	projects := "all projects"
	if !f.AllProjects {
		projects = strings.Join(sorted(f.ProjectIDs), ", ")
	}
	onOff := map[bool]string{true: "on", false: "off"}
	return []string{
		f.Name, f.PayloadURL, f.Description, onOff[f.Active], strings.Join(sorted(f.Events), ", "), projects,
		f.Format, onOff[f.Legacy], strings.Join(sorted(names), ", "), f.Timeout, f.Schedule,
	}
}

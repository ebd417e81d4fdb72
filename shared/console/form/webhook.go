package form

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
	"nepenthes/shared/strictjson"
	"nepenthes/shared/webhook"
)

// The choices of a signature secret.
const (
	SecretKeep     = "keep"
	SecretNone     = "none"
	SecretGenerate = "generate"
	SecretGiven    = "given"
)

// Webhook is a webhook as typed. A secret and the values of headers are in it on their way in alone: a form that is
// filled again has none.
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

// Header is a custom header as typed.
type Header struct {
	Name, Value string
	// Kept is the name under which there is a value that stays if none is typed; empty: there is none.
	Kept string
}

// NewWebhook is the form of a webhook that is to be made.
func NewWebhook() Webhook {
	d := webhook.Defaults()
	return Webhook{
		SecretChoice: SecretGenerate, Active: d.Enabled, AllProjects: d.Subscription.Projects.All,
		Format: string(d.PayloadFormat), Schedule: string(d.RetrySchedule), Timeout: strconv.Itoa(int(d.Timeout / time.Second)),
	}
}

// FromWebhook fills the form.
func FromWebhook(w *hal.Webhook) Webhook {
	f := Webhook{
		Name: w.Name, PayloadURL: w.PayloadURL, Description: w.About(), SecretChoice: SecretKeep, Active: w.Enabled,
		Events: w.Events, AllProjects: w.Projects.All, ProjectIDs: w.Projects.Selected(),
		Format: w.PayloadFormat, Schedule: w.RetrySchedule, Timeout: strconv.Itoa(w.TimeoutSeconds), Legacy: w.LegacySignature,
		Version: strconv.FormatInt(w.LockVersion, 10),
	}
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		f.Headers = append(f.Headers, Header{Name: name, Kept: name})
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

// Again is the form to be filled once more: without what must not be shown. A value that was typed has to be typed
// again, so it is no longer kept either.
func (f Webhook) Again() Webhook {
	f.Secret = ""
	f.Headers = slices.Clone(f.Headers)
	for i := range f.Headers {
		if h := &f.Headers[i]; h.Value != "" {
			h.Value, h.Kept = "", ""
		}
	}
	return f
}

// Body is what the form asks for; a new webhook has no version yet.
func (f Webhook) Body(isNew bool) (body api.Body[api.WebhookPatch]) {
	var found problems
	p := &body.Value
	p.Name, p.PayloadURL, p.Description = strictjson.Of(f.Name), strictjson.Of(f.PayloadURL), strictjson.Of(f.Description)
	p.Enabled, p.Events = strictjson.Of(f.Active), strictjson.Of(f.Events)
	p.Projects = strictjson.Of(f.projects())
	p.PayloadFormat, p.RetrySchedule = strictjson.Of(f.Format), strictjson.Of(f.Schedule)
	p.LegacySignature, p.TimeoutSeconds = strictjson.Of(f.Legacy), found.number("timeoutSeconds", f.Timeout)
	p.Headers = strictjson.Of(f.headers(&found))
	p.Secret = f.secret(isNew, &found)
	if !isNew {
		p.LockVersion = version(f.Version)
	}
	body.Problems = found.Details
	return body
}

func (f Webhook) projects() api.ProjectsPatch {
	p := api.ProjectsPatch{All: strictjson.Of(f.AllProjects)}
	if !f.AllProjects {
		p.IDs = strictjson.Of(f.ProjectIDs)
	}
	return p
}

func (f Webhook) secret(isNew bool, found *problems) (m strictjson.Member[string]) {
	switch f.SecretChoice {
	case SecretNone:
		return strictjson.Null[string]()
	case SecretGenerate:
		return strictjson.Of("generate")
	case SecretGiven:
		if f.Secret == "" {
			found.note("secret", "Type the secret.")
			return m
		}
		return strictjson.Of(f.Secret)
	case SecretKeep:
		if !isNew {
			return m
		}
	}
	found.note("secret", "Choose one of these.")
	return m
}

// headers are the custom headers; a value that was there before and none was typed for is kept.
func (f Webhook) headers(found *problems) map[string]string {
	all := map[string]string{}
	for _, h := range f.Headers {
		value := h.Value
		switch {
		case value == "" && h.Kept != "" && strings.EqualFold(h.Kept, h.Name):
			value = hal.Masked
		case value == "":
			found.note("headers", "Type the value of "+fault.Quote(h.Name)+".")
		case h.Name == "":
			found.note("headers", "A value has no header.")
			continue
		}
		if _, twice := all[h.Name]; twice {
			found.Add(fault.Detail{Attribute: "headers", Message: fault.Quote(h.Name) + " is there twice.", Hint: "Keep one of them."})
		}
		all[h.Name] = value
	}
	return all
}

// Same reports whether both say the same, whichever version they were filled from, and leave the secret alone.
func (f Webhook) Same(other Webhook) bool {
	return f.SecretChoice == SecretKeep && slices.Equal(f.Texts(), other.Texts())
}

// Texts are the values of the form as a person compares them, in the order of the page: name, payload URL,
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

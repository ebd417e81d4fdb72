package rest

import (
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/strictjson"
	"nepenthes/shared/webhook"
)

// WebhookPatch is what a client can say about a webhook: all of it at create, a merge patch (RFC 7396) afterwards.
type WebhookPatch struct {
	Name            strictjson.Member[string]            `json:"name,omitempty" create:"required" minLength:"1" maxLength:"255" doc:"Its name, unique whatever the case of its letters." example:"Billing"`
	PayloadURL      strictjson.Member[string]            `json:"payloadUrl,omitempty" create:"required" maxLength:"2048" doc:"Where events are sent: an https URL on the public internet, not of this service itself. A change to another origin needs the values of all custom headers again." example:"https://billing.example.com/hooks"`
	Description     strictjson.Member[string]            `json:"description,omitempty" maxLength:"4096" nullable:"true" doc:"What it is for." example:"Turns time entries into invoices"`
	Enabled         strictjson.Member[bool]              `json:"enabled,omitempty" nullable:"true" doc:"Whether it gets events; true unless told otherwise." example:"true"`
	Events          strictjson.Member[[]string]          `json:"events,omitempty" create:"required" nullable:"false" minItems:"1" maxItems:"60" doc:"The event types it wants: exact names, <resource>:* or *." example:"time_entry:created"`
	Projects        strictjson.Member[ProjectsPatch]     `json:"projects,omitempty" null:"resets" doc:"The projects whose events it wants; all unless told otherwise."`
	PayloadFormat   strictjson.Member[string]            `json:"payloadFormat,omitempty" enum:"nepenthes,standard,cloudevents" nullable:"true" doc:"The shape of the bodies it gets; nepenthes unless told otherwise." example:"nepenthes"`
	LegacySignature strictjson.Member[bool]              `json:"legacySignature,omitempty" nullable:"true" doc:"Whether requests also carry X-OP-Signature; false unless told otherwise." example:"false"`
	Headers         strictjson.Member[map[string]string] `json:"headers,omitempty" nullable:"true" maxProperties:"20" doc:"Custom headers, replaced as a whole; names and values have at most 4096 bytes together. The value *** keeps the present one." example:"{\"X-Team\":\"billing\"}"`
	TimeoutSeconds  strictjson.Member[int]               `json:"timeoutSeconds,omitempty" minimum:"1" maximum:"30" nullable:"true" doc:"How long a whole exchange may take; 15 unless told otherwise." example:"15"`
	RetrySchedule   strictjson.Member[string]            `json:"retrySchedule,omitempty" enum:"standard,short,none" nullable:"true" doc:"When failed deliveries are tried again; standard unless told otherwise." example:"standard"`
	Secret          strictjson.Member[string]            `json:"secret,omitempty" minLength:"2" maxLength:"128" nullable:"true" writeOnly:"true" doc:"The signature secret: generate, generate-ed25519, or one of your own (whsec_…, whsk_…, or 8 to 128 bytes of text, without white space or quotation marks around it). It replaces all present ones; null removes them." example:"generate"`
	LockVersion     strictjson.Member[int64]             `json:"lockVersion,omitempty" minimum:"1" nullable:"true" doc:"The version that is to be changed; another one is 409 UpdateConflict." example:"3"`

	Type      anything `json:"_type,omitempty" readOnly:"true" doc:"May come back unchanged."`
	ID        anything `json:"id,omitempty" readOnly:"true" doc:"May come back unchanged."`
	CreatedAt anything `json:"createdAt,omitempty" readOnly:"true" doc:"May come back unchanged."`
	UpdatedAt anything `json:"updatedAt,omitempty" readOnly:"true" doc:"May come back unchanged."`
	Secrets   anything `json:"secrets,omitempty" readOnly:"true" doc:"Ignored: see secret, and the resource secrets."`
	Status    anything `json:"status,omitempty" readOnly:"true" doc:"Ignored."`
	Warnings  anything `json:"warnings,omitempty" readOnly:"true" doc:"Ignored."`
	Links     anything `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// ProjectsPatch selects projects. Ids that are fewer than the count beside them come from a list, which left the others
// out.
type ProjectsPatch struct {
	All   strictjson.Member[bool]     `json:"all,omitempty" nullable:"true" doc:"True: all projects. When it is left out and ids has any, it is false." example:"false"`
	IDs   strictjson.Member[[]string] `json:"ids,omitempty" maxItems:"1000" nullable:"true" doc:"The selected projects when all is false; each must be in the list of projects." example:"7"`
	Count anything                    `json:"count,omitempty" readOnly:"true" doc:"May come back when it counts ids. Lists leave some of many ids out: read the webhook itself before writing them."`
}

// patch returns what the body says, with the problems that were found while it was read.
func (p *WebhookPatch) patch(problems fault.Details) api.WebhookPatch {
	return api.WebhookPatch{
		Name: patch(p.Name), PayloadURL: patch(p.PayloadURL), Description: patch(p.Description), Enabled: patch(p.Enabled),
		Events: patch(p.Events), Projects: projectsPatch(p.Projects), PayloadFormat: namePatch[webhook.Format](p.PayloadFormat),
		LegacySignature: patch(p.LegacySignature), Headers: headersPatch(p.Headers), TimeoutSeconds: patch(p.TimeoutSeconds),
		RetrySchedule: namePatch[webhook.ScheduleName](p.RetrySchedule), Secret: patch(p.Secret),
		Found: api.Found[*webhook.Webhook]{Read: problems, Returned: p.returned},
	}
}

// namePatch returns the patch of an attribute that is a name of a closed list. An unknown name stays in it: the
// operation refuses it.
func namePatch[S ~string](m strictjson.Member[string]) api.Patch[S] {
	if name, given := m.Get(); given {
		return api.Set(S(name))
	}
	if m.IsNull() {
		return api.Reset[S]()
	}
	return api.Patch[S]{}
}

func projectsPatch(m strictjson.Member[ProjectsPatch]) api.ProjectsPatch {
	if m.IsNull() {
		return api.ProjectsPatch{All: api.Reset[bool]()}
	}
	p, _ := m.Get()
	return api.ProjectsPatch{All: patch(p.All), IDs: patch(p.IDs)}
}

func headersPatch(m strictjson.Member[map[string]string]) api.Patch[map[string]api.HeaderPatch] {
	given, isGiven := m.Get()
	if m.IsNull() {
		return api.Reset[map[string]api.HeaderPatch]()
	}
	if !isGiven {
		return api.Patch[map[string]api.HeaderPatch]{}
	}
	headers := make(map[string]api.HeaderPatch, len(given))
	for name, value := range given {
		headers[name] = api.HeaderPatch{Value: value, Keep: value == hal.Masked}
	}
	return api.Set(headers)
}

// returned compares the members that cannot be written; current is nil for a new webhook.
func (p *WebhookPatch) returned(current *webhook.Webhook) fault.Details {
	var found returned
	found.unchanged("_type", p.Type, "Webhook")
	if current == nil {
		found.firstVersion(p.LockVersion)
		found.unchanged("id", p.ID, nil)
		found.unchangedAt("createdAt", p.CreatedAt, time.Time{})
		found.unchangedAt("updatedAt", p.UpdatedAt, time.Time{})
	} else {
		found.unchanged("id", p.ID, current.ID)
		found.unchangedAt("createdAt", p.CreatedAt, current.CreatedAt)
		found.unchangedAt("updatedAt", p.UpdatedAt, current.UpdatedAt)
	}
	projects, _ := p.Projects.Get()
	if ids, given := projects.IDs.Get(); given {
		found.unchanged("projects.count", projects.Count, len(ids))
	}
	return found.Details
}

package rest

import (
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
	"nepenthes/shared/webhook"
)

// WebhookPatch is a change of the attributes of a webhook: all of them for a new webhook, and a merge patch (RFC 7396) for an
// existing webhook.
type WebhookPatch struct {
	Name            mergepatch.Member[string]            `json:"name,omitempty" create:"required" minLength:"1" maxLength:"255" doc:"The name. It is unique, and case does not matter." example:"Billing"`
	PayloadURL      mergepatch.Member[string]            `json:"payloadUrl,omitempty" create:"required" maxLength:"2048" doc:"The URL that events are sent to: an https URL on the public internet, but not of this service. A change to another origin needs the values of all custom headers again." example:"https://billing.example.com/hooks"`
	Description     mergepatch.Member[string]            `json:"description,omitempty" maxLength:"4096" nullable:"true" doc:"What the webhook is for." example:"Turns time entries into invoices"`
	Enabled         mergepatch.Member[bool]              `json:"enabled,omitempty" nullable:"true" doc:"Whether the webhook gets events. The default is true." example:"true"`
	Events          mergepatch.Member[[]string]          `json:"events,omitempty" create:"required" nullable:"false" minItems:"1" maxItems:"60" doc:"The event types that the webhook wants: exact names, <resource>:* or *." example:"time_entry:created"`
	Projects        mergepatch.Member[ProjectsPatch]     `json:"projects,omitempty" null:"resets" doc:"The projects whose events the webhook wants. The default is all projects."`
	PayloadFormat   mergepatch.Member[string]            `json:"payloadFormat,omitempty" enum:"nepenthes,standard,cloudevents" nullable:"true" doc:"The format of the payload. The default is nepenthes." example:"nepenthes"`
	LegacySignature mergepatch.Member[bool]              `json:"legacySignature,omitempty" nullable:"true" doc:"Whether requests also have the header X-OP-Signature. The default is false." example:"false"`
	Headers         mergepatch.Member[map[string]string] `json:"headers,omitempty" nullable:"true" maxProperties:"20" doc:"Custom headers. They replace all former ones. The names and values have at most 4096 bytes in total. The value *** keeps the current value." example:"{\"X-Team\":\"billing\"}"`
	TimeoutSeconds  mergepatch.Member[int]               `json:"timeoutSeconds,omitempty" minimum:"1" maximum:"30" nullable:"true" doc:"How many seconds an attempt may take. The default is 15." example:"15"`
	RetrySchedule   mergepatch.Member[string]            `json:"retrySchedule,omitempty" enum:"standard,short,none" nullable:"true" doc:"When failed deliveries are tried again. The default is standard." example:"standard"`
	Secret          mergepatch.Member[string]            `json:"secret,omitempty" minLength:"2" maxLength:"128" nullable:"true" writeOnly:"true" doc:"The signature secret: generate, generate-ed25519, or a secret of your own (whsec_…, whsk_…, or 8 to 128 bytes of text, without white space or quotation marks around it). It replaces all current secrets, and null removes them." example:"generate"`
	LockVersion     mergepatch.Member[int64]             `json:"lockVersion,omitempty" minimum:"1" nullable:"true" doc:"The version to change. If it is not the current version, the answer is 409 UpdateConflict." example:"3"`

	Type      anything `json:"_type,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	ID        anything `json:"id,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	CreatedAt anything `json:"createdAt,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	UpdatedAt anything `json:"updatedAt,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	Secrets   anything `json:"secrets,omitempty" readOnly:"true" doc:"Ignored. Use the member secret or the resource secrets."`
	Status    anything `json:"status,omitempty" readOnly:"true" doc:"Ignored."`
	Warnings  anything `json:"warnings,omitempty" readOnly:"true" doc:"Ignored."`
	Links     anything `json:"_links,omitempty" readOnly:"true" doc:"Ignored."`
}

// ProjectsPatch is a change of the selected projects. The members ids and count may contradict each other in an element that
// came from a list, because lists leave out ids. Then count is a fault, so that a client does not drop projects by mistake.
type ProjectsPatch struct {
	All   mergepatch.Member[bool]     `json:"all,omitempty" nullable:"true" doc:"True selects all projects. If it is absent and ids is not empty, it is false." example:"false"`
	IDs   mergepatch.Member[[]string] `json:"ids,omitempty" maxItems:"1000" nullable:"true" doc:"The selected projects if all is false. Each must be in the list of projects." example:"7"`
	Count anything                    `json:"count,omitempty" readOnly:"true" doc:"It may be sent back if it is the number of ids. Lists leave out ids if there are many: read the webhook itself before you write them."`
}

// patch returns the change that the body asks for, with the problems that were found while it was read.
func (p *WebhookPatch) patch(problems fault.Details) api.WebhookPatch {
	return api.WebhookPatch{
		Name: patch(p.Name), PayloadURL: patch(p.PayloadURL), Description: patch(p.Description), Enabled: patch(p.Enabled),
		Events: patch(p.Events), Projects: projectsPatch(p.Projects), PayloadFormat: namePatch[webhook.Format](p.PayloadFormat),
		LegacySignature: patch(p.LegacySignature), Headers: headersPatch(p.Headers), TimeoutSeconds: patch(p.TimeoutSeconds),
		RetrySchedule: namePatch[webhook.ScheduleName](p.RetrySchedule), Secret: patch(p.Secret),
		Found: api.Found[*webhook.Webhook]{Read: problems, Returned: p.returned},
	}
}

// namePatch returns the patch of an attribute whose values are a closed list. It does not check the value, because the
// operation does.
func namePatch[S ~string](m mergepatch.Member[string]) api.Patch[S] {
	if name, given := m.Get(); given {
		return api.Set(S(name))
	}
	if m.IsNull() {
		return api.Reset[S]()
	}
	return api.Patch[S]{}
}

// projectsPatch returns the change that the member projects asks for. Null selects all projects and keeps the ids, as
// {"all": true} does.
func projectsPatch(m mergepatch.Member[ProjectsPatch]) api.ProjectsPatch {
	if m.IsNull() {
		return api.ProjectsPatch{All: api.Reset[bool]()}
	}
	p, _ := m.Get()
	return api.ProjectsPatch{All: patch(p.All), IDs: patch(p.IDs)}
}

// headersPatch returns the headers. The value *** keeps the current value, so that a client can send back what it has read.
func headersPatch(m mergepatch.Member[map[string]string]) api.Patch[map[string]api.HeaderPatch] {
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

// returned compares the members that cannot be written with current, which is nil for a new webhook.
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

package api

import (
	"context"
	"fmt"
	"time"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
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

// ProjectsPatch selects projects.
type ProjectsPatch struct {
	All   strictjson.Member[bool]     `json:"all,omitempty" nullable:"true" doc:"True: all projects. When it is left out and ids has any, it is false." example:"false"`
	IDs   strictjson.Member[[]string] `json:"ids,omitempty" maxItems:"1000" nullable:"true" doc:"The selected projects when all is false; each must be in the list of projects." example:"7"`
	Count anything                    `json:"count,omitempty" readOnly:"true" doc:"May come back when it counts ids. Lists leave some of many ids out: read the webhook itself before writing them."`
}

// writing is one request that makes or changes a webhook. It may be applied several times, to a webhook that
// others change; what it had to look up or generate for that is kept.
type writing struct {
	webhooksResource
	call     Call
	patch    *WebhookPatch
	problems fault.Details
	target   target
	secret   newSecret
}

func (o webhooksResource) writing(call Call, body *Body[WebhookPatch]) *writing {
	return &writing{webhooksResource: o, call: call, patch: &body.Value, problems: body.Problems}
}

// apply puts the patch on w, which is a copy of current; current is nil for a new webhook. The fault lists every
// attribute that is not acceptable; secrets and header values are sealed only when there is none.
func (x *writing) apply(ctx context.Context, w, current *webhook.Webhook) error {
	found := faults{x.problems}
	x.readOnly(&found, current)
	x.take(&found, w, current)
	found.Join(w.Normalise())
	before := ""
	if current != nil {
		before = current.Name
	}
	found.named("name", w.Name, before)
	if err := x.applyURL(ctx, &found, w, current); err != nil {
		return err
	}
	if err := x.knownProjects(ctx, &found, w, current); err != nil {
		return err
	}
	if err := x.checkHeaders(ctx, &found, w, current); err != nil {
		return err
	}
	x.secret.parse(&found, x.patch.Secret)
	if found.Len() > 0 {
		if err := x.nameTaken(ctx, &found, w); err != nil {
			return err
		}
		return found.Err()
	}
	if err := x.sealHeaders(ctx, w, current); err != nil {
		return err
	}
	return x.applySecret(ctx, w)
}

// readOnly looks whether what cannot be written came back as it is.
func (x *writing) readOnly(found *faults, current *webhook.Webhook) {
	found.unchanged("_type", x.patch.Type, "Webhook")
	if current == nil {
		found.firstVersion(x.patch.LockVersion)
		found.unchanged("id", x.patch.ID, nil)
		found.unchangedAt("createdAt", x.patch.CreatedAt, time.Time{})
		found.unchangedAt("updatedAt", x.patch.UpdatedAt, time.Time{})
		return
	}
	found.unchanged("id", x.patch.ID, current.ID)
	found.unchangedAt("createdAt", x.patch.CreatedAt, current.CreatedAt)
	found.unchangedAt("updatedAt", x.patch.UpdatedAt, current.UpdatedAt)
}

// take copies the plain members.
func (x *writing) take(found *faults, w, current *webhook.Webhook) {
	p, defaults := x.patch, webhook.Defaults()
	required(found, "name", p.Name, current == nil)
	p.Name.Take(&w.Name, "")
	p.Description.Take(&w.Description, "")
	required(found, "events", p.Events, current == nil)
	p.Events.Take(&w.Subscription.Events, nil)
	takeProjects(found, p.Projects, &w.Subscription.Projects)
	p.LegacySignature.Take(&w.LegacySignature, false)
	takeAs(p.PayloadFormat, &w.PayloadFormat, defaults.PayloadFormat)
	takeAs(p.RetrySchedule, &w.RetrySchedule, defaults.RetrySchedule)
	seconds := int(w.Timeout / time.Second)
	p.TimeoutSeconds.Take(&seconds, int(defaults.Timeout/time.Second))
	w.Timeout = time.Duration(min(max(seconds, -1), 1_000)) * time.Second // far outside of the rule, but no overflow
	enabled := w.Enabled
	p.Enabled.Take(&enabled, defaults.Enabled)
	if enabled {
		w.Enable(x.moment())
	} else {
		w.Disable(webhook.Manual, x.moment())
	}
}

func takeAs[S ~string](m strictjson.Member[string], to *S, reset S) {
	value := string(*to)
	m.Take(&value, string(reset))
	*to = S(value)
}

// takeProjects changes the selection. Projects that are named without a word about all are meant to be it. Ids that
// are fewer than the count beside them are a list's, which left the others out.
func takeProjects(found *faults, m strictjson.Member[ProjectsPatch], to *webhook.Projects) {
	p, _ := m.Get()
	if ids, given := p.IDs.Get(); given && !p.Count.IsAbsent() {
		found.unchanged("projects.count", p.Count, len(ids))
	}
	if m.IsNull() {
		p.All = strictjson.Null[bool]()
	}
	p.IDs.Take(&to.IDs, nil)
	if ids, given := p.IDs.Get(); given && len(ids) > 0 && p.All.IsAbsent() {
		to.All = false
	}
	p.All.Take(&to.All, true)
}

// nameTaken adds the fault of a name that is in use to those that are there already. Without any the store looks,
// in the transaction that writes.
func (x *writing) nameTaken(ctx context.Context, found *faults, w *webhook.Webhook) error {
	if found.Has("name") {
		return nil
	}
	all, err := x.Catalogue.All(ctx)
	if err != nil {
		return err
	}
	folded := webhook.FoldName(w.Name)
	for _, other := range all {
		if other.ID != w.ID && webhook.FoldName(other.Name) == folded {
			found.addf("name", "Another webhook has this name.", "Names are compared without regard to case: choose another.")
			return nil
		}
	}
	return nil
}

// knownProjects looks whether the projects exist that are newly selected; those of before stay valid.
func (x *writing) knownProjects(ctx context.Context, found *faults, w, current *webhook.Webhook) error {
	if found.Has("projects.ids") || len(w.Subscription.Projects.IDs) == 0 {
		return nil
	}
	asked := w.Subscription.Projects.IDs
	known, err := x.Store.ProjectsByID(ctx, asked...)
	if err != nil {
		return err
	}
	exists := map[string]bool{}
	for _, p := range known {
		exists[p.ID] = true
	}
	if current != nil {
		for _, id := range current.Subscription.Projects.IDs {
			exists[id] = true
		}
	}
	for i, id := range asked {
		if !exists[id] {
			found.addf("projects.ids", fmt.Sprintf("Entry %d is no known project.", i+1),
				"A project appears with its first event, or is made with PUT "+hal.Base+"/projects/{id}.")
			return nil
		}
	}
	return nil
}

// answer shows the webhook that was written, with what is shown only once.
func (x *writing) answer(w *webhook.Webhook) *hal.Webhook {
	shown := hal.FromWebhook(x.call.Paths, w, x.moment())
	shown.Secret = x.secret.shown()
	shown.Warnings = x.secret.warnings()
	return shown
}

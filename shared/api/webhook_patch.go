package api

import (
	"context"
	"fmt"
	"time"

	"nepenthes/shared/webhook"
)

// WebhookPatch is a change of the attributes of a webhook. A new webhook needs a name, a payload URL and events.
type WebhookPatch struct {
	Name, PayloadURL, Description Patch[string]
	Enabled                       Patch[bool]
	Events                        Patch[[]string]
	Projects                      ProjectsPatch
	PayloadFormat                 Patch[webhook.Format]
	LegacySignature               Patch[bool]
	// Headers replaces all custom headers. The keys are the names of the headers.
	Headers        Patch[map[string]HeaderPatch]
	TimeoutSeconds Patch[int]
	RetrySchedule  Patch[webhook.ScheduleName]
	// Secret replaces all signature secrets. A reset removes them. It is Generate, GenerateEd25519, or a secret of the
	// caller.
	Secret Patch[string]

	// Found gets nil as the current webhook if the webhook is new.
	Found Found[*webhook.Webhook]
}

// ProjectsPatch is a change of the projects that a webhook selects. IDs without All select only these projects.
type ProjectsPatch struct {
	All Patch[bool]
	IDs Patch[[]string]
}

// HeaderPatch is the value of a custom header.
type HeaderPatch struct {
	Value string
	// Keep keeps the current value and ignores Value.
	Keep bool
}

// writing is one request that creates or changes a webhook. It is applied again if another change came between reading and
// writing. So it keeps what it looked up or generated: the second try must not generate another secret.
type writing struct {
	webhooksResource
	call   Call
	patch  *WebhookPatch
	target target
	secret newSecret
}

// writing returns a writing that was not applied yet.
func (o webhooksResource) writing(call Call, patch *WebhookPatch) *writing {
	return &writing{webhooksResource: o, call: call, patch: patch}
}

// apply applies the patch to w, which is a copy of current. For a new webhook, current is nil. It returns a fault with every
// attribute that is not acceptable. It seals secrets and header values only if there are no faults.
func (x *writing) apply(ctx context.Context, w, current *webhook.Webhook) error {
	found := faults{x.patch.Found.Read}
	x.patch.Found.compare(&found, current)
	x.take(&found, w, current)
	var before webhook.Webhook
	if current != nil {
		before = *current
	}
	found.Join(w.Normalise(before.Subscription.Events...))
	found.named("name", w.Name, before.Name)
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

// take applies the attributes that can be checked without a lookup.
func (x *writing) take(found *faults, w, current *webhook.Webhook) {
	p, defaults := x.patch, webhook.Defaults()
	needed(found, "name", p.Name, current == nil)
	p.Name.Apply(&w.Name, "")
	p.Description.Apply(&w.Description, "")
	needed(found, "events", p.Events, current == nil)
	p.Events.Apply(&w.Subscription.Events, nil)
	p.Projects.apply(&w.Subscription.Projects)
	p.LegacySignature.Apply(&w.LegacySignature, false)
	p.PayloadFormat.Apply(&w.PayloadFormat, defaults.PayloadFormat)
	p.RetrySchedule.Apply(&w.RetrySchedule, defaults.RetrySchedule)
	seconds := int(w.Timeout / time.Second)
	p.TimeoutSeconds.Apply(&seconds, int(defaults.Timeout/time.Second))
	w.Timeout = time.Duration(min(max(seconds, -1), 1_000)) * time.Second // still outside the limits, but without an overflow
	enabled := w.Enabled
	p.Enabled.Apply(&enabled, defaults.Enabled)
	if enabled {
		w.Enable(x.moment())
	} else {
		w.Disable(webhook.Manual, x.moment())
	}
}

// apply changes the selection. If only IDs are set, All becomes false, because a client that names projects does not want
// all of them.
func (p ProjectsPatch) apply(to *webhook.Projects) {
	p.IDs.Apply(&to.IDs, nil)
	if ids, given := p.IDs.Value(); given && len(ids) > 0 && p.All.IsAbsent() {
		to.All = false
	}
	p.All.Apply(&to.All, true)
}

// nameTaken adds a fault if the name is in use. It is called only if there are other faults, so that the client sees all of
// them at once. Otherwise the store checks the name in the transaction that writes.
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
			found.addf("name", "Another webhook has this name.", "Choose another name. Case does not matter.")
			return nil
		}
	}
	return nil
}

// knownProjects adds a fault if a newly selected project is not known. A project that the webhook already selects stays
// valid, so that a client can send back the list that it has read.
func (x *writing) knownProjects(ctx context.Context, found *faults, w, current *webhook.Webhook) error {
	if found.Has("projects.ids") || len(w.Subscription.Projects.IDs) == 0 {
		return nil
	}
	asked := w.Subscription.Projects.IDs
	known, err := x.Projects.ProjectsByID(ctx, asked...)
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
			found.addf("projects.ids", fmt.Sprintf("Entry %d is not a known project.", i+1),
				"A project is known after its first event, or when it was added to the list of projects.")
			return nil
		}
	}
	return nil
}

// written returns the webhook after the change, with the secret and the warnings that are shown only once.
func (x *writing) written(w *webhook.Webhook, held int) *WrittenWebhook {
	return &WrittenWebhook{WebhookDetails: WebhookDetails{*w, held}, Secret: x.secret.generatedText(), Warnings: x.secret.warnings()}
}

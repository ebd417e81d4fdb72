package api

import (
	"context"
	"reflect"

	"nepenthes/shared/access"
	"nepenthes/shared/address"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/required"
	"nepenthes/shared/webhook"
)

// WebhookStore stores webhooks. See store.Catalogue.
type WebhookStore interface {
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
	DeleteWebhook(ctx context.Context, id string, lockVersion int64) error
}

// HeldCounter counts the deliveries that are held for a webhook. See store.Held.
type HeldCounter interface {
	CountHeld(ctx context.Context, webhookID string, limit int) (int, error)
}

// WebhookID names a webhook.
type WebhookID struct{ ID string }

// ListWebhooks asks for a page of the webhooks.
type ListWebhooks struct {
	Paging Paging
	// Name, unless it is empty, selects the webhooks whose name contains it.
	Name string
}

// CreateWebhook asks for a new webhook.
type CreateWebhook struct{ WebhookPatch }

// ChangeWebhook asks for a change of a webhook.
type ChangeWebhook struct {
	ID string
	WebhookPatch
	Insistence Insistence
}

// WebhookDetails is a webhook with what is counted about it.
type WebhookDetails struct {
	webhook.Webhook
	// Held is how many deliveries are held for the webhook, at most limits.HeldCounted. It may be a second behind.
	Held int
}

// WrittenWebhook is a webhook after a change.
type WrittenWebhook struct {
	WebhookDetails
	// Secret is the signature secret if the request generated it. Otherwise it is empty.
	Secret   string
	Warnings []Warning
}

// DeleteWebhook asks to delete a webhook.
type DeleteWebhook struct {
	ID         string
	Insistence Insistence
}

// WebhooksConfig holds the dependencies of the operations on webhooks.
type WebhooksConfig struct {
	Common
	Catalogue WebhookReader
	Store     WebhookStore
	Held      HeldCounter
	Projects  ProjectFinder
	Sealer    Sealer
	Operator  Operator
	// Addresses are the rules for payload URLs. Own lists the hosts of the public URL of this service. The host of the call
	// counts as an own host too, because the service also has an address behind its public URL.
	Addresses address.Rules
	Resolver  address.Resolver
}

// Webhooks holds the operations on webhooks.
type Webhooks struct {
	List         Operation[*ListWebhooks, *Page[webhook.Webhook]]
	Create       Operation[*CreateWebhook, *WrittenWebhook]
	Read         Operation[*WebhookID, *WebhookDetails]
	Change       Operation[*ChangeWebhook, *WrittenWebhook]
	Delete       Operation[*DeleteWebhook, *None]
	Ping         Operation[*Ping, *delivery.Delivery]
	Pause        Operation[*WebhookID, *WebhookDetails]
	Resume       Operation[*Resume, *WebhookDetails]
	AddSecret    Operation[*AddSecret, *AddedSecret]
	RemoveSecret Operation[*RemoveSecret, *None]
}

// NewWebhooks returns the operations on webhooks. It panics if a dependency is missing.
func NewWebhooks(c WebhooksConfig) *Webhooks {
	required.Fields(c)
	o, common, scope := webhooksResource{c}, &c.Common, access.WebhooksWrite
	return &Webhooks{
		List:         operation(access.WebhooksRead, o.list),
		Create:       write(common, scope, CreatedWebhook, o.create, func(_ *CreateWebhook, created *WrittenWebhook) string { return created.ID }),
		Read:         operation(access.WebhooksRead, o.read),
		Change:       write(common, scope, UpdatedWebhook, o.change, func(in *ChangeWebhook, _ *WrittenWebhook) string { return in.ID }),
		Delete:       write(common, scope, DeletedWebhook, o.delete, func(in *DeleteWebhook, _ *None) string { return in.ID }),
		Ping:         write(common, scope, PingedWebhook, o.ping, func(in *Ping, _ *delivery.Delivery) string { return in.ID }),
		Pause:        write(common, scope, PausedWebhook, o.pause, func(in *WebhookID, _ *WebhookDetails) string { return in.ID }),
		Resume:       write(common, scope, ResumedWebhook, o.resume, func(in *Resume, _ *WebhookDetails) string { return in.ID }),
		AddSecret:    write(common, scope, AddedWebhookSecret, o.addSecret, func(in *AddSecret, _ *AddedSecret) string { return in.ID }),
		RemoveSecret: write(common, scope, RemovedWebhookSecret, o.removeSecret, func(in *RemoveSecret, _ *None) string { return in.ID }),
	}
}

// webhooksResource has the methods of the operations on webhooks.
type webhooksResource struct{ WebhooksConfig }

// list returns a page of the webhooks, oldest first. It copies only the webhooks of the page.
func (o webhooksResource) list(ctx context.Context, _ Call, in *ListWebhooks) (*Page[webhook.Webhook], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	all, err := o.Catalogue.All(ctx)
	if err != nil {
		return nil, err
	}
	all = Named(all, in.Name, func(w *webhook.Webhook) []string { return []string{w.Name} })
	return pageThrough(page, all, func(w *webhook.Webhook) webhook.Webhook { return *w }), nil
}

// read returns a webhook. A webhook that does not exist is a fault of kind NotFound.
func (o webhooksResource) read(ctx context.Context, _ Call, in *WebhookID) (*WebhookDetails, error) {
	w, err := o.Catalogue.Webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	held, err := o.held(ctx, w)
	if err != nil {
		return nil, err
	}
	return &WebhookDetails{*w, held}, nil
}

// create creates a webhook. A name that is in use is a fault of the attribute name, so a repeated call creates nothing.
func (o webhooksResource) create(ctx context.Context, call Call, in *CreateWebhook) (_ *WrittenWebhook, err error) {
	defer fault.Wrap(&err, "create a webhook")
	now := o.moment()
	created := webhook.Defaults()
	created.ID, created.CreatedAt, created.UpdatedAt, created.StatusSince = id.New(id.Webhook, now), now, now, now
	writing := o.writing(call, &in.WebhookPatch)
	if err := writing.apply(ctx, &created, nil); err != nil {
		return nil, err
	}
	if err := o.Store.PutWebhook(ctx, &created); err != nil {
		return nil, err
	}
	return writing.written(&created, 0), nil
}

// change applies the patch. If somebody else stored a change in the meantime, a change that does not insist on a version is
// applied to the new webhook. A change that changes nothing writes nothing, so that a repeated request does not raise the
// version.
func (o webhooksResource) change(ctx context.Context, call Call, in *ChangeWebhook) (_ *WrittenWebhook, err error) {
	defer fault.Wrap(&err, "change webhook %s", in.ID)
	writing := o.writing(call, &in.WebhookPatch)
	for {
		current, err := o.Catalogue.Webhook(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := in.Insistence.accepts(current.LockVersion); err != nil {
			return nil, err
		}
		changed := *current
		if err := writing.apply(ctx, &changed, current); err != nil {
			return nil, err
		}
		held, err := o.held(ctx, current) // nothing may fail after the write
		if err != nil {
			return nil, err
		}
		if reflect.DeepEqual(&changed, current) {
			return writing.written(&changed, held), errUnchanged
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutWebhook(ctx, &changed), !in.Insistence.any())
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		return writing.written(&changed, held), nil
	}
}

// delete deletes a webhook. A webhook that does not exist is a fault of kind NotFound.
func (o webhooksResource) delete(ctx context.Context, _ Call, in *DeleteWebhook) (_ *None, err error) {
	defer fault.Wrap(&err, "delete webhook %s", in.ID)
	w, err := o.Catalogue.Webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var version int64
	if !in.Insistence.any() {
		if err := in.Insistence.accepts(w.LockVersion); err != nil {
			return nil, err
		}
		version = w.LockVersion
	}
	_, err = settle(ctx, o.Store.DeleteWebhook(ctx, in.ID, version), true) // without a version the store reports no conflict
	return &None{}, err
}

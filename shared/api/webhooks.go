package api

import (
	"context"
	"reflect"

	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/webhook"
)

// WebhookStore stores webhooks. See store.Catalogue.
type WebhookStore interface {
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
	DeleteWebhook(ctx context.Context, id string, lockVersion int64) error
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

// WrittenWebhook is a webhook as it was written.
type WrittenWebhook struct {
	webhook.Webhook
	// Secret is the signature secret that the request generated, else empty.
	Secret   string
	Warnings []Warning
}

// DeleteWebhook asks for the end of a webhook.
type DeleteWebhook struct {
	ID         string
	Insistence Insistence
}

type webhooksResource struct{ *Config }

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

func (o webhooksResource) read(ctx context.Context, _ Call, in *WebhookID) (*webhook.Webhook, error) {
	w, err := o.Catalogue.Webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	read := *w // the catalogue's own must not be changed
	return &read, nil
}

// create creates a webhook; two calls create two. A name that is in use is a fault on name.
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
	return writing.written(&created), nil
}

// change applies the patch. A change that insists on no version is applied again to what somebody else stored in the
// meantime. A change that changes nothing writes nothing.
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
		if reflect.DeepEqual(&changed, current) {
			return writing.written(&changed), nil
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutWebhook(ctx, &changed), !in.Insistence.any())
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		return writing.written(&changed), nil
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
	_, err = settle(ctx, o.Store.DeleteWebhook(ctx, in.ID, version), true)
	return &None{}, err
}

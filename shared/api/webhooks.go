package api

import (
	"context"
	"reflect"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/webhook"
)

// WebhookStore changes webhooks, see store.Catalogue.
type WebhookStore interface {
	PutWebhook(ctx context.Context, w *webhook.Webhook) error
	DeleteWebhook(ctx context.Context, id string, lockVersion int64) error
}

// WebhookID names a webhook.
type WebhookID struct {
	ID string `path:"id" doc:"The webhook's id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
}

// ListWebhooks asks for a page of the webhooks.
type ListWebhooks struct {
	Paging
	Name string `query:"name" doc:"Only webhooks whose name contains this, whatever the case of its letters." example:"bill"`
}

// CreateWebhook asks for a new webhook.
type CreateWebhook struct{ Body Body[WebhookPatch] }

// ReadWebhook asks for a webhook.
type ReadWebhook struct{ WebhookID }

// ChangeWebhook asks for a change of a webhook.
type ChangeWebhook struct {
	WebhookID
	Precondition
	Body Body[WebhookPatch]
}

// DeleteWebhook asks for the end of a webhook.
type DeleteWebhook struct {
	ID         string
	Insistence Insistence
}

type webhooksResource struct{ *Config }

func (o webhooksResource) list(ctx context.Context, call Call, in *ListWebhooks) (*hal.Collection[hal.Webhook], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	all, err := o.Catalogue.All(ctx)
	if err != nil {
		return nil, err
	}
	all = Named(all, in.Name, func(w *webhook.Webhook) []string { return []string{w.Name} })
	now := o.moment()
	return show(call.To("webhooks"), filters("name", in.Name), page, all, func(w *webhook.Webhook) *hal.Webhook {
		return hal.FromWebhookInShort(call.Paths, w, now)
	}), nil
}

func (o webhooksResource) read(ctx context.Context, call Call, in *ReadWebhook) (*hal.Webhook, error) {
	w, err := o.Catalogue.Webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return hal.FromWebhook(call.Paths, w, o.moment()), nil
}

// create makes a webhook: two calls make two. A name that is in use is a fault on name.
func (o webhooksResource) create(ctx context.Context, call Call, in *CreateWebhook) (_ *hal.Webhook, err error) {
	defer fault.Wrap(&err, "create a webhook")
	now := o.moment()
	made := webhook.Defaults()
	made.ID, made.CreatedAt, made.UpdatedAt, made.StatusSince = id.New(id.Webhook, now), now, now, now
	writing := o.writing(call, &in.Body)
	if err := writing.apply(ctx, &made, nil); err != nil {
		return nil, err
	}
	if err := o.Store.PutWebhook(ctx, &made); err != nil {
		return nil, err
	}
	return writing.answer(&made), nil
}

// change applies the patch. Without a version it is applied again to what somebody else stored meanwhile, so that
// no change is lost; a patch that changes nothing writes nothing.
func (o webhooksResource) change(ctx context.Context, call Call, in *ChangeWebhook) (_ *hal.Webhook, err error) {
	defer fault.Wrap(&err, "change webhook %s", in.ID)
	writing, version := o.writing(call, &in.Body), in.Body.Value.LockVersion
	for {
		current, err := o.Catalogue.Webhook(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := in.holds(version, hal.ETag(current.LockVersion), current.LockVersion); err != nil {
			return nil, err
		}
		changed := *current
		if err := writing.apply(ctx, &changed, current); err != nil {
			return nil, err
		}
		if reflect.DeepEqual(&changed, current) {
			return writing.answer(&changed), nil
		}
		changed.UpdatedAt = o.moment()
		again, err := settle(ctx, o.Store.PutWebhook(ctx, &changed), in.expects(version))
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		return writing.answer(&changed), nil
	}
}

// delete ends a webhook; the second time it is a fault of kind NotFound.
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

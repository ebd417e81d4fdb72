package console

import (
	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
)

// pauseWebhook pauses a webhook. It asks nothing first, because the webhook can be resumed without a loss.
func (x *exchange) pauseWebhook() error {
	w, err := do(x, x.h.Operations.Webhooks.Pause, &api.WebhookID{ID: x.webhookID()})
	if err != nil {
		return err
	}
	return x.redirectWithNotice("/webhooks/"+w.ID, "paused")
}

// askHowToResume shows the page that asks what happens to held deliveries. If the webhook is not paused, there is nothing
// to ask, and the answer leads to the webhook.
func (x *exchange) askHowToResume() error {
	w, err := x.readDetails()
	if err != nil {
		return err
	}
	if !w.Paused {
		x.redirect(x.frame().To("/webhooks/" + w.ID))
		return nil
	}
	return x.resumePage(w, form.NewResume(), nil)
}

// resumePage shows the page with the input. refused is the fault of a resumption, or nil.
func (x *exchange) resumePage(w *api.WebhookDetails, typed form.Resume, refused error) error {
	return x.render(formStatus(refused), "resume", page.NewResume(x.frame(), w, x.may(access.DeliveriesRead), typed, refused))
}

// resumeWebhook resumes a webhook. A form that is sent twice resumes once, since a webhook that is not paused is refused.
func (x *exchange) resumeWebhook() error {
	typed := form.ReadResume(x.r.PostForm)
	resumed, err := do(x, x.h.Operations.Webhooks.Resume, typed.Input(x.webhookID()))
	switch {
	case err == nil && resumed.Release.Drop:
		return x.redirectWithNotice("/webhooks/"+resumed.ID, "dropped")
	case err == nil:
		return x.redirectWithNotice("/webhooks/"+resumed.ID, "released")
	case !correctable(err):
		return err
	}
	w, unread := x.readDetails()
	if unread != nil {
		return unread
	}
	if !w.Paused {
		return err
	}
	return x.resumePage(w, typed, err)
}

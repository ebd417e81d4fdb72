package page

import (
	"fmt"
	"strconv"

	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// Resume is the page that asks what happens to held deliveries when a webhook is resumed.
type Resume struct {
	Frame
	Summary                *Summary
	Trail                  []Crumb
	Held, HeldHref, Note   string
	Choices                []Choice
	Choice, PerSecond      Field
	Action, Button, Cancel string
}

// NewResume returns the page with the input and the faults of err. linked says that the client may see deliveries.
func NewResume(f Frame, w *api.WebhookDetails, linked bool, typed form.Resume, err error) *Resume {
	f.Title = "Resume " + NameOf(w.Name, w.ID) + "?"
	self := f.To("/webhooks/" + w.ID)
	p := &Resume{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}, {NameOf(w.Name, w.ID), self}},
		Held: heldText(w.Held) + " for this webhook.", Action: self + "/resume", Button: "Resume", Cancel: self,
		Choices: []Choice{
			{
				Value: string(api.ReleaseHeld), Label: "Release", Checked: typed.Held == string(api.ReleaseHeld),
				Note: "What is held is sent, oldest first. New events are sent at once, so they can arrive before older ones.",
			},
			{
				Value: string(api.DropHeld), Label: "Drop", Checked: typed.Held == string(api.DropHeld),
				Note: "What is held is not sent and ends as dead. These deliveries do not appear under Deliveries, but each can still be retried on its own page.",
			},
		},
		Choice: Field{ID: "held", Label: "Held deliveries"},
		PerSecond: Field{
			ID: "per_second", Name: "per_second", Label: "Deliveries a second", Type: "number", Min: "1", Max: strconv.Itoa(limits.ReleaseRateMax),
			Value: typed.PerSecond, Hint: fmt.Sprintf("At most this many held deliveries are sent in a second: 1 to %d.", limits.ReleaseRateMax),
		},
	}
	if linked && w.Held > 0 {
		p.HeldHref = self + "?state=held#recent"
	}
	if !w.Enabled {
		p.Note = "The webhook is also disabled. What is held ends as skipped, whatever you choose, and nothing is sent before somebody enables the webhook."
	}
	fields := []*Field{&p.Choice, &p.PerSecond}
	AssignFaults(err, []string{"held", "ratePerSecond"}, fields)
	p.Summary = SummaryOf(err, fields)
	return p
}

// heldText says how many deliveries are held. count is at most limits.HeldCounted.
func heldText(count int) string {
	switch {
	case count == 0:
		return "No delivery is held"
	case count == 1:
		return "1 delivery is held"
	case count == limits.HeldCounted:
		return fmt.Sprintf("%d or more deliveries are held", limits.HeldCounted)
	}
	return fmt.Sprintf("%d deliveries are held", count)
}

// waiting says how many deliveries of a webhook are held and what happens to them. It returns an empty string if none is
// held.
func waiting(w *api.WebhookDetails) string {
	switch {
	case w.Held == 0:
		return ""
	case w.State() != webhook.Active:
		return heldText(w.Held) + "."
	case w.Release.Drop:
		return heldText(w.Held) + " from the pause, and will be dropped soon."
	}
	return heldText(w.Held) + " from the pause, and will be sent at their turn."
}

// heldSentence says why a delivery to the webhook is held and what happens next. webhooks has the webhook as NewDelivery
// describes.
func heldSentence(id string, webhooks map[string]*webhook.Webhook) string {
	switch w := webhooks[id]; {
	case webhooks == nil:
		return "Held, because its webhook was paused. It stays held until somebody resumes the webhook."
	case w == nil:
		return "Held while its webhook was paused. It will not be sent, because the webhook was deleted."
	case w.State() == webhook.Disabled:
		return "Held while its webhook was paused. It will not be sent, because the webhook is disabled."
	case w.State() == webhook.Paused:
		return "Held, because its webhook is paused. Resume the webhook to send or to drop what is held."
	case w.Release.Drop:
		return "Held while its webhook was paused. It will be dropped soon, as was chosen when the webhook was resumed."
	}
	return "Held while its webhook was paused. It will be sent at its turn, since the webhook was resumed."
}

package api

import (
	"context"
	"fmt"
	"slices"

	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// HeldChoice says what happens to the deliveries that were held while a webhook was paused.
type HeldChoice string

// The choices.
const (
	ReleaseHeld HeldChoice = "release"
	DropHeld    HeldChoice = "drop"
)

// HeldChoices returns the choices.
func HeldChoices() []HeldChoice { return []HeldChoice{ReleaseHeld, DropHeld} }

// Resume asks for the end of a webhook's pause.
type Resume struct {
	ID string
	// Held says what happens to the deliveries that are held. It is required.
	Held Patch[HeldChoice]
	// PerSecond is how many deliveries are released in a second; the default is limits.ReleaseRate.
	PerSecond Patch[int]
	// Found are the parts of the request that could not be read.
	Found fault.Details
}

// pause pauses a webhook. A webhook that is paused already stays as it is.
func (o webhooksResource) pause(ctx context.Context, _ Call, in *WebhookID) (_ *WebhookDetails, err error) {
	defer fault.Wrap(&err, "pause webhook %s", in.ID)
	return o.changePause(ctx, in.ID, func(w *webhook.Webhook) error {
		if !w.Pause(o.moment()) {
			return errUnchanged
		}
		return nil
	})
}

// resume ends the pause of a webhook and decides about its held deliveries. A webhook that is not paused is a fault of
// kind InvalidState.
func (o webhooksResource) resume(ctx context.Context, _ Call, in *Resume) (_ *WebhookDetails, err error) {
	defer fault.Wrap(&err, "resume webhook %s", in.ID)
	release, invalid := in.release()
	return o.changePause(ctx, in.ID, func(w *webhook.Webhook) error {
		switch {
		case !w.Paused:
			return fault.New(fault.InvalidState, "The webhook is not paused.").
				With("Nothing needs to be done. To stop a release, pause the webhook again.")
		case invalid != nil:
			return invalid
		}
		w.Resume(release, o.moment())
		return nil
	})
}

// chooseHeld is the hint of a fault on the choice.
const chooseHeld = "Write release to send the held deliveries, or drop to end them without another attempt."

// release returns what the request says about held deliveries.
func (in *Resume) release() (webhook.Release, error) {
	found, rate := faults{in.Found}, limits.ReleaseRate
	choice, given := in.Held.Value()
	switch {
	case !given:
		found.addf("held", "It is required.", chooseHeld)
	case !slices.Contains(HeldChoices(), choice):
		found.addf("held", fmt.Sprintf("It must be %s or %s.", ReleaseHeld, DropHeld), chooseHeld)
	}
	in.PerSecond.Apply(&rate, limits.ReleaseRate)
	if rate < 1 || rate > limits.ReleaseRateMax {
		found.addf("ratePerSecond", fmt.Sprintf("It must be from 1 to %d.", limits.ReleaseRateMax), "")
	}
	return webhook.Release{Drop: choice == DropHeld, PerSecond: rate}, found.Err()
}

// changePause changes a webhook, and returns it with its held deliveries. They are counted before the change, because
// nothing may fail after it.
func (o webhooksResource) changePause(ctx context.Context, webhookID string, change func(*webhook.Webhook) error) (*WebhookDetails, error) {
	var held int
	changed, err := o.edit(ctx, webhookID, func(w *webhook.Webhook) (err error) {
		if held, err = o.held(ctx, w); err != nil {
			return err
		}
		return change(w)
	})
	return &WebhookDetails{changed, held}, err
}

// held returns how many deliveries are held for a webhook, at most limits.HeldCounted.
func (o webhooksResource) held(ctx context.Context, w *webhook.Webhook) (int, error) {
	if !w.WasPaused() { // saves most webhooks a query
		return 0, nil
	}
	return o.Held.CountHeld(ctx, w.ID, limits.HeldCounted)
}

package page_test

import (
	"strings"
	"testing"

	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

// pausable returns an active webhook after changes.
func pausable(changes ...func(*webhook.Webhook)) *webhook.Webhook {
	w := webhook.Defaults()
	w.ID, w.Name = webhookID, "Billing"
	for _, change := range changes {
		change(&w)
	}
	return &w
}

func pause(w *webhook.Webhook)   { w.Pause(now) }
func release(w *webhook.Webhook) { w.Resume(webhook.Release{}, now) }
func drop(w *webhook.Webhook)    { w.Resume(webhook.Release{Drop: true}, now) }
func disable(w *webhook.Webhook) { w.Disable(webhook.Manual, now) }

func TestHeldDeliveries(t *testing.T) {
	for name, c := range map[string]struct {
		webhooks map[string]*webhook.Webhook
		want     string
		follows  bool
	}{
		"a webhook that the client may not see": {nil, "It stays held until somebody resumes the webhook.", false},
		"a paused webhook":                      {map[string]*webhook.Webhook{webhookID: pausable(pause)}, "Resume the webhook to send or to drop what is held.", false},
		"a release":                             {map[string]*webhook.Webhook{webhookID: pausable(pause, release)}, "It will be sent at its turn, since the webhook was resumed.", true},
		"a drop":                                {map[string]*webhook.Webhook{webhookID: pausable(pause, drop)}, "It will be dropped soon, as was chosen when the webhook was resumed.", true},
		"a disabled webhook":                    {map[string]*webhook.Webhook{webhookID: pausable(pause, disable)}, "It will not be sent, because the webhook is disabled.", false},
		"a deleted webhook":                     {map[string]*webhook.Webhook{}, "It will not be sent, because the webhook was deleted.", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := detailsOf(func(d *delivery.Delivery) { d.State, d.Reason = delivery.Held, delivery.Paused })
			p := page.NewDelivery(frame(), d, c.webhooks, page.DeliveryOptions{Retriable: true, Now: now}, nil)
			if got := p.Sentence[0].Text; !strings.HasPrefix(got, "Held") || !strings.HasSuffix(got, c.want) {
				t.Errorf("got %q, want %q at its end", got, c.want)
			}
			if p.Follow != c.follows {
				t.Errorf("got follow %v, want %v", p.Follow, c.follows)
			}
			if text := rendered(t, "delivery", p); p.State.Text != "Held" || strings.Contains(text, "Retry now") {
				t.Errorf("got state %q, want Held without a retry", p.State.Text)
			}
		})
	}
}

func TestAWebhookSaysWhatIsHeld(t *testing.T) {
	for name, c := range map[string]struct {
		webhook             *webhook.Webhook
		held                int
		health, banner      string
		recentFailuresShown bool
	}{
		"active":          {pausable(), 0, "Active", "", true},
		"paused":          {pausable(pause), 3, "Paused", "3 deliveries are held.", false},
		"one":             {pausable(pause), 1, "Paused", "1 delivery is held.", false},
		"many":            {pausable(pause), limits.HeldCounted, "Paused", "1000 or more deliveries are held.", false},
		"none held":       {pausable(pause), 0, "Paused", "", false},
		"released":        {pausable(pause, release), 2, "Active", "2 deliveries are held from the pause, and will be sent at their turn.", true},
		"dropped":         {pausable(pause, drop), 2, "Active", "2 deliveries are held from the pause, and will be dropped soon.", true},
		"paused, but off": {pausable(pause, disable), 2, "Disabled by hand", "2 deliveries are held.", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := page.NewWebhook(frame(), &api.WebhookDetails{Webhook: *c.webhook, Held: c.held}, page.WebhookOptions{Writable: true, Now: now})
			if p.Health.Text != c.health || p.Waiting != c.banner {
				t.Errorf("got %q and %q, want %q and %q", p.Health.Text, p.Waiting, c.health, c.banner)
			}
			p.AddDeliveries(nil, []delivery.Delivery{detailsOf(func(d *delivery.Delivery) { d.State = delivery.Dead }).Delivery}, page.Filters{}, nil)
			if shown := p.RecentFailures != ""; shown != c.recentFailuresShown {
				t.Errorf("recent failures are shown: %v, want %v", shown, c.recentFailuresShown)
			}
		})
	}
}

func TestTheResumePageShowsFaultsAtItsFields(t *testing.T) {
	err := fault.Invalid(fault.Detail{Attribute: "held", Message: "Choose."}, fault.Detail{Attribute: "ratePerSecond", Message: "Too many."})
	p := page.NewResume(frame(), &api.WebhookDetails{Webhook: *pausable(pause), Held: 2}, true, form.Resume{Held: "x", PerSecond: "1000"}, err)
	if len(p.Choice.Faults) != 1 || len(p.PerSecond.Faults) != 1 || p.PerSecond.Value != "1000" {
		t.Errorf("got faults %v and %v and the rate %q", p.Choice.Faults, p.PerSecond.Faults, p.PerSecond.Value)
	}
	text := rendered(t, "resume", p)
	for _, want := range []string{"2 deliveries are held for this webhook.", `href="/prod/admin/webhooks/` + webhookID + `?state=held#recent"`, `href="#held"`, `href="#per_second"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if note := page.NewResume(frame(), &api.WebhookDetails{Webhook: *pausable(pause, disable)}, true, form.NewResume(), nil).Note; note == "" {
		t.Error("the page does not say that the webhook is disabled")
	}
}

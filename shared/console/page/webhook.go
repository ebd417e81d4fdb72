package page

import (
	"fmt"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// Webhook is the page of one webhook.
type Webhook struct {
	Frame
	Summary                                *Summary
	Trail                                  []Crumb
	ID, PayloadURL, Description            string
	Self, EditHref, DeleteHref, FormNumber string
	Writable, Enabled, Paused              bool
	Health                                 Mark
	Meaning, Waiting, RecentFailures       string
	Since                                  *Time
	Events                                 []string
	Projects                               Labels
	Secrets                                []SignatureSecret
	Format, Schedule, Timeout              string
	HeaderNames                            []string
	CreatedAt                              *Time
	TestEvent, Overlap                     Field
	ShowDeliveries, Filtered               bool
	Strip                                  *Strip
	Figures                                *Figures // nil on a page that is fetched while another is followed
	State, Event, From, Until              Field
	FilterFault                            string
	Deliveries                             Deliveries
	Pages                                  Pages
}

// SignatureSecret describes a secret without showing it.
type SignatureSecret struct {
	Text, PublicKey      string
	CreatedAt, ExpiresAt *Time
}

// Filters are the filters for the deliveries of a webhook, as they were typed.
type Filters struct{ State, Event, From, Until string }

// WebhookOptions has what the page shows besides the webhook.
type WebhookOptions struct {
	// Names has the names of the projects by their ids. If it is nil, the page shows only the number of projects.
	Names      map[string]string
	Writable   bool
	FormNumber string
	Now        time.Time
}

// NewWebhook returns the page without the deliveries.
func NewWebhook(f Frame, w *api.WebhookDetails, o WebhookOptions) *Webhook {
	f.Title = NameOf(w.Name, w.ID)
	self := f.To("/webhooks/" + w.ID)
	p := &Webhook{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}}, ID: w.ID, PayloadURL: w.PayloadURL, Description: w.Description,
		Self: self, EditHref: self + "/edit", DeleteHref: self + "/delete", FormNumber: o.FormNumber, Writable: o.Writable, Enabled: w.Enabled, Paused: w.Paused,
		Health: health(&w.Webhook), Meaning: meaning(&w.Webhook), Waiting: waiting(w), Since: Moment(w.StatusSince), Events: patterns(w.Subscription.Events), Projects: allProjects(w.Subscription.Projects, o.Names),
		Format: formatWords(w.PayloadFormat), Schedule: scheduleWords(w.RetrySchedule), Timeout: plural(int(w.Timeout/time.Second), "second", "seconds"),
		Secrets: signatureSecrets(&w.Webhook, o.Now), CreatedAt: Moment(w.CreatedAt),
		TestEvent: Field{
			ID: "test_event", Name: "event", Label: "Event type", Options: eventOptions("webhook:ping", "", true),
			Hint: "Sends the example of this type once to this webhook only, whatever it is subscribed to.",
		},
		Overlap: Field{
			ID: "overlap", Name: "overlap", Label: "Overlap (hours)", Type: "number", Min: "0", Max: "168", Value: "24",
			Hint: "Creates a new secret. The current secrets sign for this long too (0 to 168), so that the receiver can change over.",
		},
	}
	if w.LegacySignature {
		p.Format += ", with the legacy signature"
	}
	for _, h := range w.Headers {
		p.HeaderNames = append(p.HeaderNames, h.Name)
	}
	return p
}

// signatureSecrets describes the secrets that sign at now, oldest first.
func signatureSecrets(w *webhook.Webhook, now time.Time) (all []SignatureSecret) {
	for _, s := range w.Secrets {
		if !s.Live(now) {
			continue
		}
		text := "Secret (v1)"
		if s.Kind == signing.Ed25519 {
			text = "Key pair (v1a)"
		}
		all = append(all, SignatureSecret{Text: text, PublicKey: s.PublicKey, CreatedAt: Moment(s.CreatedAt), ExpiresAt: Moment(s.ExpiresAt)})
	}
	return all
}

// patterns returns the event patterns with the labels of the form.
func patterns(events []string) (all []string) {
	for _, pattern := range events {
		if pattern == "*" {
			pattern = "All events"
		}
		all = append(all, pattern)
	}
	return all
}

// allProjects returns the names of all selected projects.
func allProjects(p webhook.Projects, names map[string]string) Labels {
	l := projectLabels(p, names)
	if p.All || names == nil {
		return l
	}
	l = Labels{}
	for _, id := range p.IDs {
		l.Shown = append(l.Shown, projectName(id, names))
	}
	return l
}

// meaning returns an explanation of the state of a webhook.
func meaning(w *webhook.Webhook) string {
	switch {
	case w.State() == webhook.Active:
		return "Events that it is subscribed to are sent at once."
	case w.State() == webhook.Paused:
		return "Somebody paused it. Deliveries are held. Only test events and attempts by hand are made. Press Resume to send what is held, or to drop it."
	case w.DisabledReason == webhook.Gone:
		return "The receiver answered 410 Gone, so nothing more is sent. Check the payload URL, then press Enable."
	}
	return "Somebody disabled it. Nothing is sent, and events that happen meanwhile are not sent later."
}

func formatWords(f webhook.Format) string {
	return map[webhook.Format]string{
		webhook.FormatNepenthes: "Nepenthes", webhook.FormatStandard: "Standard Webhooks", webhook.FormatCloudEvents: "CloudEvents 1.0",
	}[f]
}

func scheduleWords(name webhook.ScheduleName) string {
	return map[webhook.ScheduleName]string{
		webhook.ScheduleStandard: "Standard: 10 attempts in about 75 hours", webhook.ScheduleShort: "Short: 5 attempts in about an hour", webhook.ScheduleNone: "None: 1 attempt",
	}[name]
}

// AddDeliveries adds the deliveries to the page: list has those that match the filters, and newest has the newest ones
// for the strip. If a filter is invalid, refused is the fault and list may be nil.
func (p *Webhook) AddDeliveries(list *api.DeliveryPage, newest []delivery.Delivery, filters Filters, refused error) {
	p.ShowDeliveries, p.Filtered = true, filters != Filters{}
	p.Strip = newStrip(newest)
	if p.Health.Tone == good { // the page of a disabled webhook already says why nothing arrives
		p.RecentFailures = recentFailures(newest)
	}
	states := []string{"", "Any"}
	for _, s := range delivery.States() {
		states = append(states, string(s), asWords(string(s)))
	}
	p.State = Field{ID: "state", Name: "state", Label: "State", Options: options(filters.State, states...)}
	p.Event = Field{ID: "event", Name: "event", Label: "Event", Options: eventOptions(filters.Event, "Any", true)}
	p.From = Field{ID: "from", Name: "from", Label: "From (UTC)", Type: "datetime-local", Value: filters.From}
	p.Until = Field{ID: "until", Name: "until", Label: "Until (UTC)", Type: "datetime-local", Value: filters.Until}
	if refused != nil {
		p.FilterFault = fault.From(refused).Message
	}
	if list == nil {
		return
	}
	p.Deliveries = Deliveries{Caption: "Recent deliveries"}
	for i := range list.Deliveries {
		p.Deliveries.Rows = append(p.Deliveries.Rows, deliveryRow(p.Frame, &list.Deliveries[i], ""))
	}
}

// recentFailures returns a text about the newest deliveries that have not arrived. It ignores pending deliveries, which may
// still arrive. It returns an empty string if the newest of the others has arrived.
func recentFailures(newest []delivery.Delivery) string {
	failed := 0
	for i := range newest {
		state := newest[i].State
		if state == delivery.Retrying || state == delivery.Dead {
			failed++
		} else if state != delivery.Pending && state != delivery.Held {
			break
		}
	}
	switch failed {
	case 0:
		return ""
	case 1:
		return "But the newest delivery has not arrived. Open it below to see why."
	}
	return fmt.Sprintf("But none of the newest %d deliveries has arrived. Open one below to see why.", failed)
}

// Strip is a picture of the last deliveries, oldest on the left.
type Strip struct {
	Title, Text string
	Width       int
	Bars        []Bar
}

// Bar shows a delivery: its height the time to answer, its shape and colour the outcome. A split bar has a gap in the
// middle, a striped bar has two gaps, and a hollow bar is an outline.
type Bar struct {
	Tone string
	Rect
	Holes []Rect
}

// Rect is a rectangle of a picture.
type Rect struct{ X, Y, Width, Height float64 }

package page

import (
	"fmt"
	"maps"
	"slices"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
)

// Webhook is the page of one webhook.
type Webhook struct {
	Frame
	Summary                          *Summary
	Trail                            []Crumb
	ID, PayloadURL, Description      string
	Self, EditHref, DeleteHref, Once string
	Writable, Enabled                bool
	Health                           Mark
	Meaning, Trouble                 string
	Since                            *Time
	Events                           []string
	Projects                         Labels
	Secrets                          []SignatureSecret
	Format, Schedule, Timeout        string
	HeaderNames                      []string
	CreatedAt                        *Time
	TestEvent, Overlap               Field
	ShowDeliveries, Filtered         bool
	Strip                            *Strip
	State, Event, From, Until        Field
	FilterFault                      string
	Deliveries                       Deliveries
	Pages                            Pages
}

// SignatureSecret tells of a secret without showing it.
type SignatureSecret struct {
	Text, PublicKey      string
	CreatedAt, ExpiresAt *Time
}

// Filters narrow the deliveries of a webhook, as typed.
type Filters struct{ State, Event, From, Until string }

// NewWebhook makes the page without its deliveries.
func NewWebhook(f Frame, w *hal.Webhook, names map[string]string, writable bool, once string) *Webhook {
	f.Title = NameOf(w.Name, w.ID)
	self := f.To("/webhooks/" + w.ID)
	p := &Webhook{
		Frame: f, Trail: []Crumb{{"Webhooks", f.To("/webhooks")}}, ID: w.ID, PayloadURL: w.PayloadURL, Description: w.About(),
		Self: self, EditHref: self + "/edit", DeleteHref: self + "/delete", Once: once, Writable: writable, Enabled: w.Enabled,
		Health: health(&w.Status), Meaning: meaning(&w.Status), Since: At(&w.Status.Since), Events: patterns(w.Events), Projects: allProjects(&w.Projects, names),
		Format: formatWords(w.PayloadFormat), Schedule: scheduleWords(w.RetrySchedule), Timeout: plural(w.TimeoutSeconds, "second", "seconds"),
		HeaderNames: slices.Sorted(maps.Keys(w.Headers)), CreatedAt: At(&w.CreatedAt),
		TestEvent: Field{
			ID: "test_event", Name: "event", Label: "Event type", Options: eventOptions("webhook:ping", "", true),
			Hint: "Sends the type's example to this webhook alone, once, whatever it is subscribed to.",
		},
		Overlap: Field{
			ID: "overlap", Name: "overlap", Label: "Overlap (hours)", Type: "number", Min: "0", Max: "168", Value: "24",
			Hint: "Makes a new secret. The present ones go on signing for so long, so that the receiver can change over: 0 to 168.",
		},
	}
	if w.LegacySignature {
		p.Format += ", with the legacy signature"
	}
	if w.Status.State == "failing" {
		p.Since = At(w.Status.FailingSince)
	}
	for _, s := range w.Secrets {
		p.Secrets = append(p.Secrets, SignatureSecret{
			Text: map[string]string{"ed25519": "Key pair (v1a)"}[s.Kind], PublicKey: reason(s.PublicKey), CreatedAt: At(&s.CreatedAt), ExpiresAt: At(s.ExpiresAt),
		})
		if last := &p.Secrets[len(p.Secrets)-1]; last.Text == "" {
			last.Text = "Secret (v1)"
		}
	}
	return p
}

// patterns are what is subscribed to, in the words of the form where those are needed.
func patterns(events []string) (all []string) {
	for _, pattern := range events {
		if pattern == "*" {
			pattern = "All events"
		}
		all = append(all, pattern)
	}
	return all
}

// allProjects names every selected project.
func allProjects(p *hal.Projects, names map[string]string) Labels {
	l := projectLabels(p, names)
	if p.All || names == nil {
		return l
	}
	l = Labels{}
	for _, id := range p.Selected() {
		l.Shown = append(l.Shown, projectName(id, names))
	}
	return l
}

func meaning(s *hal.Status) string {
	switch s.State {
	case "failing":
		return "Nothing has been delivered for a day or longer. Deliveries go on being tried; look below why they fail. After five days without any success the webhook is disabled."
	case "paused":
		return "Events are kept and wait until the webhook is resumed."
	case "disabled":
		switch reason(s.Reason) {
		case "gone":
			return "Its receiver answered 410 Gone, which means never again. Nothing is sent. Check the payload URL, then press Enable."
		case "failing":
			return "Nothing was delivered for five days. Nothing is sent. Mend the receiver, then press Enable."
		}
		return "Somebody switched it off. Nothing is sent, and events that happen meanwhile are not sent later."
	}
	return "Events that it asked for are sent at once."
}

func formatWords(name string) string {
	return map[string]string{"nepenthes": "Nepenthes", "standard": "Standard Webhooks", "cloudevents": "CloudEvents 1.0"}[name]
}

func scheduleWords(name string) string {
	return map[string]string{
		"standard": "Standard: 10 attempts in about 75 hours", "short": "Short: 5 attempts in about an hour", "none": "None: 1 attempt",
	}[name]
}

// AddDeliveries puts the deliveries on the page: those that the filters let through, and the newest of all for the
// strip. When the filters are at fault, refused says so and list may be nil.
func (p *Webhook) AddDeliveries(list *hal.CursorCollection[hal.Delivery], newest []hal.Delivery, filters Filters, refused error) {
	p.ShowDeliveries, p.Filtered = true, filters != Filters{}
	p.Strip = newStrip(newest)
	if p.Health.Tone == good {
		p.Trouble = trouble(newest)
	}
	states := []string{"", "Any"}
	for _, s := range delivery.States() {
		states = append(states, string(s), words(string(s)))
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
	for i := range list.Embedded.Elements {
		p.Deliveries.Rows = append(p.Deliveries.Rows, deliveryRow(p.Frame, &list.Embedded.Elements[i], ""))
	}
}

// trouble says that what was sent last does not arrive, long before the webhook counts as failing.
func trouble(newest []hal.Delivery) string {
	failed := 0
	for i := range newest {
		state := delivery.State(newest[i].State)
		if state == delivery.Retrying || state == delivery.Dead {
			failed++
		} else if state != delivery.Pending {
			break
		}
	}
	switch failed {
	case 0:
		return ""
	case 1:
		return "But the newest has not arrived: open it below to see why."
	}
	return fmt.Sprintf("But none of the newest %d has arrived: open one below to see why.", failed)
}

// Strip is a picture of the last deliveries, oldest on the left.
type Strip struct {
	Title, Text string
	Width       int
	Bars        []Bar
}

// Bar is one delivery: its height the time to answer, its shape and colour the outcome. A split bar has a gap in its
// middle, a hollow one is an outline.
type Bar struct {
	Tone                                string
	X, Y, Width, Height                 float64
	Hollow                              bool
	HoleX, HoleY, HoleWidth, HoleHeight float64
}

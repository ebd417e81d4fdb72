package sender_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/catalogue"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
	"nepenthes/shared/sender"
	"nepenthes/shared/webhook"
)

// planting is a catalogue that returns webhooks with the changes of an attacker who can write rows. The attacker does not
// raise their versions.
type planting struct {
	*catalogue.Catalogue
	plant func(w *webhook.Webhook) // nil if the attacker changes nothing
}

func (p *planting) Webhook(ctx context.Context, id string) (*webhook.Webhook, error) {
	w, err := p.Catalogue.Webhook(ctx, id)
	if err != nil || p.plant == nil {
		return w, err
	}
	planted := *w
	planted.Secrets = append([]webhook.Secret(nil), w.Secrets...)
	planted.Headers = append([]webhook.Header(nil), w.Headers...)
	p.plant(&planted)
	return &planted, nil
}

// plants are the changes that an attacker can make to the row of a webhook, given another webhook of the same customer.
func plants(other webhook.Webhook) map[string]func(w *webhook.Webhook) {
	return map[string]func(w *webhook.Webhook){
		"the URL has another host":     func(w *webhook.Webhook) { w.PayloadURL = "https://thief.example/hooks" },
		"the URL has another port":     func(w *webhook.Webhook) { w.PayloadURL = "https://receiver.example:8443/hooks" },
		"the URL is without TLS":       func(w *webhook.Webhook) { w.PayloadURL = "http://receiver.example/hooks" },
		"the URL has the host as user": func(w *webhook.Webhook) { w.PayloadURL = "https://receiver.example@thief.example/" },
		"the URL is not a URL":         func(w *webhook.Webhook) { w.PayloadURL = "thief.example" },
		"a header has another name":    func(w *webhook.Webhook) { w.Headers[0].Name = "X-Echo" },
		"a header has a secret's name": func(w *webhook.Webhook) { w.Headers[0].Name = w.Secrets[1].ID },
		"a header holds a secret": func(w *webhook.Webhook) {
			w.Headers[0] = webhook.Header{Name: w.Secrets[1].ID, Sealed: w.Secrets[1].Sealed}
		},
		"a secret holds a header": func(w *webhook.Webhook) {
			w.Secrets[1].ID, w.Secrets[1].Sealed = strings.ToLower(w.Headers[0].Name), w.Headers[0].Sealed
		},
		"a secret is under another id":  func(w *webhook.Webhook) { w.Secrets[1].ID, w.Secrets[3].ID = w.Secrets[3].ID, w.Secrets[1].ID },
		"a secret is another webhook's": func(w *webhook.Webhook) { w.Secrets[1] = other.Secrets[1] },
		"a header is another webhook's": func(w *webhook.Webhook) { w.Headers[0] = other.Headers[0] },
		"a header claims an older format": func(w *webhook.Webhook) {
			w.Headers[0].Sealed = append([]byte{1}, w.Headers[0].Sealed[1:]...)
		},
		"a header is altered": func(w *webhook.Webhook) {
			last := len(w.Headers[0].Sealed) - 1
			w.Headers[0].Sealed = append(bytes.Clone(w.Headers[0].Sealed[:last]), w.Headers[0].Sealed[last]^1)
		},
	}
}

// TestPlantedRowsOpenNothing checks that the sender does not send the sealed values of a row that was tampered with,
// whether or not it opened the original row before. It does not make an attempt, and the message comes again.
func TestPlantedRowsOpenNothing(t *testing.T) {
	for _, known := range []bool{false, true} {
		r := newRig(t)
		w, other := r.full(olderSecret, webhook.FormatNepenthes), r.full(olderSecret, webhook.FormatNepenthes)
		for name, plant := range plants(other) {
			if known {
				name += ", after the original was opened"
			}
			t.Run(name, func(t *testing.T) { r.checkPlanted(t, w, plant, known) })
		}
	}
}

func (r *rig) checkPlanted(t *testing.T, w webhook.Webhook, plant func(*webhook.Webhook), known bool) {
	rows, logs := &planting{Catalogue: catalogue.New(r.store)}, &bytes.Buffer{}
	logger := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := sender.New(sender.Config{
		Catalogue: rows, Events: r.store, Deliveries: r.store, Webhooks: r.store, Retries: r, Opener: r.opener, Client: r,
		Now: r.clock, Logger: logger,
	})
	ring := func(e record.Event) error {
		return s.Handle(t.Context(), lane.Doorbell(e.DeliveryKey(w.ID).ID(), w.ID))
	}
	if known {
		must(t, ring(r.event(delivery.TriggerSchedule, w)))
	}
	posts, e := len(r.posts), r.event(delivery.TriggerSchedule, w)
	rows.plant = plant
	err := ring(e)
	if err == nil {
		t.Fatal("got no error, so the message would be acknowledged")
	}
	if len(r.posts) != posts {
		t.Errorf("the sender sent a request to %s", r.posts[posts].URL)
	}
	if _, err := r.store.Delivery(t.Context(), e.DeliveryKey(w.ID)); !fault.Is(err, fault.NotFound) {
		t.Errorf("got error %v for the row of the delivery, want NotFound", err)
	}
	for _, secret := range []string{headerSecret, olderSecret, newerSecret} {
		if strings.Contains(logs.String()+err.Error(), secret) {
			t.Errorf("the error or the log contains %.6s…: %v", secret, err)
		}
	}
	rows.plant = nil
	must(t, ring(e))
	if len(r.posts) != posts+1 {
		t.Error("the sender sent no request for the original row")
	}
}

// TestAllowedChangesOfARow checks that sealed values can still be opened after a change of the URL's path, of the case of
// a header's name, or of other settings.
func TestAllowedChangesOfARow(t *testing.T) {
	r := newRig(t)
	w := r.full(olderSecret, webhook.FormatNepenthes)
	for i, change := range []func(){
		func() { w.PayloadURL = "https://receiver.example/elsewhere?x=1" },
		func() { w.PayloadURL = "https://receiver.example:443/hooks" },
		func() { w.Headers[0].Name = "X-TEAM" },
		func() { w.Name, w.Timeout = "another", 3*time.Second },
	} {
		change()
		must(t, r.store.PutWebhook(t.Context(), &w))
		must(t, r.ring(r.event(delivery.TriggerSchedule, w), w))
		if got := sent(r.posts[i], w.Headers[0].Name); r.posts[i].URL != w.PayloadURL || got != headerSecret {
			t.Errorf("got header %q at %s, want %q at %s", got, r.posts[i].URL, headerSecret, w.PayloadURL)
		}
	}
}

package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/console"
	"nepenthes/shared/delivery"
	"nepenthes/shared/webhook"
)

// onceNumber is the number of every form in this test.
var onceNumber = strings.Repeat("A", 26)

// TestEveryFormLeavesALine sends each form of the console. A write leaves the same log line as a write through the API. A
// form without an action changes neither configuration nor access.
func TestEveryFormLeavesALine(t *testing.T) {
	forms := map[string]struct {
		action, target string
		fields         []string
	}{
		"/api":                   {"settings.update", "settings", []string{"version", "0", "enabled", "on", "max_page_size", "7"}},
		"/webhooks/new":          {"webhook.create", "wh_[0-9A-Z]+", plain(onceNumber, "Another")},
		"/webhooks/{id}/edit":    {"webhook.update", "{webhook}", plain(onceNumber, "Renamed", "version", "1")},
		"/webhooks/{id}/ping":    {"webhook.ping", "{webhook}", nil},
		"/webhooks/{id}/rotate":  {"webhook.add_secret", "{webhook}", nil},
		"/webhooks/{id}/enable":  {"webhook.update", "{webhook}", nil},
		"/webhooks/{id}/disable": {"webhook.update", "{webhook}", nil},
		"/webhooks/{id}/pause":   {"webhook.pause", "{webhook}", nil},
		"/webhooks/{id}/resume":  {"webhook.resume", "{webhook}", []string{"held", "release", "per_second", "50"}},
		"/webhooks/{id}/delete":  {"webhook.delete", "{webhook}", nil},

		"/deliveries":            {"delivery.retry", "{delivery}", []string{"retry", "ticked", "id", "{delivery}"}},
		"/deliveries/{id}/retry": {"delivery.retry", "{delivery}", nil},
		"/why":                   {"", "", []string{"pasted", `{"type":"project:created","data":1}`}},

		"/applications/new":                          {"client.create", "app_[0-9A-Z]+", []string{"name", "New", "scopes", "webhooks:read"}},
		"/applications/{id}":                         {"client.update", "{client}", []string{"version", "1", "name", "Renamed", "scopes", "webhooks:read"}},
		"/applications/{id}/rotate":                  {"client.add_secret", "{client}", nil},
		"/applications/{id}/secrets/{secret}/remove": {"client.remove_secret", "{client}", nil},
		"/applications/{id}/revoke":                  {"client.revoke", "{client}", nil},
		"/applications/{id}/delete":                  {"client.delete", "{client}", nil},

		"/sign_in":  {"session.begin", adminID, []string{"client_id", adminID, "client_secret", adminSecret}},
		"/sign_out": {"session.end", adminID, nil},
	}
	for _, path := range console.Posts() {
		t.Run(path, func(t *testing.T) {
			form, known := forms[path]
			if !known {
				t.Fatal("the test does not say which log line this form leaves")
			}
			s := start(t, "")
			things := s.things(path)
			fields := append([]string{"once", onceNumber}, form.fields...)
			for i := range fields {
				fields[i] = things.Replace(fields[i])
			}
			b := s.admin()
			before := s.log.Len()
			answer := b.post(things.Replace("/admin"+path), fields...)
			if answer.status >= 400 {
				t.Fatalf("got status %d %.300s", answer.status, answer.body[strings.Index(answer.body, "<main"):])
			}
			var lines []string
			for line := range strings.Lines(s.log.String()[before:]) {
				if strings.Contains(line, "msg=api.written") {
					lines = append(lines, line)
				}
			}
			if form.action == "" {
				if lines != nil {
					t.Errorf("got %q, want no line", lines)
				}
				return
			}
			want := regexp.MustCompile(`^time=\S+ level=INFO msg=api.written client=` + adminID + ` via=console action=` + form.action +
				` target=` + things.Replace(form.target) + ` request=` + answer.header.Get("X-Request-Id") + `\n$`)
			if len(lines) != 1 || !want.MatchString(lines[0]) {
				t.Errorf("got %q, want one line like %s", lines, want)
			}
		})
	}
}

// things creates what the form at a path concerns, and returns a replacer for the ids.
func (s *system) things(path string) *strings.Replacer {
	t := s.t
	t.Helper()
	w := s.webhook("Billing")
	client, _ := s.client("webhooks:read")
	stored, err := s.db.Client(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	id, delivery := w.ID, s.dead(s.delivery(w))
	switch {
	case strings.HasPrefix(path, "/applications"):
		id = client
	case strings.HasPrefix(path, "/deliveries"):
		id = delivery
	case path == "/webhooks/{id}/resume":
		s.pause(id)
	case path == "/webhooks/{id}/enable": // enabling an enabled webhook writes nothing
		in := &api.ChangeWebhook{ID: id}
		in.Enabled = api.Set(false)
		must[*api.WrittenWebhook](t)(s.operations.Webhooks.Change.Do(t.Context(), call(), in))
	}
	return strings.NewReplacer("{id}", id, "{webhook}", w.ID, "{client}", client, "{secret}", stored.Secrets[0].ID, "{delivery}", delivery)
}

// dead records a failed attempt as the only attempt of a delivery.
func (s *system) dead(deliveryID string) string {
	s.t.Helper()
	key, err := delivery.ParseKey(deliveryID)
	if err != nil {
		s.t.Fatal(err)
	}
	recorded, err := s.db.Event(s.t.Context(), events.Key(key.Event))
	if err != nil {
		s.t.Fatal(err)
	}
	d, at := recorded.Delivery(key.Webhook), recorded.ReceivedAt
	a := &delivery.Attempt{
		ID: "att_1", Number: 1, Trigger: delivery.TriggerSchedule, StartedAt: at, Response: &delivery.Response{Status: http.StatusInternalServerError},
	}
	if err := d.Claim(a.ID, a.Trigger, at); err != nil {
		s.t.Fatal(err)
	}
	if err := d.Record(a, delivery.Rules{Schedule: webhook.ScheduleNone}, at); err != nil {
		s.t.Fatal(err)
	}
	if _, won, err := s.db.PutDelivery(s.t.Context(), d, a); err != nil || !won {
		s.t.Fatal(won, err)
	}
	return deliveryID
}

package console_test

import (
	"net/http"
	"strings"
	"testing"

	"nepenthes/shared/api"
	"nepenthes/shared/webhook"
)

func (s *system) stored(id string) *webhook.Webhook {
	s.t.Helper()
	return &must[*api.WebhookDetails](s.t)(s.operations.Webhooks.Read.Do(s.t.Context(), call(), &api.WebhookID{ID: id})).Webhook
}

func TestPauseAndResume(t *testing.T) {
	for name, c := range map[string]struct {
		fields []string
		want   webhook.Release
		done   string
	}{
		"release":                    {[]string{"held", "release", "per_second", "7"}, webhook.Release{PerSecond: 7}, "released"},
		"release at the usual rate":  {[]string{"held", "release", "per_second", ""}, webhook.Release{PerSecond: 50}, "released"},
		"drop, which ignores a rate": {[]string{"held", "drop", "per_second", "x"}, webhook.Release{Drop: true, PerSecond: 50}, "dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, "/prod")
			b, self := s.admin(), "/admin/webhooks/"+s.webhook("Billing").ID
			id := strings.TrimPrefix(self, "/admin/webhooks/")
			if a := b.get(self + "/resume"); a.header.Get("Location") != "/prod"+self {
				t.Errorf("resuming an active webhook: got %d to %q, want its page", a.status, a.header.Get("Location"))
			}
			for range 2 { // pausing a paused webhook changes nothing
				if a := b.post(self + "/pause"); a.header.Get("Location") != "/prod"+self+"?done=paused" {
					t.Errorf("pause: got %d to %q", a.status, a.header.Get("Location"))
				}
			}
			if a := b.get(self + "?done=paused"); !strings.Contains(a.body, "Paused. Deliveries are held until you resume the webhook.") || !strings.Contains(a.body, `href="/prod`+self+`/resume"`) {
				t.Errorf("the page of the paused webhook says no notice or has no Resume: %s", a.body)
			}
			if a := b.get(self + "/resume"); a.status != http.StatusOK || !strings.Contains(a.body, "No delivery is held for this webhook.") {
				t.Errorf("the page that asks: got %d %s", a.status, a.body)
			}
			if a := b.post(self+"/resume", c.fields...); a.header.Get("Location") != "/prod"+self+"?done="+c.done {
				t.Errorf("resume: got %d to %q", a.status, a.header.Get("Location"))
			}
			if w := s.stored(id); w.Paused || w.Release != c.want {
				t.Errorf("got paused %v and %+v, want %+v", w.Paused, w.Release, c.want)
			}
			if a := b.post(self+"/resume", c.fields...); a.status != http.StatusConflict || !strings.Contains(a.body, "The webhook is not paused.") {
				t.Errorf("a second form: got %d, want 409", a.status)
			}
		})
	}
}

func TestAResumptionWithFaultsCanBeSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fields []string
		want   string
	}{
		"no choice":           {[]string{"per_second", "7"}, "It is required."},
		"an unknown choice":   {[]string{"held", "keep"}, "It must be release or drop."},
		"a rate of zero":      {[]string{"held", "release", "per_second", "0"}, "It must be from 1 to 100."},
		"a rate above all":    {[]string{"held", "release", "per_second", "101"}, "It must be from 1 to 100."},
		"a rate of letters":   {[]string{"held", "release", "per_second", "fast"}, "It must be a whole number."},
		"a rate of many fold": {[]string{"held", "release", "per_second", "99999999999999999999"}, "It must be a whole number."},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, "")
			w := s.webhook("Billing")
			s.pause(w.ID)
			a := s.admin().post("/admin/webhooks/"+w.ID+"/resume", c.fields...)
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, c.want) || !strings.Contains(a.body, "autofocus") {
				t.Errorf("got %d without %q: %s", a.status, c.want, a.body)
			}
			if !s.stored(w.ID).Paused {
				t.Error("the webhook was resumed")
			}
		})
	}
}

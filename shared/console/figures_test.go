package console_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestFiguresAreLeftOutWhileThePageIsFollowed(t *testing.T) {
	s := start(t, "")
	w := s.webhook("Billing")
	b := s.admin()
	path := "/admin/webhooks/" + w.ID
	const heading, sentence = "Last 24 hours", "From 1 delivery."
	if got := b.get(path); got.status != http.StatusOK || strings.Contains(got.body, heading) {
		t.Errorf("before the first delivery: got %d, want a page without figures", got.status)
	}
	s.dead(s.delivery(w))
	if got := b.get(path); !strings.Contains(got.body, heading) || !strings.Contains(got.body, sentence) {
		t.Errorf("got no figures on %.300s", got.body)
	}
	follow, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	follow.Header.Set("X-Follow", "1")
	if got := b.do(follow); got.status != http.StatusOK || strings.Contains(got.body, heading) || !strings.Contains(got.body, "Recent deliveries") {
		t.Errorf("while the page is followed: got %d, want the page without figures", got.status)
	}
	id, secret := s.client("webhooks:read")
	if got := s.signedIn(id, secret).get(path); got.status != http.StatusOK || strings.Contains(got.body, heading) {
		t.Errorf("without deliveries:read: got %d, want a page without figures", got.status)
	}
}

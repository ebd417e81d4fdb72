package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"nepenthes/shared/webhook"
)

// BenchmarkReadWebhook prints the time of an authenticated GET of one webhook, as a ratio to a bare handler that writes
// the same bytes. Both use loopback. The target is 3.
func BenchmarkReadWebhook(b *testing.B) {
	s := newService(b)
	token := s.token(b)
	path := "/api/v3/webhooks/" + s.webhook(b, token, "w")
	body := s.do(b, token, "GET", path, "").want(b, 200, nil).text
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/hal+json; charset=utf-8")
		io.WriteString(w, body)
	}))
	defer bare.Close()
	b.ReportMetric(ratio(b, token, s.URL+path, bare.URL+path), "times-bare")
}

// BenchmarkListWebhooks prints the time of a page of 100 of 10,000 webhooks, as a ratio to 100 of 100. The target is
// 1.3.
func BenchmarkListWebhooks(b *testing.B) {
	const path = "/api/v3/webhooks?pageSize=100"
	few, many := newService(b), newService(b)
	few.fill(b, 100)
	many.fill(b, 10_000)
	many.Secret, many.Config.Verifier = few.Secret, few.Config.Verifier // one token for both
	many.serve(b)
	b.ReportMetric(ratio(b, few.token(b), many.URL+path, few.URL+path), "times-small")
}

// fill creates n webhooks.
func (s *service) fill(b *testing.B, n int) {
	b.Helper()
	var running sync.WaitGroup
	for worker := range 64 { // one commit takes what waits
		running.Go(func() {
			for i := worker; i < n; i += 64 {
				w := webhook.Defaults()
				w.ID, w.Name, w.PayloadURL, w.Subscription.Events = fmt.Sprintf("wh_%026d", i), fmt.Sprint(i), hooks, []string{"*"}
				if err := s.DB.PutWebhook(b.Context(), &w); err != nil {
					b.Error(err)
				}
			}
		})
	}
	running.Wait()
}

// BenchmarkPushEvent prints the time of a push, one after another.
func BenchmarkPushEvent(b *testing.B) {
	s := newService(b)
	token := s.token(b)
	n := 0
	for b.Loop() {
		n++
		event := fmt.Sprintf(`{"id":"e%d","type":"project:created","occurredAt":"2026-01-02T11:00:00Z","data":{"id":1}}`, n)
		if got := s.do(b, token, "POST", "/api/v3/events", event); got.StatusCode != 202 {
			b.Fatal(got.text)
		}
	}
}

// ratio returns the ratio of the times of two GET requests. They take turns, and the best turn of each counts, so that
// other work on the machine does not matter.
func ratio(b *testing.B, token, measured, floor string) float64 {
	b.Helper()
	for b.Loop() { // measured once, whatever the benchmark's number of times
	}
	best := [2]time.Duration{time.Hour, time.Hour}
	for range 30 {
		for i, url := range []string{measured, floor} {
			best[i] = min(best[i], turn(b, token, url))
		}
	}
	return float64(best[0]) / float64(best[1])
}

// turn returns the time of a number of GET requests over one connection.
func turn(b *testing.B, token, url string) time.Duration {
	b.Helper()
	request := must[*http.Request](b)(http.NewRequest("GET", url, nil))
	request.Header.Set("Authorization", "Bearer "+token)
	begin := time.Now()
	for range 100 {
		response := must[*http.Response](b)(http.DefaultClient.Do(request))
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
	}
	return time.Since(begin)
}

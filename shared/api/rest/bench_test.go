package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nepenthes/shared/webhook"
)

// BenchmarkReadWebhook prints what an authenticated GET of one webhook costs, as a ratio to a bare handler that
// writes the same bytes; both over loopback. Aim: 3.
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
	floor := perCall(b, bare.URL+path, token)
	for b.Loop() { // what is measured are ratios, once
	}
	ours := perCall(b, s.URL+path, token)
	b.ReportMetric(ours/floor, "times-bare")
}

// perCall is the nanoseconds of one GET over one connection.
func perCall(b *testing.B, url, token string) float64 {
	b.Helper()
	request := must[*http.Request](b)(http.NewRequest("GET", url, nil))
	request.Header.Set("Authorization", "Bearer "+token)
	const calls = 3_000
	for range calls / 10 { // so that connection, caches and branches are warm
		get(b, request)
	}
	begin := time.Now()
	for range calls {
		get(b, request)
	}
	return float64(time.Since(begin)) / calls
}

func get(b *testing.B, request *http.Request) {
	response := must[*http.Response](b)(http.DefaultClient.Do(request))
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		b.Fatal(err)
	}
	response.Body.Close()
}

// BenchmarkListWebhooks prints what a page of 100 of 10,000 webhooks costs, as a ratio to 100 of 100. Aim: 1.3.
func BenchmarkListWebhooks(b *testing.B) {
	var cost [2]float64
	for i, n := range []int{100, 10_000} {
		s := newService(b)
		token := s.token(b)
		for n := range n {
			w := webhook.Defaults()
			w.ID, w.Name, w.PayloadURL, w.Subscription.Events = fmt.Sprintf("wh_%026d", n), fmt.Sprint(n), hooks, []string{"*"}
			if err := s.DB.PutWebhook(b.Context(), &w); err != nil {
				b.Fatal(err)
			}
		}
		cost[i] = perCall(b, s.URL+"/api/v3/webhooks?pageSize=100", token)
	}
	b.ReportMetric(cost[1]/cost[0], "times-small")
}

// BenchmarkPushEvent prints what taking an event costs.
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

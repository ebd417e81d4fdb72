package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/record"
	"nepenthes/shared/rest"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/settings"
	"nepenthes/shared/throttle"
	"nepenthes/shared/webhook"
)

func TestOnlyOneOfManyWebhooksGetsAName(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	var created, refused atomic.Int64
	var running sync.WaitGroup
	for i := range 30 {
		name := []string{"billing", "BILLING", "Billing"}[i%3]
		running.Go(func() {
			switch got := s.do(t, token, "POST", "/api/v3/webhooks", `{"name":"`+name+`","payloadUrl":"`+hooks+`","events":["*"]}`); got.StatusCode {
			case 201:
				created.Add(1)
			case 422:
				refused.Add(1)
			default:
				t.Errorf("got %d %s", got.StatusCode, got.text)
			}
		})
	}
	running.Wait()
	if created.Load() != 1 || refused.Load() != 29 {
		t.Errorf("got %d created and %d refused, want 1 and 29", created.Load(), refused.Load())
	}
}

func TestNoChangeIsLost(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.webhook(t, token, "w")
	patches := []string{
		`{"description":"d"}`, `{"timeoutSeconds":7}`, `{"retrySchedule":"none"}`, `{"payloadFormat":"standard"}`,
		`{"legacySignature":true}`, `{"headers":{"X-A":"1"}}`, `{"secret":"generate"}`, `{"events":["project:*"]}`,
	}
	var running sync.WaitGroup
	for _, patch := range patches {
		running.Go(func() { s.do(t, token, "PATCH", "/api/v3/webhooks/"+w, patch).want(t, 200, nil) })
	}
	running.Wait()
	var shown hal.Webhook
	s.do(t, token, "GET", "/api/v3/webhooks/"+w, "").want(t, 200, &shown)
	if shown.Description == nil || *shown.Description != "d" || shown.TimeoutSeconds != 7 || shown.RetrySchedule != "none" || shown.PayloadFormat != "standard" ||
		!shown.LegacySignature || len(shown.Headers) != 1 || len(shown.Secrets) != 1 || shown.Events[0] != "project:*" {
		t.Errorf("got %+v, want every patch in it", shown)
	}
	if want := int64(1 + len(patches)); shown.LockVersion != want {
		t.Errorf("got version %d, want %d", shown.LockVersion, want)
	}
}

func TestOnlyOneOfManyRequestsChangesAVersion(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.webhook(t, token, "w")
	var won, lost atomic.Int64
	var running sync.WaitGroup
	for i := range 16 {
		body := fmt.Sprintf(`{"lockVersion":1,"description":"by %d"}`, i)
		running.Go(func() {
			switch got := s.do(t, token, "PATCH", "/api/v3/webhooks/"+w, body); got.StatusCode {
			case 200:
				won.Add(1)
			case 409:
				lost.Add(1)
			default:
				t.Errorf("got %d %s", got.StatusCode, got.text)
			}
		})
	}
	running.Wait()
	if won.Load() != 1 || lost.Load() != 15 {
		t.Errorf("got %d winners and %d conflicts, want 1 and 15", won.Load(), lost.Load())
	}
}

// clock is a time that tests change.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()) }

func TestTheRateOfAClientIsLimited(t *testing.T) {
	c := &clock{}
	c.at.Store(time.Now().UnixNano())
	s := newService(t, func(rc *rest.Config, _ *api.Config) { rc.Throttle = throttle.NewProcess(5, c.now) })
	token := s.token(t)
	for i := range 10 {
		if got := s.do(t, token, "GET", "/api/v3", ""); got.StatusCode != 200 {
			t.Fatalf("got %d for request %d of a burst, want 200", got.StatusCode, i+1)
		}
	}
	got := s.do(t, token, "GET", "/api/v3/webhooks", "")
	got.wantKind(t, fault.TooManyRequests)
	if got.Header.Get("Retry-After") != "1" {
		t.Errorf("got Retry-After %q, want 1", got.Header.Get("Retry-After"))
	}
	for i := range 200 { // twenty times as many events
		event := fmt.Sprintf(`{"id":"e%d","type":"project:created","occurredAt":"2026-01-02T11:00:00Z","data":1}`, i)
		s.do(t, token, "POST", "/api/v3/events", event).want(t, 202, nil)
	}
	s.do(t, token, "POST", "/api/v3/events", `{`).wantKind(t, fault.TooManyRequests)
	c.at.Add(int64(400 * time.Millisecond))
	s.do(t, token, "GET", "/api/v3", "").want(t, 200, nil)
	s.do(t, token, "GET", "/api/v3", "").want(t, 200, nil)
	s.do(t, token, "GET", "/api/v3", "").wantKind(t, fault.TooManyRequests)
	s.do(t, "nonsense", "GET", "/api/v3", "").wantKind(t, fault.Unauthenticated)
}

func TestTheSizeOfBodiesIsLimited(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	large := `{"description":"` + strings.Repeat("x", 1<<20) + `"}`
	s.do(t, token, "PATCH", "/api/v3/webhooks/wh_x", large).wantKind(t, fault.PayloadTooLarge)
	chunked := must[*http.Request](t)(http.NewRequest("PATCH", s.URL+"/api/v3/webhooks/wh_x", io.MultiReader(strings.NewReader(large))))
	chunked.Header.Set("Authorization", "Bearer "+token)
	chunked.Header.Set("Content-Type", "text/plain")
	send(t, chunked).wantKind(t, fault.PayloadTooLarge)
	s.do(t, "", "PATCH", "/api/v3/webhooks/wh_x", large).wantKind(t, fault.Unauthenticated)

	event := func(size int) string {
		text := `{"id":"e","type":"project:created","occurredAt":"2026-01-02T11:00:00Z","data":"`
		return text + strings.Repeat("x", size-len(text)-2) + `"}`
	}
	s.do(t, token, "POST", "/api/v3/events", event(events.MaxSize)).want(t, 202, nil)
	s.do(t, token, "POST", "/api/v3/events", event(events.MaxSize+1)).wantKind(t, fault.PayloadTooLarge)
}

func TestAPageThatIsTooLargeSuggestsASize(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	for i := range 600 {
		w := webhook.Defaults()
		w.ID = fmt.Sprintf("wh_%026d", i)
		w.Name, w.PayloadURL, w.Description = fmt.Sprint(i), hooks+"/"+strings.Repeat("x", 2000), strings.Repeat("\u2028", 300)
		for range 200 {
			w.Subscription.Events = append(w.Subscription.Events, "work_package_comment:internal_comment")
		}
		if err := s.DB.PutWebhook(t.Context(), &w); err != nil {
			t.Fatal(err)
		}
	}
	var problem rest.Problem
	s.do(t, token, "GET", "/api/v3/webhooks?pageSize=-1", "").want(t, 400, &problem)
	if problem.Identifier != "urn:nepenthes:api:v3:errors:InvalidQuery" || problem.Errors[0].Attribute != "pageSize" {
		t.Fatalf("got %+v, want a fault on pageSize", problem)
	}
	var size int
	if _, err := fmt.Sscanf(problem.Hint, "Ask for pageSize=%d.", &size); err != nil || size < 100 {
		t.Fatalf("got hint %q, want a size that fits", problem.Hint)
	}
	got := s.do(t, token, "GET", fmt.Sprint("/api/v3/webhooks?pageSize=", size), "").want(t, 200, nil)
	if len(got.text) > 4<<20 {
		t.Errorf("got %d bytes, want at most 4 MB", len(got.text))
	}
}

// broken is a store with one method that fails or panics.
type broken struct {
	api.Store
	err    error
	panics string
}

func (b broken) Event(context.Context, events.Key) (record.Event, error) {
	if b.panics != "" {
		panic(b.panics)
	}
	return record.Event{}, b.err
}

func TestServerErrorsDoNotRevealTheirCauses(t *testing.T) {
	const inner = "inner text that nobody may read"
	for name, c := range map[string]struct {
		store  broken
		status int
		retry  string
	}{
		"an error":             {broken{err: errors.New(inner)}, 500, ""},
		"a wrapped error":      {broken{err: fmt.Errorf("%s: %w", inner, io.EOF)}, 500, ""},
		"a panic":              {broken{panics: inner}, 500, ""},
		"an unavailable store": {broken{err: fault.New(fault.Unavailable, "The store is away.").After(1500 * time.Millisecond).Because(errors.New(inner))}, 503, "2"},
		"no time left":         {broken{err: fmt.Errorf("%s: %w", inner, context.DeadlineExceeded)}, 503, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(_ *rest.Config, ac *api.Config) {
				c.store.Store = ac.Store
				ac.Store = c.store
			})
			got := s.do(t, s.token(t), "GET", "/api/v3/events/e1", "").want(t, c.status, nil)
			if strings.Contains(got.text, inner) {
				t.Errorf("got %s, want no cause in it", got.text)
			}
			if got.Header.Get("Retry-After") != c.retry {
				t.Errorf("got Retry-After %q, want %q", got.Header.Get("Retry-After"), c.retry)
			}
			id := got.Header.Get("X-Request-Id")
			if !strings.Contains(got.text, `"urn:nepenthes:request:`+id+`"`) || !strings.Contains(s.Log.String(), id) || !strings.Contains(s.Log.String(), inner) {
				t.Errorf("got %s and log %s, want the id in both and the cause in the log", got.text, s.Log)
			}
		})
	}
}

// breakable is a source of settings that fails once it is broken.
type breakable struct {
	readable rest.Settings
	broken   atomic.Bool
}

func (b *breakable) Settings(ctx context.Context) (settings.Settings, error) {
	if b.broken.Load() {
		return settings.Settings{}, fault.New(fault.Unavailable, "The store is away.")
	}
	return b.readable.Settings(ctx)
}

func TestAnAnswerKeepsItsCORSHeadersWhenTheSettingsCannotBeRead(t *testing.T) {
	off := &breakable{}
	s := newService(t, func(rc *rest.Config, _ *api.Config) { off.readable, rc.Settings = rc.Settings, off })
	token := s.token(t)
	s.do(t, token, "PATCH", "/api/v3/settings", `{"cors":{"enabled":true,"allowedOrigins":["https://app.example.com"]}}`).want(t, 200, nil)
	s.do(t, token, "GET", "/api/v3/settings", "").want(t, 200, nil)
	off.broken.Store(true)
	request := must[*http.Request](t)(http.NewRequest("GET", s.URL+"/api/v3/settings", nil))
	request.Header.Set("Origin", "https://app.example.com")
	got := send(t, request)
	got.wantKind(t, fault.Unavailable)
	if got.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Error("got no CORS header, want the headers of the last known settings")
	}
}

func TestHrefsBeginWithTheStagePath(t *testing.T) {
	s := newService(t, func(rc *rest.Config, _ *api.Config) { rc.Prefix = func(*http.Request) string { return "/prod" } })
	token := s.token(t)
	w := s.webhook(t, token, "w")
	s.deliver(t, s.record(t, "e1", 0, `1`, w), w, 1)
	s.deliver(t, s.record(t, "e2", 0, `1`, w), w, 1)
	for _, path := range []string{
		"/api/v3", "/api/v3/settings", "/api/v3/webhooks?pageSize=1", "/api/v3/webhooks/" + w, "/api/v3/webhooks/" + w + "/deliveries?pageSize=1",
		"/api/v3/events/e1", "/api/v3/events/e1/deliveries", "/api/v3/oauth_clients", "/api/v3/projects",
	} {
		got := s.do(t, token, "GET", path, "").want(t, 200, nil)
		if strings.Contains(got.text, `"href":"/api`) || !strings.Contains(got.text, `"href":"/prod/api/v3`) {
			t.Errorf("%s: got %s, want every href to begin with /prod", path, got.text)
		}
	}
	document := s.do(t, token, "GET", "/api/v3/openapi.json", "").want(t, 200, nil)
	if !strings.Contains(document.text, `"url":"/prod"`) || !strings.Contains(document.text, `"tokenUrl":"/prod/oauth/token"`) {
		t.Error("got a document whose server is not /prod")
	}
	var page hal.CursorCollection[hal.Delivery]
	s.do(t, token, "GET", "/api/v3/webhooks/"+w+"/deliveries?pageSize=1", "").want(t, 200, &page)
	s.do(t, token, "GET", strings.TrimPrefix(page.Links.Next.Href, "/prod"), "").want(t, 200, nil)
}

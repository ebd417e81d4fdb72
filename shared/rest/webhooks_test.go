package rest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/rest"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// webhookBody returns a body that creates a webhook.
func webhookBody(name, url string) string {
	return `{"name":"` + name + `","payloadUrl":"` + url + `","events":["*"]}`
}

func TestNoWebhookPointsAtTheServiceItself(t *testing.T) {
	s := newService(t, func(_ *rest.Config, ac *api.Config) { ac.Addresses.AllowLoopback = true })
	token := s.token(t)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, url := range []string{s.URL + "/x", "http://localhost" + port + "/", "http://[::1]" + port + "/", "http://127.1.2.3" + port} {
		s.do(t, token, "POST", "/api/v3/webhooks", webhookBody("self", url)).wantKind(t, fault.PropertyConstraintViolation)
	}
	s.do(t, token, "POST", "/api/v3/webhooks", webhookBody("beside", "http://127.0.0.1:1/x")).want(t, 201, nil)
}

// Behind a public URL the service also has the address that the gateway gave it.
func TestNoWebhookPointsAtOneOfTwoOwnAddresses(t *testing.T) {
	const gateway = "a1b2c3.execute-api.eu-central-1.amazonaws.com"
	s := newService(t, func(_ *rest.Config, ac *api.Config) { ac.Addresses.Own = []string{"nepenthes.example.com"} })
	token := s.token(t)
	call := func(method, path, body string) answer {
		request := must[*http.Request](t)(http.NewRequest(method, s.URL+path, strings.NewReader(body)))
		request.Host = gateway
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", "application/json")
		return send(t, request)
	}
	path := "/api/v3/webhooks/" + s.webhook(t, token, "w")
	for _, host := range []string{"nepenthes.example.com", gateway} {
		for _, url := range []string{
			"https://" + host + "/api/v3/events", "https://" + strings.ToUpper(host) + ".:443/dev", "https://" + host + ":80",
			"https://" + strings.ReplaceAll(host, ".", "。") + "/", "https://" + strings.Replace(host, "e", "%65", 1) + "/",
		} {
			call("POST", "/api/v3/webhooks", webhookBody("self", url)).wantKind(t, fault.PropertyConstraintViolation)
			call("PATCH", path, `{"payloadUrl":"`+url+`"}`).wantKind(t, fault.PropertyConstraintViolation)
		}
		call("PATCH", path, `{"payloadUrl":"https://`+host+`:8443/"}`).want(t, 200, nil)
	}
	call("POST", "/api/v3/webhooks", webhookBody("beside", "https://x"+gateway+"/")).want(t, 201, nil)
}

func TestHostsOfPayloadURLsAreLookedUp(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	s.do(t, token, "POST", "/api/v3/webhooks", webhookBody("inside", "https://inside.example.com/")).wantKind(t, fault.PropertyConstraintViolation)
	s.do(t, token, "POST", "/api/v3/webhooks", webhookBody("nowhere", "https://nowhere.example.com/")).want(t, 201, nil)
}

func TestPayloadURLsAreStoredInNormalForm(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	var shown hal.Webhook
	s.do(t, token, "POST", "/api/v3/webhooks", webhookBody("w", "HTTPS://Bücher.Example.com/a")).want(t, 201, &shown)
	if shown.PayloadURL != "https://xn--bcher-kva.example.com/a" {
		t.Errorf("got %q", shown.PayloadURL)
	}
	s.do(t, token, "PATCH", "/api/v3/webhooks/"+shown.ID, `{"payloadUrl":"https://bücher.example.com/a"}`).want(t, 200, &shown)
	if shown.LockVersion != 1 {
		t.Errorf("got version %d for another spelling of the same URL, want 1", shown.LockVersion)
	}
}

func TestKeptHeadersCountToo(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	path := "/api/v3/webhooks/" + s.webhook(t, token, "w")
	large := strings.Repeat("v", 3000)
	s.do(t, token, "PATCH", path, `{"headers":{"X-A":"`+large+`"}}`).want(t, 200, nil)
	s.do(t, token, "PATCH", path, `{"headers":{"X-A":"***","X-B":"`+large+`"}}`).wantKind(t, fault.PropertyConstraintViolation)
	s.do(t, token, "PATCH", path, `{"headers":{"X-A":"***","X-B":"`+large[:1090]+`"}}`).want(t, 200, nil)
	s.do(t, token, "PATCH", path, `{"headers":{"X-A":"***","X-B":"`+large[:1091]+`"}}`).wantKind(t, fault.PropertyConstraintViolation)
}

// TestSealsOfTheFirstVersion checks that a value of an earlier release keeps its seal until a client gives it again.
// The API can seal values, but cannot open them. Such a value moves to another origin no more than others do.
func TestSealsOfTheFirstVersion(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	id := s.webhook(t, token, "w")
	path, before := "/api/v3/webhooks/"+id, append([]byte{1, 4}, make([]byte, 100)...)
	w := must[webhook.Webhook](t)(s.DB.Webhook(t.Context(), id))
	w.Headers = []webhook.Header{{Name: "X-Team", Sealed: before}}
	w.Secrets = []webhook.Secret{{ID: "sec_1", Kind: signing.HMAC, Sealed: before}}
	must[any](t)(nil, s.DB.PutWebhook(t.Context(), &w))
	for _, step := range []struct {
		body           string
		status         int
		secret, header byte // the versions afterwards
	}{
		{`{"description":"kept"}`, 200, 1, 1},
		{`{"payloadUrl":"https://RECEIVER.example.com:443/other"}`, 200, 1, 1},
		{`{"headers":{"x-TEAM":"***"}}`, 200, 1, 1},
		{`{"payloadUrl":"https://elsewhere.example.com/"}`, 422, 1, 1},
		{`{"payloadUrl":"https://receiver.example.com:8443/"}`, 422, 1, 1},
		{`{"payloadUrl":"https://elsewhere.example.com/","headers":{"X-Team":"***"}}`, 422, 1, 1},
		{`{"payloadUrl":"https://elsewhere.example.com/","headers":{"X-Team":"again"}}`, 200, 1, 2},
		{`{"payloadUrl":"https://receiver.example.com/"}`, 422, 1, 2},
		{`{"secret":"generate"}`, 200, 2, 2},
	} {
		s.do(t, token, "PATCH", path, step.body).want(t, step.status, nil)
		w := must[webhook.Webhook](t)(s.DB.Webhook(t.Context(), id))
		if secret, header := w.Secrets[0].Sealed[0], w.Headers[0].Sealed[0]; secret != step.secret || header != step.header {
			t.Errorf("after %s the secret and the header have versions %d and %d, want %d and %d", step.body, secret, header, step.secret, step.header)
		}
	}
}

func TestABodyThatEndsEarlyIsInvalid(t *testing.T) {
	s := newService(t)
	handler := rest.New(s.Config)
	request := must[*http.Request](t)(http.NewRequest("PATCH", s.URL+"/api/v3/settings", strings.NewReader(`{`)))
	request.ContentLength = 5
	request.Header.Set("Authorization", "Bearer "+s.token(t))
	request.Header.Set("Content-Type", "application/json")
	recorded := httptest.NewRecorder()
	handler.ServeHTTP(recorded, request)
	if recorded.Code != 400 || !strings.Contains(recorded.Body.String(), "InvalidRequestBody") {
		t.Errorf("got %d %s, want an invalid body", recorded.Code, recorded.Body)
	}
}

func TestUncleanPathsAreNotRedirected(t *testing.T) {
	s := newService(t)
	for _, path := range []string{"//api/v3", "/api//v3", "/api/v3/", "/api/./v3", "/api/v3/webhooks/..", "/api/v3/%2e%2e/v3"} {
		if got := s.do(t, s.token(t), "GET", path, ""); got.StatusCode != 404 || got.Request.URL.String() != s.URL+path {
			t.Errorf("%s: got %d at %s, want 404 without a redirect", path, got.StatusCode, got.Request.URL)
		}
	}
}

// Earlier releases had more event types than the catalogue has now.
func TestAWebhookWithAnUnknownEventTypeCanBeChanged(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	stored := webhook.Defaults()
	stored.ID, stored.Name, stored.PayloadURL = id.New(id.Webhook, received), "old", hooks
	stored.Subscription.Events = []string{"webhook:recovered"}
	if err := s.DB.PutWebhook(t.Context(), &stored); err != nil {
		t.Fatal(err)
	}
	path := "/api/v3/webhooks/" + stored.ID
	for _, body := range []string{`{"description":"changed"}`, `{"events":["webhook:recovered","*"]}`} {
		s.do(t, token, "PATCH", path, body).want(t, 200, nil)
	}
	s.do(t, token, "PATCH", path, `{"events":["webhook:failing"]}`).wantKind(t, fault.PropertyConstraintViolation)
}

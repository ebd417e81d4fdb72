package rest_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"nepenthes/shared/api"
	"nepenthes/shared/rest"
)

// writing is a request of an operation that writes, and the line that it must leave in the log.
type writing struct {
	path, body string
	action     string // empty if the request does not change configuration or access
	target     string // empty: the id in the answer
}

// hidden stands in the requests for everything that the log must not contain.
const hidden = "hidden-4711"

// writings has a request of each operation that writes, by the operation's id in the document. {webhook}, {paused},
// {secret}, {delivery}, {client} and {clientSecret} exist already.
var writings = map[string]writing{
	"changeSettings": {"/settings", `{"cors":{"enabled":true,"allowedOrigins":["https://hidden-4711.example.com"]}}`, "settings.update", "settings"},
	"createWebhook":  {"/webhooks", `{"name":"hidden-4711","payloadUrl":"` + hooks + `/hidden-4711","events":["*"],"secret":"hidden-4711-hidden-4711-hidden-4711","headers":{"X-Hidden":"hidden-4711"}}`, "webhook.create", ""},
	"changeWebhook":  {"/webhooks/{webhook}", `{"headers":{"X-Hidden":"hidden-4711"}}`, "webhook.update", "{webhook}"},
	"pingWebhook":    {"/webhooks/{webhook}/ping", ``, "webhook.ping", "{webhook}"},
	"pauseWebhook":   {"/webhooks/{webhook}/pause", ``, "webhook.pause", "{webhook}"},
	"resumeWebhook":  {"/webhooks/{paused}/resume", `{"held":"drop"}`, "webhook.resume", "{paused}"},
	"addSecret":      {"/webhooks/{webhook}/secrets", `{"secret":"hidden-4711-hidden-4711-hidden-4711"}`, "webhook.add_secret", "{webhook}"},
	"removeSecret":   {"/webhooks/{webhook}/secrets/{secret}", ``, "webhook.remove_secret", "{webhook}"},
	"deleteWebhook":  {"/webhooks/{webhook}", ``, "webhook.delete", "{webhook}"},
	"retryDelivery":  {"/deliveries/{delivery}/retries", ``, "delivery.retry", "{delivery}"},
	"putProject":     {"/projects/7", `{"name":"hidden-4711"}`, "project.put", "7"},

	"createClient":       {"/oauth_clients", `{"name":"hidden-4711","scopes":["webhooks:read"]}`, "client.create", ""},
	"changeClient":       {"/oauth_clients/{client}", `{"name":"hidden-4711"}`, "client.update", "{client}"},
	"addClientSecret":    {"/oauth_clients/{client}/secrets", ``, "client.add_secret", "{client}"},
	"removeClientSecret": {"/oauth_clients/{client}/secrets/{clientSecret}", ``, "client.remove_secret", "{client}"},
	"revokeClient":       {"/oauth_clients/{client}/revocations", ``, "client.revoke", "{client}"},
	"deleteClient":       {"/oauth_clients/{client}", ``, "client.delete", "{client}"},

	"pushEvent":    {"/events", `{"id":"e9","type":"project:created","occurredAt":"2026-01-02T11:00:00Z","data":1}`, "", ""},
	"explainEvent": {"/events/explain", `{"type":"project:created","data":1}`, "", ""},
}

// ownTokens are the operations with which a client gets and revokes its own tokens. Package oauth tests them.
var ownTokens = map[string]bool{"/oauth/token": true, "/oauth/revoke": true}

func TestEveryWriteLeavesALine(t *testing.T) {
	document := newService(t).document(t)
	paths, _ := document["paths"].(map[string]any)
	for path, item := range paths {
		for method, operation := range item.(map[string]any) {
			described, _ := operation.(map[string]any)
			id, _ := described["operationId"].(string)
			if method == "get" || method == "parameters" || ownTokens[path] {
				continue
			}
			t.Run(id, func(t *testing.T) {
				w, known := writings[id]
				if !known {
					t.Fatalf("writings has no request of %s %s", method, path)
				}
				w.leaves(t, strings.ToUpper(method))
			})
		}
	}
}

// TestARequestWithoutAWriteLeavesNoLine makes each request twice. The second request does not change anything.
func TestARequestWithoutAWriteLeavesNoLine(t *testing.T) {
	for name, request := range map[string]struct{ method, path, body string }{
		"settings": {"PATCH", "/settings", `{"api":{"maxPageSize":7}}`},
		"webhook":  {"PATCH", "/webhooks/{webhook}", `{"enabled":false}`},
		"pause":    {"POST", "/webhooks/{webhook}/pause", ``},
		"client":   {"PATCH", "/oauth_clients/{client}", `{"name":"renamed"}`},
		"delivery": {"POST", "/deliveries/{delivery}/retries", ``},
	} {
		t.Run(name, func(t *testing.T) {
			var lines bytes.Buffer
			s := newService(t, func(_ *rest.Config, c *api.Config) { c.Logger = slog.New(slog.NewJSONHandler(&lines, nil)) })
			token := s.token(t)
			path := "/api/v3" + s.things(t, token).Replace(request.path)
			for _, want := range []int{1, 0} {
				lines.Reset()
				if answer := s.do(t, token, request.method, path, request.body); answer.StatusCode/100 != 2 {
					t.Fatalf("got %d %s", answer.StatusCode, answer.text)
				}
				if got := written(t, lines.String()); len(got) != want {
					t.Errorf("got %v, want %d lines", got, want)
				}
			}
		})
	}
}

// leaves makes the request, first without the scope and then with it, and compares the lines in the log.
func (w writing) leaves(t *testing.T, method string) {
	var lines bytes.Buffer
	s := newService(t, func(_ *rest.Config, c *api.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	token := s.token(t)
	things := s.things(t, token)
	path, target := "/api/v3"+things.Replace(w.path), things.Replace(w.target)
	lines.Reset()
	refused := s.do(t, s.token(t, "webhooks:read"), method, path, w.body)
	if got := written(t, lines.String()); refused.StatusCode == http.StatusForbidden && got != nil {
		t.Errorf("the refused request left the lines %v", got)
	}
	lines.Reset()
	answer := s.do(t, token, method, path, w.body)
	if answer.StatusCode/100 != 2 {
		t.Fatalf("got %d %s", answer.StatusCode, answer.text)
	}
	if w.action == "" {
		if got := written(t, lines.String()); got != nil {
			t.Errorf("got %v, want no line", got)
		}
		return
	}
	if target == "" {
		var created struct{ ID string }
		_ = json.Unmarshal([]byte(answer.text), &created)
		target = created.ID
	}
	want := line{Client: s.Admin, Via: "api", Action: w.action, Target: target, Request: answer.Header.Get("X-Request-Id")}
	if got := written(t, lines.String()); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want only %+v", got, want)
	}
	if strings.Contains(lines.String(), hidden) || strings.Contains(lines.String(), "Hidden") {
		t.Errorf("the log contains what was written: %s", lines.String())
	}
}

// things creates the things that the writings need.
func (s *service) things(t *testing.T, token string) *strings.Replacer {
	t.Helper()
	var hook, client struct {
		ID      string
		Secrets []struct{ ID string }
	}
	s.do(t, token, "POST", "/api/v3/webhooks", `{"name":"w","payloadUrl":"`+hooks+`","events":["*"],"secret":"generate"}`).want(t, 201, &hook)
	s.do(t, token, "POST", "/api/v3/oauth_clients", `{"name":"c","scopes":["webhooks:read"]}`).want(t, 201, &client)
	paused := s.webhook(t, token, "paused")
	s.do(t, token, "POST", "/api/v3/webhooks/"+paused+"/pause", "").want(t, 200, nil)
	recorded := s.record(t, "e1", 0, `1`, hook.ID)
	s.deliver(t, recorded, hook.ID, 1)
	return strings.NewReplacer("{webhook}", hook.ID, "{paused}", paused, "{secret}", hook.Secrets[0].ID, "{client}", client.ID,
		"{clientSecret}", client.Secrets[0].ID, "{delivery}", recorded.DeliveryKey(hook.ID).ID())
}

// line has all members of the log line of a write.
type line struct{ Client, Via, Action, Target, Request string }

// written returns the log lines of writes.
func written(t *testing.T, log string) (lines []line) {
	t.Helper()
	for text := range strings.Lines(log) {
		var members map[string]any
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			t.Fatal(err)
		}
		if members["msg"] != "api.written" {
			continue
		}
		if len(members) != 8 || members["level"] != "INFO" { // time, level, msg and the five members of line
			t.Errorf("got %s, want no other members", text)
		}
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nepenthes/events"
	"nepenthes/shared/id"
)

// demo acts as an administrator and as a producer, and uses the API over HTTP as they do.
type demo struct {
	api      string // http://host:port
	receiver string
	admin    credentials
	secret   string // the receiver's
	token    string
}

// hook is a webhook of the demo.
type hook struct {
	name, path, description string
	project                 string // the only project that it selects; empty means all
	timeoutSeconds          int
}

// silentProject is a project for which the demo pushes no events.
const silentProject = "demo-quiet"

var hooks = []hook{
	{"Demo: everything", "/hooks/everything", "Gets every event and answers at once.", "", 15},
	{"Demo: flaky receiver", "/flaky/receiver", "Answers 500, 500 and then 200, to show retries.", "", 15},
	{"Demo: hanging receiver", "/hang/receiver", "Never answers. Each attempt ends with a timeout and does not delay other webhooks.", "", 5},
	{"Demo: another project", "/hooks/another-project", "Selects a project in which nothing happens, so it gets no events.", silentProject, 15},
}

// prepare creates the demo's webhooks. Webhooks that exist already get the current address and secret.
func (d *demo) prepare(ctx context.Context) error {
	if err := d.signIn(ctx); err != nil {
		return err
	}
	quiet := map[string]string{"identifier": silentProject, "name": "Nothing happens here"}
	if _, err := d.call(ctx, http.MethodPut, "/api/v3/projects/"+silentProject, quiet); err != nil {
		return err
	}
	for _, h := range hooks {
		if err := d.ensure(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// play pushes every example event with a new id.
func (d *demo) play(ctx context.Context) error {
	for _, kind := range events.Types() {
		if err := d.push(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) signIn(ctx context.Context) error {
	form := url.Values{"grant_type": {"client_credentials"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.api+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(d.admin.id), url.QueryEscape(d.admin.secret))
	answer, err := send(req)
	if err != nil {
		return err
	}
	d.token, _ = answer["access_token"].(string)
	return nil
}

// ensure creates the webhook, or updates the webhook that has its name.
func (d *demo) ensure(ctx context.Context, h hook) error {
	body := map[string]any{
		"name": h.name, "payloadUrl": d.receiver + h.path, "description": h.description, "secret": d.secret,
		"events": []string{"*"}, "projects": map[string]any{"all": true}, "timeoutSeconds": h.timeoutSeconds, "retrySchedule": "short",
	}
	if h.project != "" {
		body["projects"] = map[string]any{"all": false, "ids": []string{h.project}}
	}
	found, err := d.find(ctx, h.name)
	if err != nil {
		return err
	}
	if found == "" {
		_, err = d.call(ctx, http.MethodPost, "/api/v3/webhooks", body)
		return err
	}
	changes := map[string]any{"payloadUrl": body["payloadUrl"], "secret": d.secret, "enabled": true}
	_, err = d.call(ctx, http.MethodPatch, "/api/v3/webhooks/"+found, changes)
	return err
}

// find returns the id of the webhook with exactly the given name, or "" if there is none.
func (d *demo) find(ctx context.Context, name string) (string, error) {
	answer, err := d.call(ctx, http.MethodGet, "/api/v3/webhooks?pageSize=1000&name="+url.QueryEscape(name), nil)
	if err != nil {
		return "", err
	}
	embedded, _ := answer["_embedded"].(map[string]any)
	elements, _ := embedded["elements"].([]any)
	for _, element := range elements {
		if w, _ := element.(map[string]any); w["name"] == name {
			id, _ := w["id"].(string)
			return id, nil
		}
	}
	return "", nil
}

// push pushes the example event of the type with a new id and the current time. It skips operational types, which no
// producer may send.
func (d *demo) push(ctx context.Context, kind events.Type) error {
	if kind.Operational {
		return nil
	}
	e, _ := events.Example(kind.Name)
	now := time.Now()
	e.ID, e.OccurredAt = id.New(id.Event, now), now.UTC().Format(time.RFC3339Nano)
	message, err := e.Encode()
	if err != nil {
		return err
	}
	_, err = d.call(ctx, http.MethodPost, "/api/v3/events", json.RawMessage(message))
	return err
}

// call calls the API with a JSON body, or without a body if it is nil, and returns the JSON answer.
func (d *demo) call(ctx context.Context, method, path string, body any) (map[string]any, error) {
	var content io.Reader
	if raw, ok := body.(json.RawMessage); ok {
		content = bytes.NewReader(raw)
	} else if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, d.api+path, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return send(req)
}

// send sends a request and returns the JSON answer. For any status other than 2xx it returns an error with the answer's
// errors.
func send(req *http.Request) (map[string]any, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s %s: %s: %w", req.Method, req.URL.Path, resp.Status, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s: %v", req.Method, req.URL.Path, resp.Status, answer["errors"])
	}
	return answer, nil
}

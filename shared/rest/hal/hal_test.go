package hal_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/payload"
	"nepenthes/shared/record"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/webhook"
)

func TestAWebhookInShort(t *testing.T) {
	w := webhook.Defaults()
	w.Description = strings.Repeat("ä", 201)
	w.Headers = []webhook.Header{{Name: "X-Team", Sealed: []byte("sealed")}}
	w.Subscription.Projects = webhook.Projects{}
	for i := range 21 {
		w.Subscription.Projects.IDs = append(w.Subscription.Projects.IDs, fmt.Sprint(i))
	}
	short := hal.FromWebhookInShort(hal.Paths{}, &w, time.Now())
	if short.Description != nil {
		t.Errorf("got a description of %d bytes, want none", len(*short.Description))
	}
	if short.Projects.IDs != nil || *short.Projects.Count != 21 {
		t.Errorf("got %d projects of %d, want none", len(short.Projects.IDs), *short.Projects.Count)
	}
	if short.Headers != nil {
		t.Errorf("got headers %v, want none", short.Headers)
	}
	if len(w.Subscription.Projects.IDs) != 21 {
		t.Error("the representation in short changed the webhook")
	}
	full := hal.FromWebhook(hal.Paths{}, &w, time.Now())
	if len(full.Projects.IDs) != 21 || full.Projects.Count != nil || full.Headers["X-Team"] != "***" || len([]rune(*full.Description)) != 201 {
		t.Errorf("got %+v, want all of it", full)
	}
}

func TestOnlyLiveSecretsAreShown(t *testing.T) {
	now := time.Now()
	w := webhook.Defaults()
	w.Secrets = []webhook.Secret{
		{ID: "expired", ExpiresAt: now.Add(-time.Second)},
		{ID: "at this moment", ExpiresAt: now},
		{ID: "later", ExpiresAt: now.Add(time.Second)},
		{ID: "never"},
	}
	shown := hal.FromWebhook(hal.Paths{}, &w, now)
	if len(shown.Secrets) != 2 || shown.Secrets[0].ID != "later" || shown.Secrets[1].ID != "never" || shown.Secrets[1].ExpiresAt != nil {
		t.Errorf("got %+v, want the two that are live, oldest first", shown.Secrets)
	}
}

func TestTheBodyOfAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		body           string
		truncated      bool
		want, encoding string
	}{
		"text":                                 {"grün", false, "grün", "utf-8"},
		"nothing":                              {"", false, "", "utf-8"},
		"bytes":                                {"\x00\xff", false, "AP8=", "base64"},
		"text that was cut within a character": {"gr\xc3", true, "gr", "utf-8"},
		"text that was cut within four bytes":  {"a\xf0\x9f\x98", true, "a", "utf-8"},
		"text that was cut between two":        {"grü", true, "grü", "utf-8"},
		"half a character that was not cut":    {"gr\xc3", false, "Z3LD", "base64"},
		"bytes that were cut":                  {"\xff\xc3", true, "/8M=", "base64"},
		"only continuation bytes, cut":         {"\x80\x80\x80\x80\x80", true, "gICAgIA=", "base64"},
	} {
		t.Run(name, func(t *testing.T) {
			a := delivery.Attempt{Response: &delivery.Response{Status: 200, Body: []byte(c.body), Truncated: c.truncated, Headers: http.Header{"X-Odd": {"\xff"}}}}
			got := hal.FromAttempt(&payload.Request{Attempt: &a}).Response
			if got.Body != c.want || got.BodyEncoding != c.encoding || got.Truncated != c.truncated {
				t.Errorf("got %q as %s, truncated %t, want %q as %s", got.Body, got.BodyEncoding, got.Truncated, c.want, c.encoding)
			}
			if _, err := json.Marshal(got); err != nil || got.Headers["X-Odd"] != "\uFFFD" {
				t.Errorf("got header %q, %v", got.Headers["X-Odd"], err)
			}
		})
	}
}

func TestAnExpiredEventLeavesTheRequestEmpty(t *testing.T) {
	got := hal.FromAttempt(&payload.Requests(nil, delivery.Key{}, make([]delivery.Attempt, 1), true)[0])
	if got.Request.Body != nil || got.Request.Headers == nil || len(got.Request.Headers) != 0 || got.Response != nil || got.Error != nil {
		t.Errorf("got %+v, want neither body nor answer", got)
	}
}

// A body is rendered once for all attempts.
func TestAttemptsShareTheirBody(t *testing.T) {
	const size = 256 << 10
	recorded := &record.Event{Event: events.Event{ID: "evt_1", Type: "work_package:updated", Data: []byte(`"` + strings.Repeat("x", size) + `"`)}}
	attempts := make([]delivery.Attempt, 50)
	for i := range attempts {
		attempts[i] = delivery.Attempt{Number: i + 1, Format: webhook.FormatNepenthes}
	}
	attempts[3].Format = webhook.FormatStandard
	key := delivery.Key{Webhook: "wh_01JGK0000000000000000000AA", Event: events.KeyOf("s", "1")}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := &hal.Delivery{Embedded: hal.FromAttempts(payload.Requests(recorded, key, attempts, true))}
	if err := d.Fit(100 * size); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 12*size {
		t.Errorf("%d bytes were allocated for two bodies of %d", allocated, size)
	}
	for i, a := range d.Embedded.Attempts {
		if want := string(payload.Body(attempts[i].Format, recorded.Event)); a.Request.Body == nil || *a.Request.Body != want {
			t.Fatalf("attempt %d has a body that is not the body of the request", i+1)
		}
	}
}

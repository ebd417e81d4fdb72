package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/signing"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// signed returns a request like those of the sender.
func signed(t *testing.T, path, body string) *http.Request {
	t.Helper()
	secret, err := signing.Parse(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	id := delivery.Key{Webhook: "wh_01JGK0000000000000000000AA", ReceivedMs: now.UnixMilli() - 42, Event: events.KeyOf("s", "1")}.ID()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for name, value := range map[string]string{
		"webhook-id": id, "webhook-timestamp": strconv.FormatInt(now.Unix(), 10),
		"webhook-signature":   signing.Sign(id, now.Unix(), []byte(body), []signing.Secret{secret}),
		"X-Nepenthes-Event":   "user:created",
		"X-Nepenthes-Attempt": "2",
	} {
		req.Header.Set(name, value)
	}
	return req
}

func TestReceiver(t *testing.T) {
	for name, c := range map[string]struct {
		path    string
		forge   bool
		answers []int
	}{
		"hooks":             {"/hooks/any/thing", false, []int{200, 200}},
		"flaky":             {"/flaky/x", false, []int{500, 500, 200, 500}},
		"status":            {"/status/410", false, []int{410}},
		"an invalid status": {"/status/1000", false, []int{404}},
		"another path":      {"/", false, []int{404}},
		"a forged request":  {"/hooks/", true, []int{200}},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r, err := newReceiver(testSecret, &out)
			if err != nil {
				t.Fatal(err)
			}
			first := signed(t, c.path, `{}`)
			for _, want := range c.answers {
				req := signed(t, c.path, `{}`)
				req.Header = first.Header.Clone()
				if c.forge {
					req = signed(t, c.path, `{"a":1}`)
					req.Header = first.Header.Clone()
				}
				w := httptest.NewRecorder()
				r.ServeHTTP(w, req)
				if w.Code != want {
					t.Errorf("got %d, want %d", w.Code, want)
				}
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if len(lines) != len(c.answers) {
				t.Fatalf("got %d lines, want %d", len(lines), len(c.answers))
			}
			mark := "✓"
			if c.forge {
				mark = "✗"
			}
			fields := strings.Fields(lines[0])
			if len(fields) != 5 || fields[0] != mark || fields[1] != "user:created" || fields[2] != "attempt=2" || fields[4] != c.path {
				t.Errorf("got line %q, want %s user:created attempt=2 and %s", lines[0], mark, c.path)
			}
			if took, err := time.ParseDuration(fields[3]); err != nil || took < 42*time.Millisecond {
				t.Errorf("got latency %q, want 42 ms or more", fields[3])
			}
		})
	}
}

// Any web page can make a browser send requests here. Their content must not move the cursor or forge a line.
func TestReceiverPrintsVisibleASCII(t *testing.T) {
	hostile := map[string]string{
		"escape sequence": "\x1b[2J\x1b]0;title\x07", "line": "\n✓ time_entry:created attempt=1 4ms /hooks", "return": "\r✓ x",
		"C1": "\u009b2J\u0085", "raw C1": "\x9b2J", "delete": "\x7f\x08", "bidi": "\u202e\u2066\u200f", "separators": "\u2028\u2029",
		"invisible": "\u200b\ufeff\u00ad", "a check mark": "✓", "a space": "a ✓ b", "wraps into a line": strings.Repeat(" ", 300) + "✓ x",
		"long": strings.Repeat("x", 5000), "quotes": "\"'`$(x)", "backslash": `\n`, "zero": "\x00", "wide": "計\U000e0041",
	}
	plain := regexp.MustCompile(`^[✓✗] ([!-~]+|"[ -~]*")(\.\.\.)? attempt=([!-~]+|"[ -~]*")(\.\.\.)? (-|[0-9.]+m?s) [!-~]+\n$`)
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r, err := newReceiver(testSecret, &out)
			if err != nil {
				t.Fatal(err)
			}
			req := signed(t, "/hooks/x", `{}`)
			req.URL.Path += text
			req.Header.Set("X-Nepenthes-Event", "e"+text)
			req.Header.Set("X-Nepenthes-Attempt", "1"+text)
			r.ServeHTTP(httptest.NewRecorder(), req)
			line := out.String()
			if !plain.MatchString(line) || len(line) > 1000 || strings.Count(line, "✓")+strings.Count(line, "✗") != 1 {
				t.Errorf("got line %q, want one short line of visible ASCII", line)
			}
		})
	}
	t.Run("as a browser sends it", func(t *testing.T) {
		var out strings.Builder
		r, err := newReceiver(testSecret, &out)
		if err != nil {
			t.Fatal(err)
		}
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/hooks/%1b[2J%0a%E2%9C%93%20time_entry:created", nil))
		if want := "✗  attempt= - /hooks/%1b[2J%0a%E2%9C%93%20time_entry:created\n"; out.String() != want {
			t.Errorf("got line %q, want %q", out.String(), want)
		}
	})
}

func TestReceiverHangsUntilTheSenderGivesUp(t *testing.T) {
	var out strings.Builder
	r, err := newReceiver(testSecret, &out)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.ServeHTTP(httptest.NewRecorder(), signed(t, "/hang/x", "").WithContext(ctx))
	if !strings.HasPrefix(out.String(), "✓ ") {
		t.Errorf("got %q, want a line about a verified request", out.String())
	}
}

package httpedge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
)

// front is a handler with an edge. It answers a fault with the kind of the fault.
type front struct {
	serve func(*httpedge.Answer, *http.Request)
	log   bytes.Buffer
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	edge := httpedge.Edge{Name: "front", Logger: slog.New(slog.NewJSONHandler(&f.log, nil)), Now: time.Now}
	answer, r := edge.Begin(w, r)
	defer answer.End(func(caught *fault.Fault) { http.Error(answer, caught.Kind.Identifier(), caught.Kind.Status()) })
	f.serve(answer, r)
}

// send sends a request with a secret in each of its parts. It returns the answer and the complete body.
func (f *front) send(t *testing.T, method string) (*http.Response, string, error) {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close() // waits for the handler, so its log is complete
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/path-secret?query=query-secret", strings.NewReader("body-secret"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer header-secret")
	r.Header.Set("X-Request-Id", "req_of_the_client")
	response, err := server.Client().Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// lines returns the lines of the log.
func (f *front) lines(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for d := json.NewDecoder(&f.log); ; {
		var line map[string]any
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
}

// wantPanicLine checks that the log has one line about a panic, without a secret of the request.
func (f *front) wantPanicLine(t *testing.T) map[string]any {
	t.Helper()
	if text := f.log.String(); strings.Contains(text, "secret") {
		t.Errorf("got log %s, want no secret in it", text)
	}
	lines := f.lines(t)
	if len(lines) != 1 || lines[0]["msg"] != "front.panicked" || lines[0]["panic"] != "broken" || lines[0]["method"] != http.MethodPost {
		t.Fatalf("got log %v, want one line about the panic", lines)
	}
	if stack, _ := lines[0]["stack"].(string); !strings.Contains(stack, "httpedge_test.go") {
		t.Errorf("got stack %q, want the place of the panic", stack)
	}
	return lines[0]
}

func TestPanics(t *testing.T) {
	t.Run("before the answer has begun", func(t *testing.T) {
		f := &front{serve: func(*httpedge.Answer, *http.Request) { panic(errors.New("broken")) }}
		response, body, err := f.send(t, http.MethodPost)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusInternalServerError || body != fault.Internal.Identifier()+"\n" {
			t.Errorf("got %d %q, want 500 without the text of the panic", response.StatusCode, body)
		}
		if line := f.wantPanicLine(t); line["request"] != response.Header.Get("X-Request-Id") {
			t.Errorf("got request id %v in the log, want the id in the answer, %s", line["request"], response.Header.Get("X-Request-Id"))
		}
	})
	for name, begin := range map[string]func(*httpedge.Answer){
		"after the status": func(a *httpedge.Answer) { a.WriteHeader(http.StatusOK) },
		"after some text":  func(a *httpedge.Answer) { fmt.Fprint(a, "half an ") },
	} {
		t.Run(name, func(t *testing.T) {
			f := &front{serve: func(a *httpedge.Answer, _ *http.Request) {
				begin(a)
				_ = http.NewResponseController(a).Flush() // so the client has the header
				panic("broken")
			}}
			if _, body, err := f.send(t, http.MethodPost); err == nil {
				t.Errorf("got the complete answer %q, want a broken connection", body)
			}
			f.wantPanicLine(t)
		})
	}
	t.Run("http.ErrAbortHandler", func(t *testing.T) {
		f := &front{serve: func(*httpedge.Answer, *http.Request) { panic(http.ErrAbortHandler) }}
		if response, _, err := f.send(t, http.MethodPost); err == nil {
			t.Errorf("got status %d, want a broken connection", response.StatusCode)
		}
		if lines := f.lines(t); lines != nil {
			t.Errorf("got log %v, want none", lines)
		}
	})
}

func TestRequestID(t *testing.T) {
	ids := map[string]bool{}
	for range 3 {
		var inside string
		f := &front{serve: func(a *httpedge.Answer, _ *http.Request) { inside = a.RequestID }}
		response, _, err := f.send(t, http.MethodGet)
		if err != nil {
			t.Fatal(err)
		}
		got := response.Header.Values("X-Request-Id")
		if diff := cmp.Diff([]string{inside}, got); diff != "" || !id.Valid(id.Request, inside) {
			t.Errorf("got ids %q, want one new id and not the id that the client sent", got)
		}
		ids[inside] = true
	}
	if len(ids) != 3 {
		t.Errorf("got %d ids for 3 requests, want 3", len(ids))
	}
}

func TestFault(t *testing.T) {
	broken, late := errors.New("disk 7"), fmt.Errorf("disk 7: %w", context.DeadlineExceeded)
	unavailable := fault.New(fault.Unavailable, "The store does not answer.").Because(broken)
	for name, test := range map[string]struct {
		err    error
		want   fault.Kind
		logged bool
	}{
		"an error":                     {broken, fault.Internal, true},
		"a timeout":                    {late, fault.Unavailable, true},
		"an unavailable store":         {unavailable, fault.Unavailable, true},
		"a client that gave up":        {fmt.Errorf("disk 7: %w", context.Canceled), fault.Internal, false},
		"a mistake of the client":      {fault.New(fault.NotFound, "There is no disk 7."), fault.NotFound, false},
		"a mistake that took too long": {fault.New(fault.NotFound, "No.").Because(late), fault.NotFound, false},
	} {
		t.Run(name, func(t *testing.T) {
			var got *fault.Fault
			f := &front{serve: func(a *httpedge.Answer, r *http.Request) {
				r.Pattern = "/disks/{id}" // as a ServeMux does
				got = a.Fault(test.err)
			}}
			response, _, err := f.send(t, http.MethodGet)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != test.want || test.want != fault.NotFound && strings.Contains(got.Message+got.Hint, "disk 7") {
				t.Errorf("got %v, want kind %v without the text of the error", got, test.want)
			}
			var want []map[string]any
			if test.logged {
				want = []map[string]any{{
					"level": "ERROR", "msg": "front.failed", "request": response.Header.Get("X-Request-Id"),
					"method": "GET", "route": "/disks/{id}", "error": test.err.Error(),
				}}
			}
			lines := f.lines(t)
			for _, line := range lines {
				delete(line, "time")
			}
			if diff := cmp.Diff(want, lines); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	t.Run("the context ends", func(t *testing.T) {
		var inside context.Context
		f := &front{serve: func(_ *httpedge.Answer, r *http.Request) {
			inside = r.Context()
			if at, limited := inside.Deadline(); !limited || time.Until(at) > limits.APITimeout || inside.Err() != nil {
				t.Errorf("got deadline %v, want %v from now", at, limits.APITimeout)
			}
		}}
		if response, _, err := f.send(t, http.MethodGet); err != nil || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("got answer %v and error %v, want the header nosniff", response, err)
		}
		if inside.Err() == nil {
			t.Error("the context of the request has not ended after the answer")
		}
	})
	t.Run("HEAD has no body", func(t *testing.T) {
		w := httptest.NewRecorder()
		f := &front{serve: func(a *httpedge.Answer, _ *http.Request) {
			if n, err := a.Write([]byte("text")); n != 4 || err != nil {
				t.Errorf("Write returned %d, %v, want 4 and no error", n, err)
			}
		}}
		f.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
		if w.Code != http.StatusOK || w.Body.Len() > 0 {
			t.Errorf("got %d %q, want 200 without a body", w.Code, w.Body)
		}
	})
}

func TestSetRetryAfter(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		-time.Minute:                    "1",
		0:                               "1",
		time.Nanosecond:                 "1",
		time.Second:                     "1",
		time.Second + time.Nanosecond:   "2",
		1500 * time.Millisecond:         "2",
		time.Minute:                     "60",
		24*time.Hour - time.Microsecond: "86400",
	} {
		for _, kind := range []fault.Kind{fault.TooManyRequests, fault.Unavailable} {
			header := http.Header{"Retry-After": {"7"}}
			httpedge.SetRetryAfter(header, fault.New(kind, "Wait.").After(wait))
			if diff := cmp.Diff(http.Header{"Retry-After": {want}}, header); diff != "" {
				t.Errorf("%v (-want +got):\n%s", wait, diff)
			}
		}
	}
	header := http.Header{}
	if httpedge.SetRetryAfter(header, fault.New(fault.Internal, "No.").After(time.Minute)); len(header) > 0 {
		t.Errorf("another kind: got %v, want no header", header)
	}
}

func TestPeerAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:40000":     "192.0.2.1",
		"[2001:db8::1]:40000": "2001:db8::1",
		"[fe80::1%eth0]:1":    "fe80::1%eth0",
		":0":                  "",
		"192.0.2.1":           "192.0.2.1",
		"@":                   "@",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "198.51.100.1")
		r.Header.Set("Forwarded", "for=198.51.100.1")
		if got := httpedge.PeerAddress(r); got != want {
			t.Errorf("%s: got %q, want %q", remote, got, want)
		}
	}
}

package lambdahost_test

import (
	"context"
	"embed"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/lambdahost"
)

// requests are events from API Gateway and from emulators.
//
//go:embed testdata/requests
var requests embed.FS

func proxyRequest(t *testing.T, name string) lambdaevents.APIGatewayProxyRequest {
	t.Helper()
	text, err := requests.ReadFile("testdata/requests/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var e lambdaevents.APIGatewayProxyRequest
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// seen has the members of a request that a handler sees.
type seen struct {
	Method, Path, Escaped, URI, Host, From, Stage string
	Query                                         map[string][]string
	Header                                        http.Header
	Body                                          string
	Length                                        int64
}

func TestHTTPTranslatesRequests(t *testing.T) {
	for name, want := range map[string]seen{
		"stage": {
			Method: "PUT", Path: "/api/v3/projects/a/b", Escaped: "/api/v3/projects/a%2Fb",
			URI:  "/api/v3/projects/a%2Fb?name=x+%26+y&state=dead&state=held",
			Host: "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", From: "192.0.2.66:0", Stage: "/dev",
			Query: map[string][]string{"name": {"x & y"}, "state": {"dead", "held"}},
			Header: http.Header{
				"Accept": {"application/json", "text/html"}, "Authorization": {"Bearer abc"}, "Content-Type": {"application/json"},
				"User-Agent": {"curl/8.7.1"}, "X-Amzn-Trace-Id": {"Root=1-5e66d96f-7491f09xmpl79d18acf3d050"},
				"X-Forwarded-For": {"203.0.113.7, 192.0.2.66"}, "X-Forwarded-Port": {"443"}, "X-Forwarded-Proto": {"https"},
			},
			Body: `{"name":"Pläne"}`, Length: 17,
		},
		"domain": {
			Method: "POST", Path: "/oauth/token", Escaped: "/oauth/token", URI: "/oauth/token",
			Host: "hooks.example.com", From: "[2001:db8::7]:0", Query: map[string][]string{},
			Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   "grant_type=client_credentials", Length: 29,
		},
		"root": {
			Method: "GET", Path: "/", Escaped: "/", URI: "/", Stage: "/dev",
			Host: "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", From: "192.0.2.66:0",
			Query: map[string][]string{}, Header: http.Header{},
		},
		"ministack": {
			Method: "GET", Path: "/api/v3/projects/a b", Escaped: "/api/v3/projects/a%20b", URI: "/api/v3/projects/a%20b?state=dead&state=held",
			Host: "4f0c2e1a.execute-api.localhost:4566", From: "127.0.0.1:0", Stage: "/dev",
			Query:  map[string][]string{"state": {"dead", "held"}},
			Header: http.Header{"Accept": {"application/json, text/html"}, "X-Forwarded-For": {"198.51.100.9"}},
		},
		"single": {
			Method: "DELETE", Path: "/100%", Escaped: "/100%25", URI: "/100%25?a=b", Host: "localhost", From: "test-invoke-source-ip:0",
			Query: map[string][]string{"a": {"b"}}, Header: http.Header{"X-One": {"1"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				got = seen{
					r.Method, r.URL.Path, r.URL.EscapedPath(), r.RequestURI, r.Host, r.RemoteAddr, lambdahost.StagePath(r),
					r.URL.Query(), r.Header, string(body), r.ContentLength,
				}
			})
			if _, err := lambdahost.HTTP(h, slog.New(slog.DiscardHandler))(t.Context(), proxyRequest(t, name)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHTTPReturnsResponses(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		serve  http.HandlerFunc
		want   string
	}{
		"text": {
			"GET", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/hal+json; charset=utf-8")
				w.Header().Set("Content-Length", "11")
				_, _ = io.WriteString(w, `{"a":"`)
				_, _ = io.WriteString(w, `ä"}`)
			},
			`{"statusCode":200,"headers":{},"multiValueHeaders":{"Content-Type":["application/hal+json; charset=utf-8"]},"body":"{\"a\":\"ä\"}"}`,
		},
		"not text": {
			"GET", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "image/png")
				_, _ = w.Write([]byte{0x89, 'P', 'N', 'G', 0xff})
			},
			`{"statusCode":200,"headers":{},"multiValueHeaders":{"Content-Type":["image/png"]},"body":"iVBOR/8=","isBase64Encoded":true}`,
		},
		"a header twice": {
			"GET", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Set-Cookie", "a=1")
				w.Header().Add("Set-Cookie", "b=2")
				w.WriteHeader(http.StatusSeeOther)
			},
			`{"statusCode":303,"headers":{},"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":""}`,
		},
		"nothing written": {
			"GET", func(http.ResponseWriter, *http.Request) {},
			`{"statusCode":200,"headers":{},"multiValueHeaders":{},"body":""}`,
		},
		"only the first status and its header count": {
			"GET", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusNotFound)
				w.Header().Set("Late", "yes")
				w.WriteHeader(http.StatusOK)
			},
			`{"statusCode":404,"headers":{},"multiValueHeaders":{},"body":""}`,
		},
		"the type of a body without Content-Type is detected": {
			"GET", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
			`{"statusCode":200,"headers":{},"multiValueHeaders":{"Content-Type":["text/html; charset=utf-8"]},"body":"<html>"}`,
		},
		"HEAD has no body": {
			"HEAD", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `"1"`)
				if n, err := io.WriteString(w, "body"); n != 4 || err != nil {
					t.Errorf("Write returned %d, %v, want 4 and no error", n, err)
				}
			},
			`{"statusCode":200,"headers":{},"multiValueHeaders":{"Etag":["\"1\""]},"body":""}`,
		},
		"204 has no body": {
			"GET", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
				if _, err := io.WriteString(w, "body"); err != http.ErrBodyNotAllowed {
					t.Errorf("Write returned %v, want http.ErrBodyNotAllowed", err)
				}
			},
			`{"statusCode":204,"headers":{},"multiValueHeaders":{},"body":""}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := proxyRequest(t, "root")
			e.HTTPMethod = c.method
			response, err := lambdahost.HTTP(c.serve, slog.New(slog.DiscardHandler))(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(response); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(text.String()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestHTTPPassesTheDeadlineOn(t *testing.T) {
	want := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), want)
	defer cancel()
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got, ok := r.Context().Deadline(); !ok || !got.Equal(want) {
			t.Errorf("got deadline %v, want %v", got, want)
		}
	})
	if _, err := lambdahost.HTTP(h, slog.New(slog.DiscardHandler))(ctx, proxyRequest(t, "root")); err != nil {
		t.Error(err)
	}
}

func TestHTTPFailures(t *testing.T) {
	t.Run("a panic fails only its own request and is logged", func(t *testing.T) {
		var logs strings.Builder
		h := lambdahost.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				panic("broken")
			}
		}), slog.New(slog.NewTextHandler(&logs, nil)))
		if _, err := h(t.Context(), proxyRequest(t, "stage")); err == nil {
			t.Error("got no error for the request that panicked")
		}
		if text := logs.String(); !strings.Contains(text, "request.panicked") || !strings.Contains(text, "http_test.go") || strings.Contains(text, "Bearer abc") {
			t.Errorf("got log %q, want the panic with its stack and no token", text)
		}
		if _, err := h(t.Context(), proxyRequest(t, "root")); err != nil {
			t.Error(err)
		}
	})
	t.Run("an aborted handler fails its request and logs nothing", func(t *testing.T) {
		var logs strings.Builder
		h := lambdahost.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			slog.New(slog.NewTextHandler(&logs, nil)))
		if _, err := h(t.Context(), proxyRequest(t, "stage")); err == nil || logs.Len() > 0 {
			t.Errorf("got error %v and log %q, want an error and no log", err, logs.String())
		}
	})
	t.Run("a body that is not base64", func(t *testing.T) {
		e := proxyRequest(t, "stage")
		e.Body = "%"
		h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
		if _, err := lambdahost.HTTP(h, slog.New(slog.DiscardHandler))(t.Context(), e); err == nil {
			t.Error("got no error")
		}
	})
}

func TestStagePathOutsideLambda(t *testing.T) {
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/dev/api", nil)
	if got := lambdahost.StagePath(r); got != "" {
		t.Errorf("got %q, want an empty path", got)
	}
}

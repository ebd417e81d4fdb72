package lambdahost

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	lambdaevents "github.com/aws/aws-lambda-go/events"
)

// Gateway is a handler for API Gateway's Lambda proxy integration of a REST API.
type Gateway func(ctx context.Context, e lambdaevents.APIGatewayProxyRequest) (lambdaevents.APIGatewayProxyResponse, error)

// errPanicked makes the gateway answer with its response for a function that failed. What went wrong is in the log.
var errPanicked = errors.New("the request could not be served")

// HTTP makes the handler that gives each request to h and the answer back:
//
//  1. The request's RemoteAddr is the address that the gateway saw, never a header's, and its Host is the domain
//     name that the gateway served; only where an emulator knows none is it the header's.
//  2. [StagePath] tells the path of the stage by which the request came; the URL's path is without it.
//  3. The context ends with the invocation.
//  4. An answer in UTF-8 goes back as text and any other in base64, which the gateway decodes.
//  5. A panic fails only its own request.
//
// h sees the whole body at once; the gateway takes 10 MB, and Lambda's 6 MB bound what can come in and go out.
func HTTP(h http.Handler, logger *slog.Logger) Gateway {
	return func(ctx context.Context, e lambdaevents.APIGatewayProxyRequest) (_ lambdaevents.APIGatewayProxyResponse, err error) {
		defer func() {
			if p := recover(); p != nil {
				logger.ErrorContext(ctx, "request.panicked", "method", e.HTTPMethod, "resource", e.Resource,
					"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = errPanicked
			}
		}()
		r, err := request(ctx, &e)
		if err != nil {
			return lambdaevents.APIGatewayProxyResponse{}, err
		}
		w := &answer{header: http.Header{}, head: e.HTTPMethod == http.MethodHead}
		h.ServeHTTP(w, r)
		return w.proxied(), nil
	}
}

// stagePath is the key of the stage's path in a request's context.
type stagePath struct{}

// StagePath is the path that stood before the request's own, such as "/dev"; empty for none, as behind a custom
// domain or outside of Lambda.
func StagePath(r *http.Request) string {
	path, _ := r.Context().Value(stagePath{}).(string)
	return path
}

// request translates a request of the gateway.
func request(ctx context.Context, e *lambdaevents.APIGatewayProxyRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("the gateway's base64 is none: %w", err)
		}
	}
	// What the caller typed is the stage's path and then ours, or ours alone behind a custom domain. The slash at
	// the end of a stage's own path is not always told.
	if stage, ok := strings.CutSuffix(strings.TrimRight(e.RequestContext.Path, "/"), strings.TrimRight(e.Path, "/")); ok {
		ctx = context.WithValue(ctx, stagePath{}, stage)
	}
	r := (&http.Request{
		Method: e.HTTPMethod, URL: address(e), Header: header(e),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		RemoteAddr: net.JoinHostPort(e.RequestContext.Identity.SourceIP, "0"), // the port is not told
	}).WithContext(ctx)
	r.RequestURI = r.URL.RequestURI()
	if r.Host = e.RequestContext.DomainName; r.Host == "" {
		r.Host = r.Header.Get("Host")
	}
	r.Header.Del("Host") // as net/http hands requests over
	return r, nil
}

// address is the request's URL. The gateway leaves the path as the caller encoded it but decodes the query; of
// two values of one name only the multi-value map has both, in every world.
func address(e *lambdaevents.APIGatewayProxyRequest) *url.URL {
	u := &url.URL{Path: e.Path}
	if decoded, err := url.PathUnescape(e.Path); err == nil {
		u.Path, u.RawPath = decoded, e.Path
	}
	query := url.Values(e.MultiValueQueryStringParameters)
	if query == nil {
		query = url.Values{}
		for name, value := range e.QueryStringParameters {
			query.Set(name, value)
		}
	}
	u.RawQuery = query.Encode()
	return u
}

// header is the request's header; names come in any case.
func header(e *lambdaevents.APIGatewayProxyRequest) http.Header {
	h := http.Header{}
	for name, values := range e.MultiValueHeaders {
		for _, value := range values {
			h.Add(name, value)
		}
	}
	for name, value := range e.Headers {
		if h.Values(name) == nil {
			h.Add(name, value)
		}
	}
	return h
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	sent   http.Header // the header as it was when the status was written
	body   bytes.Buffer
	head   bool // a HEAD request: there shall be no body
}

// Header is the header to be sent.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader fixes status and header, once; later calls and interim answers (1xx) do nothing.
func (w *answer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write keeps the body. Answers that have none by their status refuse it, as net/http does.
func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.head:
		return len(b), nil
	}
	return w.body.Write(b)
}

// proxied is the answer for the gateway. All headers stand in the multi-value map: of a name in both maps one is
// dropped somewhere. The other map is empty and not null, which not every emulator takes. The gateway counts the
// body itself, and would rename a Content-Length of ours.
func (w *answer) proxied() lambdaevents.APIGatewayProxyResponse {
	w.WriteHeader(http.StatusOK)
	if w.sent.Get("Content-Type") == "" && w.body.Len() > 0 {
		w.sent.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
	w.sent.Del("Content-Length")
	response := lambdaevents.APIGatewayProxyResponse{
		StatusCode: w.status, Headers: map[string]string{}, MultiValueHeaders: w.sent, Body: w.body.String(),
	}
	if !utf8.ValidString(response.Body) {
		response.Body, response.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return response
}

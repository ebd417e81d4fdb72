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

// errPanicked makes the gateway send its response for a failed function. The log has the cause.
var errPanicked = errors.New("the request could not be served")

// HTTP returns a handler that passes each request to h and returns its response:
//
//  1. RemoteAddr is the address that the gateway saw, never an address from a header. Host is the domain name that
//     the gateway served, or the Host header if an emulator sends no domain name.
//  2. The path of the URL does not include the path of the stage. [StagePath] returns that path.
//  3. The context ends with the invocation.
//  4. A response in UTF-8 is returned as text. Any other response is returned in base64, which the gateway decodes.
//  5. A panic fails only its own request. It is logged unless it is http.ErrAbortHandler, as in net/http.
//
// The whole body is in memory before h is called. The gateway accepts 10 MB, but Lambda limits requests and responses
// to 6 MB.
func HTTP(h http.Handler, logger *slog.Logger) Gateway {
	return func(ctx context.Context, e lambdaevents.APIGatewayProxyRequest) (_ lambdaevents.APIGatewayProxyResponse, err error) {
		defer func() {
			if p := recover(); p != nil {
				logPanic(ctx, logger, &e, p)
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

func logPanic(ctx context.Context, logger *slog.Logger, e *lambdaevents.APIGatewayProxyRequest, p any) {
	if p != http.ErrAbortHandler {
		logger.ErrorContext(ctx, "request.panicked", "method", e.HTTPMethod, "resource", e.Resource,
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}

// stagePath is the key of the path of the stage in the context of a request.
type stagePath struct{}

// StagePath returns the path of the stage, such as "/dev", which precedes the path of the request. It returns ""
// behind a custom domain and outside Lambda.
func StagePath(r *http.Request) string {
	path, _ := r.Context().Value(stagePath{}).(string)
	return path
}

// request converts a request from the gateway.
func request(ctx context.Context, e *lambdaevents.APIGatewayProxyRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("the body from the gateway is not valid base64: %w", err)
		}
	}
	// The original path is the path of the stage followed by e.Path, or e.Path alone behind a custom domain. The
	// slash at the end of a stage's root path may be missing.
	if stage, ok := strings.CutSuffix(strings.TrimRight(e.RequestContext.Path, "/"), strings.TrimRight(e.Path, "/")); ok {
		ctx = context.WithValue(ctx, stagePath{}, stage)
	}
	r := (&http.Request{
		Method: e.HTTPMethod, URL: requestURL(e), Header: header(e),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		RemoteAddr: net.JoinHostPort(e.RequestContext.Identity.SourceIP, "0"), // the gateway does not send the port
	}).WithContext(ctx)
	r.RequestURI = r.URL.RequestURI()
	if r.Host = e.RequestContext.DomainName; r.Host == "" {
		r.Host = r.Header.Get("Host")
	}
	r.Header.Del("Host") // as net/http does
	return r, nil
}

// requestURL returns the URL of the request. The gateway passes the path on as the client encoded it, but it decodes the
// query. If a name has two values, only the multi-value map has both.
func requestURL(e *lambdaevents.APIGatewayProxyRequest) *url.URL {
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

// header returns the header of the request. The gateway passes names on in the case that the client used.
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

// answer is an http.ResponseWriter that keeps the response in memory.
type answer struct {
	header http.Header
	status int
	sent   http.Header // the header as it was when the status was written
	body   bytes.Buffer
	head   bool // a HEAD request, whose response has no body
}

// Header returns the header to be sent.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader sets the status and the header on the first call. Later calls and interim statuses (1xx) do nothing.
func (w *answer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write appends to the body. Like net/http, it returns an error if the status does not allow a body.
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

// proxied returns the response for the gateway. All headers are in the multi-value map, because a name in both maps
// may lose a value. The other map is empty rather than null, because some emulators reject null. Content-Length is
// removed, because the gateway adds its own and would rename this one.
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

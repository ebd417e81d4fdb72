// Package httpedge gives every HTTP request an id and a deadline, recovers its panics and logs its failures, whatever the
// format of the answer.
package httpedge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/limits"
)

// Edge begins the answers to the requests of one handler. All fields are required.
type Edge struct {
	// Name begins the messages in the log. With the name "request" they are request.failed and request.panicked.
	Name   string
	Logger *slog.Logger
	Now    func() time.Time
}

// Answer is the http.ResponseWriter of one request. It writes no body in answer to a HEAD request.
type Answer struct {
	http.ResponseWriter
	// RequestID is a new id for each request. An id that the client sends is ignored, so ids in the log are unique.
	RequestID string

	edge    Edge
	request *http.Request
	cancel  context.CancelFunc
	begun   bool // the status has been written
}

// Begin returns the answer to a request, and the request with a context that ends after limits.APITimeout. It sets the id
// of the request in the header of the answer. The caller must defer [Answer.End].
func (e Edge) Begin(w http.ResponseWriter, r *http.Request) (*Answer, *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), limits.APITimeout)
	r = r.WithContext(ctx)
	a := &Answer{ResponseWriter: w, RequestID: id.New(id.Request, e.Now()), edge: e, request: r, cancel: cancel}
	a.Header().Set("X-Request-Id", a.RequestID)
	a.Header().Set("X-Content-Type-Options", "nosniff")
	return a, r
}

// End ends the context of the request. It recovers a panic, logs it, and calls write with a fault that does not contain
// the text of the panic. If the status has been written already, End breaks the connection instead, so that the client
// does not take a part of the answer for all of it. End passes http.ErrAbortHandler on, because it is not a failure.
//
// End itself must be deferred. If a deferred function calls End, End does not recover the panic.
func (a *Answer) End(write func(*fault.Fault)) {
	defer a.cancel()
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	a.log("panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if a.begun {
		panic(http.ErrAbortHandler)
	}
	write(fault.From(errors.New("panic")))
}

// Fault returns the fault that the client may read about err. A timeout becomes a fault of kind Unavailable, because the
// client may try again. Fault logs an error that the operator should look at. It does not log that a client gave up its
// request.
func (a *Answer) Fault(err error) *fault.Fault {
	f := fault.From(err)
	if f.Kind == fault.Internal && errors.Is(err, context.DeadlineExceeded) {
		f = fault.New(fault.Unavailable, "The request took too long.").With("Try again in a moment.").Because(err)
	}
	if (f.Kind == fault.Internal || f.Kind == fault.Unavailable) && !errors.Is(err, context.Canceled) {
		a.LogFailure(err)
	}
	return f
}

// LogFailure logs err as the cause of the failure of the request.
func (a *Answer) LogFailure(err error) {
	a.log("failed", "route", a.request.Pattern, "error", err)
}

// log logs what happened to the request. It does not log the URL and the header, because both can contain secrets.
func (a *Answer) log(what string, args ...any) {
	args = append([]any{"request", a.RequestID, "method", a.request.Method}, args...)
	a.edge.Logger.ErrorContext(a.request.Context(), a.edge.Name+"."+what, args...)
}

// WriteHeader begins the answer.
func (a *Answer) WriteHeader(status int) {
	a.begun = true
	a.ResponseWriter.WriteHeader(status)
}

// Write writes a part of the body. In answer to a HEAD request it writes nothing and returns len(b).
func (a *Answer) Write(b []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	if a.request.Method == http.MethodHead {
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap returns the writer of the connection, for http.ResponseController.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// SetRetryAfter sets Retry-After for a fault of kind TooManyRequests or Unavailable. It does nothing for other kinds. The
// value is in whole seconds (RFC 9110 §10.2.3), at least 1, and rounded up so that a client does not return too early.
func SetRetryAfter(header http.Header, f *fault.Fault) {
	if f.Kind == fault.TooManyRequests || f.Kind == fault.Unavailable {
		header.Set("Retry-After", strconv.Itoa(max(1, int((f.RetryAfter+time.Second-1)/time.Second))))
	}
}

// PeerAddress returns the address of the client's end of the connection, without the port. It ignores headers, because a
// client can set them to any value.
func PeerAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

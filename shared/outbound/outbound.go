// Package outbound is the HTTP client for strangers' URLs.
//
// A receiver is not trusted: it may point at our own network, redirect there, change its name's addresses
// between two calls, answer for ever, slowly, hugely or not in HTTP at all. So every address is judged when it
// is dialled (guard.go); redirects are answers like any other; proxies are off; nothing is decompressed; and an
// exchange costs at most its timeout and the caps of package limits. Whatever a receiver does is a [Result],
// never an error.
//
// Connections are kept and used again. A kept one leads to the address that was judged when it was made.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
)

const (
	// idleTimeout is judged by the wall clock, so that a process that was frozen meanwhile uses no old connection.
	// It is below the 5 s after which several widespread servers (Node.js, Apache, Uvicorn) close idle
	// connections: a POST that crosses such a close on its way has to be sent twice (repeat.go).
	idleTimeout = 4 * time.Second
	// defaultMaxConns is how many connections are kept when the options name no number.
	defaultMaxConns = 100
)

// Request is one POST.
type Request struct {
	URL string
	// Header is sent as it is, its names in the spelling of the map's keys. Host and Content-Length are added,
	// nothing else; not even a User-Agent.
	Header http.Header
	Body   []byte
	// Timeout bounds the whole exchange, from the look-up of the name to the last byte of the answer; 0 means
	// limits.ExchangeTimeout.
	Timeout time.Duration
}

// Answer is what the receiver sent back.
type Answer struct {
	Status int
	Header http.Header
	// Body is at most limits.AnswerBodyRead bytes, as they came over the wire.
	Body []byte
	// Truncated says that there was more.
	Truncated bool
}

// Result is what became of a POST.
type Result struct {
	// Answer is nil when no complete status line and headers arrived. When a Class other than "status" stands
	// beside an Answer, its body broke off: it is there to be read by people and decides nothing.
	Answer *Answer
	// Class is empty for a complete 2xx, and for one whose body was cut at the cap.
	Class delivery.ErrorClass
	// Message tells a person what went wrong; it names no address, secret or header.
	Message string
	Timing  delivery.Timing
	Started time.Time
	// Aborted says that the exchange failed on our side: the caller's context ended, or the machine had no
	// socket left. It tells nothing about the receiver, which may or may not have got the request; Class and
	// Message are empty, Answer is nil.
	Aborted bool
}

// Options are what a Client is made with; the zero value is the client for production.
type Options struct {
	// Loopback opens the guard for this machine's loopback addresses, and for nothing else.
	Loopback bool
	// MaxConns is how many idle connections are kept, to one receiver or to all together: as many as calls are
	// made at a time. 0 means 100.
	MaxConns int
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
	// RootCAs are trusted to certify receivers; nil means the system's.
	RootCAs *x509.CertPool
	// Now is the time; nil means time.Now.
	Now func() time.Time
}

// Client makes POSTs. It is safe for concurrent use.
type Client struct {
	transport *http.Transport
	now       func() time.Time
}

// New makes a client. It panics when the binary was linked with values that the guard does not know (guard.go):
// that is a mistake in the build and no reason to go on with half a guard.
func New(o Options) *Client {
	rules := linked()
	rules.AllowLoopback = rules.AllowLoopback || o.Loopback
	if o.MaxConns == 0 {
		o.MaxConns = defaultMaxConns
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dialer := &net.Dialer{
		Timeout:  limits.ConnectTimeout, // the name's look-up included
		Resolver: o.Resolver,
		Control:  guard{rules}.control,
	}
	return &Client{now: o.Now, transport: &http.Transport{
		Proxy:                  nil, // a proxy would be the only address that the guard sees
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, ClientSessionCache: tls.NewLRUClientSessionCache(o.MaxConns)},
		TLSHandshakeTimeout:    limits.TLSTimeout,
		DisableCompression:     true, // neither asked for nor undone
		MaxIdleConns:           o.MaxConns,
		MaxIdleConnsPerHost:    o.MaxConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: limits.AnswerHeaderRead, // all 1xx answers and the final headers together
		ForceAttemptHTTP2:      true,
		HTTP2:                  http2,
	}}
}

// http2 keeps a receiver from sending more than we read, where net/http's own windows are 4 MB a stream and 1 GB
// a connection, and finds connections that fell silent: without pings every attempt on one would time out until
// the kernel gives it up after a quarter of an hour.
var http2 = &http.HTTP2Config{
	MaxReadFrameSize:              16 << 10,
	MaxReceiveBufferPerStream:     limits.AnswerBodyRead + 1,
	MaxReceiveBufferPerConnection: 1 << 20,
	SendPingTimeout:               5 * time.Second,
	PingTimeout:                   5 * time.Second,
}

// CloseIdleConnections closes the connections that are kept and not in use.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// Post makes one POST and says what became of it. It returns within r.Timeout, or when ctx ends. A request that the
// receiver cannot have read, or hardly, is sent once more within that time (repeat.go); what became of it then is
// the result. Its timing counts from the first start; the phases of connecting are those of the new connection.
func (c *Client) Post(ctx context.Context, r Request) Result {
	if r.Timeout <= 0 {
		r.Timeout = limits.ExchangeTimeout
	}
	clock := startClock(c.now)
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	answer, err := exchange(limited, c.transport, clock, r)
	if err != nil && answer == nil && limited.Err() == nil && clock.unread(err) {
		clock = clock.again()
		answer, err = c.exchangeAnew(limited, clock, r)
	}
	timing, reached := clock.stop()
	result := Result{Answer: answer, Timing: timing, Started: clock.started}
	switch {
	case err == nil:
		result.Class, result.Message = judge(answer.Status)
	case ctx.Err() != nil || isOurs(err, reached):
		result.Answer, result.Aborted = nil, true
	case limited.Err() != nil:
		result.Class, result.Message = delivery.ErrTimeout, reached.outOfTime(r.Timeout)
	default:
		result.Class, result.Message = classify(err, reached)
	}
	return result
}

// exchange sends the request and reads the answer. It calls the transport directly: http.Client adds redirects
// and cookies, which must not be, and nothing else.
func exchange(ctx context.Context, transport *http.Transport, clock *clock, r Request) (*Answer, error) {
	request, err := newRequest(httptrace.WithClientTrace(ctx, clock.trace()), r)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	// Closing before the end of the body ends the connection (HTTP/1) or the stream (HTTP/2): what an endless
	// body still holds is not drained.
	defer response.Body.Close()
	answer := &Answer{Status: response.StatusCode, Header: response.Header}
	if answer.Status == http.StatusSwitchingProtocols {
		return answer, nil // what follows is no body, but a protocol that nobody asked for
	}
	answer.Body, answer.Truncated, err = readCapped(response.Body)
	return answer, err
}

// readCapped reads up to the cap. An error beyond it does not matter: what is kept is whole.
func readCapped(body io.Reader) (read []byte, truncated bool, err error) {
	read, err = io.ReadAll(io.LimitReader(body, limits.AnswerBodyRead+1))
	if len(read) > limits.AnswerBodyRead {
		return read[:limits.AnswerBodyRead], true, nil
	}
	return read, false, err
}

// errUnsendable is the error for a request that HTTP has no form for.
var errUnsendable = errors.New("outbound: the request cannot be sent over HTTP")

// newRequest makes the request so that net/http itself never sends it twice: it has no way to get the body again.
// That also holds for an empty body, and for the headers Idempotency-Key and X-Idempotency-Key, which net/http
// takes for leave to repeat and which are names like any other to us. What may be repeated is decided in repeat.go.
func newRequest(ctx context.Context, r Request) (*http.Request, error) {
	body := io.NopCloser(bytes.NewReader(r.Body))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, body)
	if err != nil || request.URL.Host == "" || request.URL.Scheme != "https" && request.URL.Scheme != "http" {
		return nil, errUnsendable
	}
	request.Header, request.ContentLength = wireHeader(r.Header), int64(len(r.Body))
	return request, nil
}

// wireHeader gives the headers in the form in which net/http sends them and nothing else: a User-Agent that is
// absent must be present and empty.
func wireHeader(h http.Header) http.Header {
	if _, agent := h["User-Agent"]; agent {
		return h
	}
	wire := make(http.Header, len(h)+1)
	maps.Copy(wire, h)
	wire["User-Agent"] = nil
	return wire
}

// Package outbound is the HTTP client for URLs that strangers choose.
//
// A receiver is not trusted. It may point at our own network, redirect there, or change the addresses of its name
// between two calls. It may answer endlessly, slowly, with huge responses or not in HTTP at all. So every address is
// checked when it is dialled (guard.go), redirects are not followed, proxies are not used, nothing is decompressed, and
// the time and the size of an exchange are limited. Whatever a receiver does is a [Result], never an error.
//
// Connections are kept and used again. A kept connection leads to the address that was checked when it was made.
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
	// idleTimeout is how long an idle connection is kept. It counts on the wall clock, so that a process that was
	// frozen does not use an old connection. It is less than the 5 s after which several common servers (Node.js,
	// Apache, Uvicorn) close idle connections: a POST that is sent just when they do has to be sent twice (repeat.go).
	idleTimeout = 4 * time.Second
	// defaultMaxConns is the number of idle connections that are kept if Options does not say.
	defaultMaxConns = 100
)

// Request is one POST.
type Request struct {
	URL string
	// Header is sent unchanged, with names spelled like the keys of the map. Only Host and Content-Length are added,
	// not even a User-Agent.
	Header http.Header
	Body   []byte
	// Timeout limits the whole exchange, from the lookup of the name to the last byte of the answer. 0 means
	// limits.ExchangeTimeout.
	Timeout time.Duration
}

// Answer is the response of a receiver.
type Answer struct {
	Status int
	Header http.Header
	// Body has the bytes that came over the wire, at most limits.AnswerBodyRead.
	Body []byte
	// Truncated reports whether there were more bytes.
	Truncated bool
}

// Result is the result of a POST.
type Result struct {
	// Answer is nil if the status line and the headers did not arrive completely. If it is not nil and Class is neither
	// empty nor "status", the body is incomplete; such an Answer is for people and decides nothing.
	Answer *Answer
	// Class is empty for a complete 2xx, and for a 2xx whose body was cut at the limit.
	Class delivery.ErrorClass
	// Message says what went wrong, for a person. It never contains an address, a secret or a header.
	Message string
	Timing  delivery.Timing
	Started time.Time
	// Aborted reports whether the exchange failed on our side: the context of the caller ended, or the machine had no
	// socket left. It says nothing about the receiver, which may or may not have got the request. Class and Message are
	// then empty, and Answer is nil.
	Aborted bool
}

// Options configures a Client. The zero value is for production.
type Options struct {
	// Loopback allows the loopback addresses of this machine and no others.
	Loopback bool
	// MaxConns is the largest number of idle connections that are kept, to one receiver and in total. It should be the
	// number of concurrent calls. 0 means 100.
	MaxConns int
	// Resolver looks up names. If it is nil, the resolver of the system is used.
	Resolver *net.Resolver
	// RootCAs are the authorities that may certify receivers. If it is nil, those of the system are used.
	RootCAs *x509.CertPool
	// Now is the clock. If it is nil, time.Now is used.
	Now func() time.Time
}

// Client sends POSTs. It is safe for concurrent use.
type Client struct {
	transport *http.Transport
	now       func() time.Time
}

// New returns a client. It panics if the binary was linked with values that the guard does not know (guard.go), because
// it would otherwise run without a part of the guard.
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
		Timeout:  limits.ConnectTimeout, // this includes the lookup of the name
		Resolver: o.Resolver,
		Control:  guard{rules}.control,
	}
	return &Client{now: o.Now, transport: &http.Transport{
		Proxy:                  nil, // the guard would see only the address of a proxy
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, ClientSessionCache: tls.NewLRUClientSessionCache(o.MaxConns)},
		TLSHandshakeTimeout:    limits.TLSTimeout,
		DisableCompression:     true, // a compressed answer is neither requested nor decompressed
		MaxIdleConns:           o.MaxConns,
		MaxIdleConnsPerHost:    o.MaxConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: limits.AnswerHeaderRead, // of all 1xx answers and the final headers together
		ForceAttemptHTTP2:      true,
		HTTP2:                  http2,
	}}
}

// http2 limits how much a receiver can send before we read it. The windows of net/http would be 4 MB for a stream and 1
// GB for a connection. Pings find connections that stopped responding. Without them, every attempt on such a connection
// would time out until the kernel gives it up after a quarter of an hour.
var http2 = &http.HTTP2Config{
	MaxReadFrameSize:              16 << 10,
	MaxReceiveBufferPerStream:     limits.AnswerBodyRead + 1,
	MaxReceiveBufferPerConnection: 1 << 20,
	SendPingTimeout:               5 * time.Second,
	PingTimeout:                   5 * time.Second,
}

// CloseIdleConnections closes the connections that are kept but not in use.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// Post sends one POST and returns its result. It returns within r.Timeout, or when ctx ends. A request that the
// receiver has very probably not processed is sent once more within that time (repeat.go), and the result is that of
// the second sending. Its timing counts from the first start; the phases of connecting are those of the new connection.
func (c *Client) Post(ctx context.Context, r Request) Result {
	if r.Timeout <= 0 {
		r.Timeout = limits.ExchangeTimeout
	}
	clock := startClock(c.now)
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	answer, err := exchange(limited, c.transport, clock, r)
	if err != nil && answer == nil && limited.Err() == nil && clock.mayRepeat(err) {
		clock = clock.repeat()
		answer, err = c.repeatExchange(limited, clock, r)
	}
	timing, reached := clock.stop()
	result := Result{Answer: answer, Timing: timing, Started: clock.started}
	switch {
	case err == nil:
		result.Class, result.Message = classifyStatus(answer.Status)
	case ctx.Err() != nil || isOutOfSockets(err, reached):
		result.Answer, result.Aborted = nil, true
	case limited.Err() != nil:
		result.Class, result.Message = delivery.ErrTimeout, reached.outOfTime(r.Timeout)
	default:
		result.Class, result.Message = classify(err, reached)
	}
	return result
}

// exchange sends the request and reads the answer. It calls the transport directly, because an http.Client would only
// add redirects and cookies.
func exchange(ctx context.Context, transport *http.Transport, clock *clock, r Request) (*Answer, error) {
	request, err := newRequest(httptrace.WithClientTrace(ctx, clock.trace()), r)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	// Closing the body before its end closes the connection (HTTP/1) or the stream (HTTP/2), so the rest of an endless
	// body is not read.
	defer response.Body.Close()
	answer := &Answer{Status: response.StatusCode, Header: response.Header}
	if answer.Status == http.StatusSwitchingProtocols {
		return answer, nil // what follows is not a body but another protocol
	}
	answer.Body, answer.Truncated, err = readCapped(response.Body)
	return answer, err
}

// readCapped reads at most limits.AnswerBodyRead bytes. It ignores an error after them, because the bytes that it
// returns are complete.
func readCapped(body io.Reader) (read []byte, truncated bool, err error) {
	read, err = io.ReadAll(io.LimitReader(body, limits.AnswerBodyRead+1))
	if len(read) > limits.AnswerBodyRead {
		return read[:limits.AnswerBodyRead], true, nil
	}
	return read, false, err
}

// errUnsendable is the error for a request that cannot be sent over HTTP.
var errUnsendable = errors.New("outbound: the request cannot be sent over HTTP")

// newRequest returns the request. net/http itself never sends it twice, because it cannot get the body again. This
// holds for an empty body too, and for the headers Idempotency-Key and X-Idempotency-Key, which allow net/http to
// repeat a request but mean nothing to us. repeat.go decides what is repeated.
func newRequest(ctx context.Context, r Request) (*http.Request, error) {
	body := io.NopCloser(bytes.NewReader(r.Body))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, body)
	if err != nil || request.URL.Host == "" || request.URL.Scheme != "https" && request.URL.Scheme != "http" {
		return nil, errUnsendable
	}
	request.Header, request.ContentLength = wireHeader(r.Header), int64(len(r.Body))
	return request, nil
}

// wireHeader returns the headers so that net/http adds none: a missing User-Agent must be present and nil.
func wireHeader(h http.Header) http.Header {
	if _, agent := h["User-Agent"]; agent {
		return h
	}
	wire := make(http.Header, len(h)+1)
	maps.Copy(wire, h)
	wire["User-Agent"] = nil
	return wire
}

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
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"nepenthes/shared/limits"
	"nepenthes/shared/webhook"
)

const (
	// idleTimeout is judged by the wall clock, so that a process that was frozen meanwhile uses no old connection.
	// It is below the 5 s after which several widespread servers (Node.js, Apache, Uvicorn) close idle
	// connections: a POST that crosses such a close on its way fails and cannot be repeated safely.
	idleTimeout = 4 * time.Second
	// defaultMaxConns is how many connections are kept when the options name no number.
	defaultMaxConns = 100
	// maxReplays bounds how often net/http may send one request again, see wireHeader.
	maxReplays = 2
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
	Class webhook.ErrorClass
	// Message tells a person what went wrong; it names no address, secret or header.
	Message string
	Timing  webhook.Timing
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

// Post makes one POST and says what became of it. It returns within r.Timeout, or when ctx ends. The request is
// sent at most once as far as the receiver can have taken it up; see wireHeader.
func (c *Client) Post(ctx context.Context, r Request) Result {
	if r.Timeout <= 0 {
		r.Timeout = limits.ExchangeTimeout
	}
	clock := startClock(c.now)
	limited, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, clock.trace()), r.Timeout)
	defer cancel()
	answer, err := c.exchange(limited, r)
	timing, reached := clock.stop()
	result := Result{Answer: answer, Timing: timing, Started: clock.started}
	switch {
	case err == nil:
		result.Class, result.Message = judge(answer.Status)
	case ctx.Err() != nil || isOurs(err, reached):
		result.Answer, result.Aborted = nil, true
	case limited.Err() != nil:
		result.Class, result.Message = webhook.ErrTimeout, reached.outOfTime(r.Timeout)
	default:
		result.Class, result.Message = classify(err, reached)
	}
	return result
}

// exchange sends the request and reads the answer. It calls the transport directly: http.Client adds redirects
// and cookies, which must not be, and nothing else.
func (c *Client) exchange(ctx context.Context, r Request) (*Answer, error) {
	request, err := newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	response, err := c.transport.RoundTrip(request)
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

func newRequest(ctx context.Context, r Request) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil || request.URL.Host == "" || request.URL.Scheme != "https" && request.URL.Scheme != "http" {
		return nil, errUnsendable
	}
	request.Header = wireHeader(r.Header)
	replays, body := 0, request.GetBody
	request.GetBody = func() (io.ReadCloser, error) {
		if replays++; replays > maxReplays {
			return nil, io.ErrUnexpectedEOF // connection after connection died: a reset
		}
		return body()
	}
	return request, nil
}

// wireHeader gives the headers in the form in which net/http sends them and nothing else: a User-Agent that is
// absent must be present and empty.
//
// And it keeps net/http from sending a request twice that a receiver may have taken up. A request on a kept
// connection that turns out to be closed is sent again only when nothing of it was written, or when an HTTP/2
// peer itself says that it did not look at it. But net/http takes either of two headers, which are names like
// any other to us, for leave to repeat more; it does not find them in lower case.
func wireHeader(h http.Header) http.Header {
	_, agent := h["User-Agent"]
	_, key := h["Idempotency-Key"]
	_, xKey := h["X-Idempotency-Key"]
	if agent && !key && !xKey {
		return h
	}
	wire := make(http.Header, len(h)+1)
	wire["User-Agent"] = nil
	for name, values := range h {
		if name == "Idempotency-Key" || name == "X-Idempotency-Key" {
			name = strings.ToLower(name)
		}
		wire[name] = values
	}
	return wire
}

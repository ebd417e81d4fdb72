package outbound

import (
	"context"
	"errors"
	"net"
	"strings"
)

// repeatExchange makes an exchange over a new connection, which it closes afterwards. It uses a copy of the transport,
// which has no kept connections but the same dialer with its guard and the same TLS sessions. A header could ask for a
// new connection too, but the receiver would see the header.
func (c *Client) repeatExchange(ctx context.Context, clock *clock, r Request) (*Answer, error) {
	transport := c.transport.Clone()
	defer transport.CloseIdleConnections()
	return exchange(ctx, transport, clock, r)
}

// mayRepeat reports whether an exchange that failed with err may be repeated at once, because the receiver has very
// probably not processed the request. Either a kept connection was lost before the first byte of an answer, as happens
// when the receiver closes the connection while the request is sent, or an HTTP/2 receiver says that it did not process
// the request (RFC 9113 §8.7). Any other failure is an answer, or comes from a receiver that was reachable a moment
// ago.
func (c *clock) mayRepeat(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reached == waiting && (isRefusedStream(err) || c.kept && isLost(err))
}

// Prefixes of HTTP/2 errors of net/http that have no type of their own; a test provokes each of them.
const (
	// retryable encloses an error after which net/http itself would send the request again.
	retryable = "http2: Transport: cannot retry err ["
	// goAwayAbove is for the first stream of a connection if it is above the last stream of a GOAWAY with an error.
	goAwayAbove = "http2: Transport received GOAWAY from server ErrCode:"
	// goAwayWithin is for streams that are not above the last stream of a GOAWAY.
	goAwayWithin = "http2: server sent GOAWAY and closed the connection"
	// pingUnanswered is for a ping without a response.
	pingUnanswered = "http2: client connection lost"
	// closedIdle is an HTTP/1 error: the connection ended before the first byte of an answer.
	closedIdle = "http: server closed idle connection"
)

// isRefusedStream reports whether an HTTP/2 stream was refused or is above the last stream of a GOAWAY. net/http would
// also repeat after a protocol error, but that does not mean that the receiver did not process the request.
func isRefusedStream(err error) bool {
	inner, repeats := strings.CutPrefix(err.Error(), retryable)
	return repeats && !strings.Contains(inner, "PROTOCOL_ERROR") || strings.HasPrefix(err.Error(), goAwayAbove)
}

// isLost reports whether the connection ended in any way, rather than only the exchange on it.
func isLost(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network || isEnd(err) || err.Error() == closedIdle ||
		strings.HasPrefix(err.Error(), goAwayWithin) || strings.HasPrefix(err.Error(), pingUnanswered)
}

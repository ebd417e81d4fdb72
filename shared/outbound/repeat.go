package outbound

import (
	"context"
	"errors"
	"net"
	"strings"
)

// exchangeAnew makes an exchange over a new connection. A transport of its own has no other; the dialer with its
// guard and the TLS sessions are those of the client. A header could ask for a new connection too, but the receiver
// would see it. The connection is closed afterwards.
func (c *Client) exchangeAnew(ctx context.Context, clock *clock, r Request) (*Answer, error) {
	transport := c.transport.Clone()
	defer transport.CloseIdleConnections()
	return exchange(ctx, transport, clock, r)
}

// unread reports whether an exchange that failed with err may be made once more at once: the receiver did not read
// the request, or hardly. A kept connection was lost before any byte of an answer, which is what becomes of a
// request that crosses the closing of its connection; or an HTTP/2 receiver says that it did not look at it
// (RFC 9113 §8.7). Anything else is an answer of a kind, or told by a receiver that was there a moment ago.
func (c *clock) unread(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reached == waiting && (isRefusedStream(err) || c.kept && isLost(err))
}

// The beginnings of errors of net/http's HTTP/2 that have no type of their own; a test provokes each of them.
const (
	// wouldRepeat encloses the error after which net/http itself would send the request again.
	wouldRepeat = "http2: Transport: cannot retry err ["
	// goneFirst is said of the first stream on a connection that lies above the last one of a GOAWAY with an error.
	goneFirst = "http2: Transport received GOAWAY from server ErrCode:"
	// goneAndClosed is said of streams that do not lie above it.
	goneAndClosed = "http2: server sent GOAWAY and closed the connection"
	// silent is said when a ping was not answered.
	silent = "http2: client connection lost"
	// closedIdle is HTTP/1's: the connection ended before any byte of an answer.
	closedIdle = "http: server closed idle connection"
)

// isRefusedStream reports whether an HTTP/2 stream was refused or lies above the last stream of a GOAWAY. net/http
// would also repeat what a receiver calls a breach of the protocol, which does not say that it was not looked at.
func isRefusedStream(err error) bool {
	inner, repeats := strings.CutPrefix(err.Error(), wouldRepeat)
	return repeats && !strings.Contains(inner, "PROTOCOL_ERROR") || strings.HasPrefix(err.Error(), goneFirst)
}

// isLost reports whether the connection ended, in whichever way, rather than the exchange on it.
func isLost(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network || isEnd(err) || err.Error() == closedIdle ||
		strings.HasPrefix(err.Error(), goneAndClosed) || strings.HasPrefix(err.Error(), silent)
}

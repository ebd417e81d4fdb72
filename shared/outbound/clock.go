package outbound

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"nepenthes/shared/delivery"
)

// phase is how far an exchange got.
type phase int

// The phases, in their order.
const (
	unsent phase = iota
	resolving
	connecting
	securing // the TLS handshake
	waiting  // connected; for the first byte of the answer
	reading
)

// clock measures one exchange. net/http calls its hooks from several goroutines, and goes on dialling for others
// after an exchange that did not wait for the connection; those late calls must change nothing.
type clock struct {
	now     func() time.Time
	started time.Time

	mu      sync.Mutex
	stopped bool
	reached phase
	began   time.Time // of the phase reached
	timing  delivery.Timing
	kept    bool // the connection was made in another exchange
}

func startClock(now func() time.Time) *clock {
	return &clock{now: now, started: now(), timing: nothingHappened()}
}

// again ends c and gives the clock for the same request being sent once more. Hooks of the first sending that are
// called late reach c and change nothing.
func (c *clock) again() *clock {
	c.stop()
	return &clock{now: c.now, started: c.started, timing: nothingHappened()}
}

func nothingHappened() delivery.Timing {
	return delivery.Timing{DNS: delivery.NoPhase, Connect: delivery.NoPhase, TLS: delivery.NoPhase, FirstByte: delivery.NoPhase}
}

// trace is what net/http calls.
func (c *clock) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:              func(string) { c.restart() },
		DNSStart:             func(httptrace.DNSStartInfo) { c.enter(resolving) },
		DNSDone:              func(httptrace.DNSDoneInfo) { c.leave(resolving) },
		ConnectStart:         func(_, _ string) { c.enter(connecting) },
		ConnectDone:          func(_, _ string, _ error) { c.leave(connecting) },
		TLSHandshakeStart:    func() { c.enter(securing) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { c.leave(securing) },
		GotConn:              c.connected,
		GotFirstResponseByte: c.answered,
	}
}

// restart begins again: net/http looks for a connection, for the first time or because the last one was dead.
func (c *clock) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.reached, c.timing, c.kept = unsent, nothingHappened(), false
	}
}

// enter begins a phase of the making of a connection. A second address being dialled belongs to the first's.
func (c *clock) enter(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && c.reached < p {
		c.reached, c.began = p, c.now()
	}
}

// leave ends a phase that has not been left behind.
func (c *clock) leave(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && c.reached == p {
		*c.took(p) = c.now().Sub(c.began)
	}
}

// took is where the duration of a phase is kept.
func (c *clock) took(p phase) *time.Duration {
	switch p {
	case resolving:
		return &c.timing.DNS
	case connecting:
		return &c.timing.Connect
	default:
		return &c.timing.TLS
	}
}

// connected ends the making of a connection. A kept one was made in another exchange, whatever was begun in this.
func (c *clock) connected(info httptrace.GotConnInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.reached, c.kept = waiting, info.Reused
	if info.Reused {
		c.timing = nothingHappened()
	}
}

func (c *clock) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && c.reached == waiting {
		c.reached, c.timing.FirstByte = reading, c.now().Sub(c.started)
	}
}

// stop ends the exchange and gives its timing: FirstByte and Total count from its start, the other phases from
// their own. A phase that was not over lasted until now.
func (c *clock) stop() (delivery.Timing, phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	now := c.now()
	c.timing.Total = now.Sub(c.started)
	if c.reached >= resolving && c.reached <= securing {
		if took := c.took(c.reached); *took == delivery.NoPhase {
			*took = now.Sub(c.began)
		}
	}
	return c.timing, c.reached
}

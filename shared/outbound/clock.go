package outbound

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"nepenthes/shared/delivery"
)

// phase says how far an exchange got.
type phase int

// The phases, in order.
const (
	unsent phase = iota
	resolving
	connecting
	securing // the TLS handshake
	waiting  // connected and waiting for the first byte of the answer
	reading
)

// clock measures one exchange. net/http calls its hooks from several goroutines. It may continue to dial for other
// requests after an exchange that got another connection; those late calls must change nothing.
type clock struct {
	now     func() time.Time
	started time.Time

	mu      sync.Mutex
	stopped bool
	reached phase
	began   time.Time // when the phase reached began
	timing  delivery.Timing
	kept    bool // whether the connection was made in another exchange
}

// startClock returns the clock of an exchange that starts now.
func startClock(now func() time.Time) *clock {
	return &clock{now: now, started: now(), timing: noPhases()}
}

// repeat stops c and returns the clock for the second sending of the same request. Late calls of hooks of the first
// sending reach c and change nothing.
func (c *clock) repeat() *clock {
	c.stop()
	return &clock{now: c.now, started: c.started, timing: noPhases()}
}

// noPhases returns the timing of an exchange without any phases.
func noPhases() delivery.Timing {
	return delivery.Timing{DNS: delivery.NoPhase, Connect: delivery.NoPhase, TLS: delivery.NoPhase, FirstByte: delivery.NoPhase}
}

// trace returns the hooks that net/http calls.
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

// restart discards the phases: net/http looks for a connection, either for the first time or because the last one was
// dead.
func (c *clock) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.reached, c.timing, c.kept = unsent, noPhases(), false
	}
}

// enter begins a phase of connecting. Dialling a second address belongs to the phase of the first.
func (c *clock) enter(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && c.reached < p {
		c.reached, c.began = p, c.now()
	}
}

// leave ends a phase if it is still the current one.
func (c *clock) leave(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && c.reached == p {
		*c.duration(p) = c.now().Sub(c.began)
	}
}

// duration returns where the duration of a phase is kept.
func (c *clock) duration(p phase) *time.Duration {
	switch p {
	case resolving:
		return &c.timing.DNS
	case connecting:
		return &c.timing.Connect
	default:
		return &c.timing.TLS
	}
}

// connected ends connecting. A kept connection was made in another exchange, so this exchange has no phases of
// connecting, even if it began to dial.
func (c *clock) connected(info httptrace.GotConnInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	c.reached, c.kept = waiting, info.Reused
	if info.Reused {
		c.timing = noPhases()
	}
}

func (c *clock) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped && c.reached == waiting {
		c.reached, c.timing.FirstByte = reading, c.now().Sub(c.started)
	}
}

// stop ends the exchange and returns its timing and the phase that it reached. FirstByte and Total count from the start
// of the exchange, and each other phase from its own start. A phase that had not ended lasted until now.
func (c *clock) stop() (delivery.Timing, phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	now := c.now()
	c.timing.Total = now.Sub(c.started)
	if c.reached >= resolving && c.reached <= securing {
		if d := c.duration(c.reached); *d == delivery.NoPhase {
			*d = now.Sub(c.began)
		}
	}
	return c.timing, c.reached
}

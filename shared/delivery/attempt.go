package delivery

import (
	"net/http"
	"time"

	"nepenthes/shared/webhook"
)

// Trigger says why an attempt is made.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule"
	TriggerManual   Trigger = "manual"
	TriggerReplay   Trigger = "replay"
	TriggerPing     Trigger = "ping"
)

// Outcome is what became of an attempt.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered Outcome = "delivered"
	OutcomeFailed    Outcome = "failed"
)

// ErrorClass says how an attempt failed; package outbound finds it. Empty: it did not.
type ErrorClass string

// The classes (closed list of contract-delivery).
const (
	ErrDNS              ErrorClass = "dns"
	ErrBlocked          ErrorClass = "blocked"
	ErrConnect          ErrorClass = "connect"
	ErrTLS              ErrorClass = "tls"
	ErrTimeout          ErrorClass = "timeout"
	ErrReset            ErrorClass = "reset"
	ErrProtocol         ErrorClass = "protocol"
	ErrResponseTooLarge ErrorClass = "response_too_large"
	ErrStatus           ErrorClass = "status"
)

// Attempt is one POST as it is kept: enough to render its request again byte for byte, and what came back.
type Attempt struct {
	ID        string
	Number    int // 1 is the first
	Trigger   Trigger
	Outcome   Outcome
	StartedAt time.Time
	URL       string
	// Format, Signed, Legacy and HeaderNames are what the webhook said then: the request is rendered from
	// them, not from what it says now.
	Format       webhook.Format
	Signed       bool     // there was a live secret
	Legacy       bool     // the legacy signature was sent too
	HeaderNames  []string // custom headers, as they were spelt
	Timing       Timing
	Response     *Response // nil: none came
	ErrorClass   ErrorClass
	ErrorMessage string
}

// Timing is how long each phase took; NoPhase for a phase that did not happen, such as DNS on a reused connection.
type Timing struct{ DNS, Connect, TLS, FirstByte, Total time.Duration }

// NoPhase marks a phase that did not happen.
const NoPhase time.Duration = -1

// Response is what is kept of an answer: 4 KiB of its headers and of its body each.
type Response struct {
	Status    int
	Headers   http.Header
	Body      []byte
	Truncated bool
}

// Summary is what a list tells about the last attempt.
type Summary struct {
	Number     int
	Outcome    Outcome
	StartedAt  time.Time
	Total      time.Duration
	Status     int // 0: no answer
	ErrorClass ErrorClass
}

// Summary sums the attempt up.
func (a *Attempt) Summary() Summary {
	s := Summary{Number: a.Number, Outcome: a.Outcome, StartedAt: a.StartedAt, Total: a.Timing.Total, ErrorClass: a.ErrorClass}
	if a.Response != nil {
		s.Status = a.Response.Status
	}
	return s
}

// Answered is the status that the receiver's whole answer had; 0 when none came, or its body broke off, which
// decides nothing.
func (a *Attempt) Answered() int {
	if a.Response == nil || a.ErrorClass != "" && a.ErrorClass != ErrStatus {
		return 0
	}
	return a.Response.Status
}

// Gone reports whether the receiver said never again.
func (a *Attempt) Gone() bool { return a.Answered() == http.StatusGone }

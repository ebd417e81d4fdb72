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

// Outcome is the outcome of an attempt.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered Outcome = "delivered"
	OutcomeFailed    Outcome = "failed"
)

// ErrorClass says how an attempt failed. Package outbound determines it. It is empty if the attempt did not fail.
type ErrorClass string

// The error classes. The list is closed.
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

// Attempt is one POST as it is stored: what is needed to render the request again byte for byte, and the answer.
type Attempt struct {
	ID        string
	Number    int // 1 is the first
	Trigger   Trigger
	Outcome   Outcome
	StartedAt time.Time
	URL       string
	// Format, Signed, Legacy and HeaderNames are the webhook's at the time of the attempt. The request is rendered
	// from them, because the webhook may have changed since.
	Format       webhook.Format
	Signed       bool     // whether the webhook had a live secret
	Legacy       bool     // whether the legacy signature was sent
	HeaderNames  []string // of the custom headers, in their original spelling
	Timing       Timing
	Response     *Response // nil if there was no answer
	ErrorClass   ErrorClass
	ErrorMessage string
}

// Timing is the duration of each phase. It is NoPhase for a phase that did not happen, such as DNS on a reused
// connection.
type Timing struct{ DNS, Connect, TLS, FirstByte, Total time.Duration }

// NoPhase marks a phase that did not happen.
const NoPhase time.Duration = -1

// Response is the stored part of an answer: up to 4 KiB of its headers and up to 4 KiB of its body.
type Response struct {
	Status    int
	Headers   http.Header
	Body      []byte
	Truncated bool
}

// Summary is what a list shows of the last attempt.
type Summary struct {
	Number     int
	Outcome    Outcome
	StartedAt  time.Time
	Total      time.Duration
	Status     int // 0 if there was no answer
	ErrorClass ErrorClass
}

// Summary returns the summary of the attempt.
func (a *Attempt) Summary() Summary {
	s := Summary{Number: a.Number, Outcome: a.Outcome, StartedAt: a.StartedAt, Total: a.Timing.Total, ErrorClass: a.ErrorClass}
	if a.Response != nil {
		s.Status = a.Response.Status
	}
	return s
}

// Answered returns the status of a complete answer. It returns 0 if there was no answer or if the body broke off: an
// incomplete answer decides nothing.
func (a *Attempt) Answered() int {
	if a.Response == nil || a.ErrorClass != "" && a.ErrorClass != ErrStatus {
		return 0
	}
	return a.Response.Status
}

// Gone reports whether the receiver answered 410 Gone, which means never again.
func (a *Attempt) Gone() bool { return a.Answered() == http.StatusGone }

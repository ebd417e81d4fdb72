package delivery

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"nepenthes/shared/webhook"
)

// Trigger is the reason why an attempt is made.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule"
	TriggerManual   Trigger = "manual"
	TriggerPing     Trigger = "ping"
)

// Outcome is the outcome of an attempt.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered Outcome = "delivered"
	OutcomeFailed    Outcome = "failed"
)

// ErrorClass is the way in which an attempt failed, as package outbound determines it. It is empty if the attempt
// succeeded.
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

// Attempt is a recorded POST to a receiver: the answer, and what is needed to render the request again byte for byte.
type Attempt struct {
	ID        string
	Number    int // 1 is the first
	Trigger   Trigger
	Outcome   Outcome
	StartedAt time.Time
	URL       string
	// Format, Signed, Legacy and HeaderNames describe the request. They are stored because the webhook may have changed
	// since the attempt.
	Format       webhook.Format
	Signed       bool     // whether the request had a signature
	Legacy       bool     // whether the request had the legacy signature
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

// Text returns the body as text. If the body was truncated inside a character, Text leaves out that character. isText
// is false if the body is not UTF-8.
func (r *Response) Text() (text string, isText bool) {
	body := r.Body
	if r.Truncated {
		body = wholeCharacters(body)
	}
	return string(body), utf8.Valid(body)
}

// wholeCharacters returns body without an incomplete character at its end.
func wholeCharacters(body []byte) []byte {
	for cut := 1; cut < utf8.UTFMax && cut <= len(body); cut++ {
		if last := body[len(body)-cut:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return body[:len(body)-cut]
			}
			break
		}
	}
	return body
}

// Joined returns headers in a form that can be shown. It joins the values of headers with the same name (RFC 9110 §5.3)
// and replaces bytes that are not UTF-8.
func Joined(headers http.Header) map[string]string {
	all := make(map[string]string, len(headers))
	for name, values := range headers {
		all[name] = strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
	}
	return all
}

// Summary is the part of the newest attempt that lists show.
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

// Answered returns the status of a complete answer. It returns 0 if there was no answer or if the answer is incomplete,
// because the status of an incomplete answer does not count.
func (a *Attempt) Answered() int {
	if a.Response == nil || a.ErrorClass != "" && a.ErrorClass != ErrStatus {
		return 0
	}
	return a.Response.Status
}

// Gone reports whether the receiver answered 410 Gone, which asks for no further requests.
func (a *Attempt) Gone() bool { return a.Answered() == http.StatusGone }

package hal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/instant"
	"nepenthes/shared/payload"
)

// Delivery is one event for one webhook.
type Delivery struct {
	Type          string        `json:"_type" enum:"Delivery" doc:"Always Delivery." example:"Delivery"`
	ID            string        `json:"id" doc:"The id. Receivers get it as webhook-id." example:"dlv_AZOFyQZ0aU6_Cdna5QAVtgGThckGdA8cmT7m1aJzXy9kzg"`
	State         string        `json:"state" enum:"pending,retrying,held,delivered,dead,skipped" doc:"The state of the delivery." example:"retrying"`
	Reason        *string       `json:"reason" enum:"exhausted,gone,expired,dropped,disabled,deleted,unsubscribed,paused" doc:"Why the delivery is held, dead or skipped, or null." example:"exhausted"`
	EventID       string        `json:"eventId" doc:"The event's id, which its producer chose." example:"evt_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	EventType     string        `json:"eventType" doc:"The event's type." example:"work_package:updated"`
	WebhookID     string        `json:"webhookId" doc:"The webhook's id." example:"wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	AttemptCount  int           `json:"attemptCount" minimum:"0" doc:"The number of attempts that were made." example:"2"`
	LastAttempt   *LastAttempt  `json:"lastAttempt" doc:"A summary of the last attempt, or null before the first attempt."`
	CreatedAt     instant.Time  `json:"createdAt" doc:"When the event was received." example:"2026-01-02T11:00:00.000Z"`
	NextAttemptAt *instant.Time `json:"nextAttemptAt" nullable:"true" doc:"When the next attempt is due, or null." example:"2026-01-02T11:05:00.000Z"`
	FinishedAt    *instant.Time `json:"finishedAt" nullable:"true" doc:"When the delivery reached its final state, or null." example:"2026-01-02T11:00:01.000Z"`
	Embedded      *Attempts     `json:"_embedded,omitempty" doc:"The attempts of the delivery. Lists do not have them."`
	Links         DeliveryLinks `json:"_links"`
}

// LastAttempt is a summary of the last attempt.
type LastAttempt struct {
	Number     int          `json:"number" minimum:"1" doc:"The number of the attempt. The first attempt has number 1." example:"2"`
	Outcome    string       `json:"outcome" enum:"delivered,failed" doc:"The outcome." example:"failed"`
	StartedAt  instant.Time `json:"startedAt" doc:"When the attempt began." example:"2026-01-02T11:00:00.000Z"`
	TotalMs    float64      `json:"totalMs" doc:"How long the attempt took, in milliseconds." example:"48.2"`
	Status     *int         `json:"status" doc:"The status of the receiver's response, or null if there was no response." example:"503"`
	ErrorClass *string      `json:"errorClass" enum:"dns,blocked,connect,tls,timeout,reset,protocol,response_too_large,status" doc:"How the attempt failed, or null." example:"status"`
}

// Attempts holds the attempts of a delivery.
type Attempts struct {
	Attempts []*Attempt `json:"attempts" nullable:"false" doc:"The attempts, oldest first. The newest 50 are kept."`
}

// DeliveryLinks lead from a delivery.
type DeliveryLinks struct {
	Self    Link `json:"self" doc:"This delivery."`
	Webhook Link `json:"webhook" doc:"The webhook, which may have been deleted."`
	Event   Link `json:"event" doc:"The event."`
	Retries Link `json:"retries" doc:"Request an extra attempt."`
}

// FromDelivery represents a delivery without its attempts.
func FromDelivery(p Paths, d *delivery.Delivery) *Delivery {
	id := d.ID()
	return &Delivery{
		Type: "Delivery", ID: id, State: string(d.State), Reason: text(d.Reason),
		EventID: d.EventID, EventType: d.EventType, WebhookID: d.Webhook,
		AttemptCount: d.AttemptCount, LastAttempt: lastAttempt(d.Last),
		CreatedAt: instant.Of(d.CreatedAt), NextAttemptAt: moment(d.NextAttemptAt), FinishedAt: moment(d.FinishedAt),
		Links: DeliveryLinks{
			Self:    Link{Href: p.To("deliveries", id)},
			Webhook: Link{Href: p.To("webhooks", d.Webhook)},
			Event:   Link{Href: eventHref(p, d.EventSource, d.EventID)},
			Retries: Link{Href: p.To("deliveries", id, "retries"), Method: "post"},
		},
	}
}

// Location returns the path of the delivery.
func (d *Delivery) Location() string { return d.Links.Self.Href }

// lastAttempt represents the summary of an attempt. It is part of the delivery, so that lists need not read attempts.
func lastAttempt(s *delivery.Summary) *LastAttempt {
	if s == nil {
		return nil
	}
	last := &LastAttempt{
		Number: s.Number, Outcome: string(s.Outcome), StartedAt: instant.Of(s.StartedAt),
		TotalMs: milliseconds(s.Total), ErrorClass: text(s.ErrorClass),
	}
	if s.Status != 0 {
		last.Status = &s.Status
	}
	return last
}

// Attempt is one POST request with its response.
type Attempt struct {
	Type      string        `json:"_type" enum:"Attempt" doc:"Always Attempt." example:"Attempt"`
	ID        string        `json:"id" doc:"The id." example:"att_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Number    int           `json:"number" minimum:"1" doc:"The number of the attempt. The first attempt has number 1." example:"2"`
	Trigger   string        `json:"trigger" enum:"schedule,manual,ping" doc:"Why the attempt was made." example:"schedule"`
	Outcome   string        `json:"outcome" enum:"delivered,failed" doc:"The outcome." example:"failed"`
	StartedAt instant.Time  `json:"startedAt" doc:"When the attempt began." example:"2026-01-02T11:00:00.000Z"`
	URL       string        `json:"url" doc:"The URL that the request was sent to." example:"https://billing.example.com/hooks"`
	Timing    Timing        `json:"timing" doc:"How long each phase took, in milliseconds. Null means that the phase did not happen."`
	Request   Request       `json:"request" doc:"The request that was sent, byte for byte. Signatures and the values of custom headers are ***."`
	Response  *Response     `json:"response" doc:"The response of the receiver, or null."`
	Error     *AttemptError `json:"error" doc:"How the attempt failed, or null."`
}

// Timing holds the durations of the phases of an attempt.
type Timing struct {
	DNS       *float64 `json:"dnsMs" doc:"The lookup of the host name." example:"4.1"`
	Connect   *float64 `json:"connectMs" doc:"The connection." example:"11.7"`
	TLS       *float64 `json:"tlsMs" doc:"The TLS handshake." example:"17.3"`
	FirstByte *float64 `json:"firstByteMs" doc:"From the request to the first byte of the response." example:"14.9"`
	Total     *float64 `json:"totalMs" doc:"The whole attempt." example:"48.2"`
}

// Request is the request that was sent.
type Request struct {
	Headers   map[string]string `json:"headers" doc:"The headers." example:"{\"Content-Type\":\"application/json\",\"webhook-signature\":\"***\"}"`
	Body      *string           `json:"body" doc:"The body. It is null if the caller does not hold events:read, if the event has expired, or if truncated is true." example:"{\"action\":\"work_package:updated\",\"work_package\":{}}"`
	Truncated bool              `json:"truncated,omitempty" doc:"True if the body was left out because the answer would be too large. Read the attempt to get its body." example:"true"`
}

// Response is the response of the receiver. 4 KiB of its headers and 4 KiB of its body are kept.
type Response struct {
	Status       int               `json:"status" doc:"The status." example:"503"`
	Headers      map[string]string `json:"headers" doc:"The headers. The values of headers with the same name are joined by commas." example:"{\"Retry-After\":\"30\"}"`
	Body         string            `json:"body" doc:"The beginning of the body." example:"busy"`
	BodyEncoding string            `json:"bodyEncoding" enum:"utf-8,base64" doc:"The encoding of the body." example:"utf-8"`
	Truncated    bool              `json:"truncated" doc:"Whether the body was longer." example:"false"`
}

// AttemptError describes the failure of an attempt.
type AttemptError struct {
	Class   string `json:"class" enum:"dns,blocked,connect,tls,timeout,reset,protocol,response_too_large,status" doc:"The class of the failure." example:"status"`
	Message string `json:"message" doc:"The failure in a sentence." example:"The receiver answered 503."`
}

// FromAttempt represents an attempt with its request.
func FromAttempt(r *payload.Request) *Attempt {
	a := r.Attempt
	shown := &Attempt{
		Type: "Attempt", ID: a.ID, Number: a.Number, Trigger: string(a.Trigger), Outcome: string(a.Outcome),
		StartedAt: instant.Of(a.StartedAt), URL: a.URL, Timing: timing(a.Timing),
		Request: Request{Headers: r.Headers, Body: r.Body}, Response: response(a.Response),
	}
	if a.ErrorClass != "" {
		shown.Error = &AttemptError{Class: string(a.ErrorClass), Message: a.ErrorMessage}
	}
	return shown
}

// FromAttempts represents all attempts of a delivery.
func FromAttempts(requests []payload.Request) *Attempts {
	shown := &Attempts{Attempts: make([]*Attempt, len(requests))}
	for i := range requests {
		shown.Attempts[i] = FromAttempt(&requests[i])
	}
	return shown
}

// timing represents the phases of an attempt.
func timing(t delivery.Timing) Timing {
	return Timing{DNS: phase(t.DNS), Connect: phase(t.Connect), TLS: phase(t.TLS), FirstByte: phase(t.FirstByte), Total: phase(t.Total)}
}

// phase returns the milliseconds of a phase, or nil if the phase did not happen.
func phase(d time.Duration) *float64 {
	if d == delivery.NoPhase {
		return nil
	}
	ms := milliseconds(d)
	return &ms
}

// response represents a response. A body that is not UTF-8 is written as Base64.
func response(r *delivery.Response) *Response {
	if r == nil {
		return nil
	}
	body, isText := r.Text()
	shown := &Response{Status: r.Status, Headers: delivery.Joined(r.Headers), Body: body, BodyEncoding: "utf-8", Truncated: r.Truncated}
	if !isText {
		shown.Body, shown.BodyEncoding = base64.StdEncoding.EncodeToString(r.Body), "base64"
	}
	return shown
}

// Shortened is a representation that leaves parts out if it would be too large.
type Shortened interface{ Fit(limit int) error }

// Fit leaves out the bodies of older requests until the representation has at most limit bytes as JSON. Newer attempts are
// more useful, so if a body does not fit, the bodies of all older attempts are left out too. Fit changes nothing if the
// representation has no attempts.
func (d *Delivery) Fit(limit int) error {
	if d.Embedded == nil {
		return nil
	}
	attempts := d.Embedded.Attempts
	bodies := make([]*string, len(attempts))
	for i, a := range attempts {
		bodies[i], a.Request.Body = a.Request.Body, nil
	}
	bare, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("measure delivery %s: %w", d.ID, err)
	}
	room, sizes := limit-len(bare), map[*string]int{}
	for i := len(attempts) - 1; i >= 0; i-- {
		if bodies[i] == nil {
			continue
		}
		if sizes[bodies[i]] == 0 {
			sizes[bodies[i]] = textSize(*bodies[i])
		}
		if room -= sizes[bodies[i]]; room < 0 {
			attempts[i].Request.Truncated = true
			room -= truncatedSize
			continue
		}
		attempts[i].Request.Body = bodies[i]
	}
	return nil
}

// truncatedSize is the size of the member truncated, which every attempt may get.
const truncatedSize = len(`,"truncated":true`)

// textSize returns the largest size of a text as JSON. Package json writes control characters and a few others in six
// bytes.
func textSize(s string) int {
	size := len(s)
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t':
			size++
		case r < ' ' || r == '<' || r == '>' || r == '&':
			size += 5
		case r == '\u2028' || r == '\u2029':
			size += 3
		}
	}
	return size
}

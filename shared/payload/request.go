package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"nepenthes/shared/delivery"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// Version is the version in the User-Agent header.
const Version = "1.0"

// Names of headers in the spelling in which they are sent. It differs from the canonical form of http.Header, and
// existing receivers expect exactly X-OP-Signature.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
	HeaderLegacy    = "X-OP-Signature"
)

// Masked replaces a value that must not be shown.
const Masked = "***"

// Headers returns the headers of an attempt without the custom headers and the signatures. The keys of the map are
// spelled as they are sent.
func Headers(r *record.Event, key delivery.Key, a *delivery.Attempt) http.Header {
	return http.Header{
		"Content-Type":        {ContentType(a.Format)},
		"Accept":              {typeJSON},
		"User-Agent":          {"Nepenthes-Webhooks/" + Version},
		headerID:              {key.ID()},
		headerTimestamp:       {strconv.FormatInt(a.StartedAt.Unix(), 10)},
		"X-Nepenthes-Event":   {r.Type},
		"X-Nepenthes-Attempt": {strconv.Itoa(a.Number)},
		"traceparent":         {traceparent(r, a)},
	}
}

// Request is the request of an attempt in a form that can be shown. It is byte for byte the request that was sent, but
// with Masked in place of the signatures and the values of custom headers.
type Request struct {
	Attempt *delivery.Attempt
	// Headers is empty if the event has expired.
	Headers map[string]string
	// Body is nil if the event has expired or bodies are not shown. Requests with the same body share it.
	Body *string
}

// Requests returns the requests of a delivery's attempts. r is nil if the event has expired. The requests have bodies
// only if showBodies is true. Each body is rendered once.
func Requests(r *record.Event, key delivery.Key, attempts []delivery.Attempt, showBodies bool) []Request {
	requests, bodies := make([]Request, len(attempts)), map[webhook.Format]*string{}
	for i := range attempts {
		a := &attempts[i]
		requests[i] = Request{Attempt: a, Headers: map[string]string{}}
		if r == nil {
			continue
		}
		requests[i].Headers = delivery.Joined(shownHeaders(r, key, a))
		if showBodies && bodies[a.Format] == nil {
			text := string(Body(a.Format, r.Event))
			bodies[a.Format] = &text
		}
		requests[i].Body = bodies[a.Format]
	}
	return requests
}

// shownHeaders returns the headers with Masked in place of secret values.
func shownHeaders(r *record.Event, key delivery.Key, a *delivery.Attempt) http.Header {
	h := Headers(r, key, a)
	if a.Signed {
		h[HeaderSignature] = []string{Masked}
	}
	if a.Legacy {
		h[HeaderLegacy] = []string{Masked}
	}
	for _, name := range a.HeaderNames {
		h[name] = []string{Masked}
	}
	return h
}

// traceparent returns the W3C trace context of an attempt: the trace of the event, and a span that is derived from the
// id of the attempt, so that the span need not be stored. The flags mean "sampled".
func traceparent(r *record.Event, a *delivery.Attempt) string {
	span := sha256.Sum256([]byte(a.ID))
	return "00-" + r.Trace() + "-" + hex.EncodeToString(span[:8]) + "-01"
}

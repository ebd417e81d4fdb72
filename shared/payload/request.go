package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"nepenthes/shared/delivery"
	"nepenthes/shared/record"
)

// Version is what the User-Agent says.
const Version = "1.0"

// Names of the headers that we send, as they are written on the wire; http.Header would spell some of them
// otherwise, and receivers of the original compare X-OP-Signature as it stands.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
	HeaderLegacy    = "X-OP-Signature"
)

// masked stands for a value that is never shown.
const masked = "***"

// Headers are the headers of an attempt but for the custom ones and the signatures. The map's keys are spelt as
// they go out.
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

// Request is the request of an attempt that was made, as it may be shown: body and headers as they were sent,
// byte for byte, with *** for the signatures and for the values of custom headers.
func Request(r *record.Event, key delivery.Key, a *delivery.Attempt) (http.Header, []byte) {
	return ShownHeaders(r, key, a), Body(a.Format, r.Event)
}

// ShownHeaders are the headers of Request alone: many attempts have the same body, which need not be rendered for each.
func ShownHeaders(r *record.Event, key delivery.Key, a *delivery.Attempt) http.Header {
	h := Headers(r, key, a)
	if a.Signed {
		h[HeaderSignature] = []string{masked}
	}
	if a.Legacy {
		h[HeaderLegacy] = []string{masked}
	}
	for _, name := range a.HeaderNames {
		h[name] = []string{masked}
	}
	return h
}

// traceparent is the W3C trace context of an attempt: the event's trace, and a span derived from the attempt's id,
// so that it need not be stored. The flags say "sampled".
func traceparent(r *record.Event, a *delivery.Attempt) string {
	span := sha256.Sum256([]byte(a.ID))
	return "00-" + r.Trace() + "-" + hex.EncodeToString(span[:8]) + "-01"
}

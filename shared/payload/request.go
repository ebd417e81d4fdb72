package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"nepenthes/shared/delivery"
	"nepenthes/shared/record"
)

// Version is the version in the User-Agent header.
const Version = "1.0"

// Names of headers, spelled as they are sent. The canonical form of http.Header differs from some of them, and existing
// receivers compare X-OP-Signature literally.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
	HeaderLegacy    = "X-OP-Signature"
)

// masked replaces a value that must not be shown.
const masked = "***"

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

// Request returns the headers and the body of an attempt that was made, as they may be shown. They are byte for byte
// what was sent, but have *** in place of the signatures and the values of custom headers.
func Request(r *record.Event, key delivery.Key, a *delivery.Attempt) (http.Header, []byte) {
	return ShownHeaders(r, key, a), Body(a.Format, r.Event)
}

// ShownHeaders returns only the headers of Request. Many attempts have the same body, which then is rendered only once.
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

// traceparent returns the W3C trace context of an attempt: the trace of the event, and a span that is derived from the
// id of the attempt and therefore not stored. The flags say "sampled".
func traceparent(r *record.Event, a *delivery.Attempt) string {
	span := sha256.Sum256([]byte(a.ID))
	return "00-" + r.Trace() + "-" + hex.EncodeToString(span[:8]) + "-01"
}

package sender

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
)

// kept returns the part of an answer that is stored: up to 4 KiB of headers and up to 4 KiB of body. A person needs the
// beginning of an answer to find a fault, but a receiver must not be able to fill the store.
func kept(a *outbound.Answer) *delivery.Response {
	headers, cut := keptHeaders(a.Header)
	r := &delivery.Response{Status: a.Status, Headers: headers, Body: a.Body, Truncated: a.Truncated || cut}
	if len(r.Body) > limits.AnswerStored {
		// Copy the part that is stored, so that the rest can be freed.
		r.Body, r.Truncated = slices.Clone(r.Body[:limits.AnswerStored]), true
	}
	return r
}

// keptHeaders returns the header lines that are stored: complete lines, sorted by name so that equal answers are stored
// equally, up to the first line that does not fit. It reports whether lines were left out.
func keptHeaders(h http.Header) (kept http.Header, cut bool) {
	kept, room := http.Header{}, limits.AnswerStored
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			if room -= len(name) + len(value) + len(": \r\n"); room < 0 {
				return kept, true
			}
			kept[name] = append(kept[name], value)
		}
	}
	return kept, false
}

// retryAfterStatuses are the statuses for which the Retry-After header counts.
var retryAfterStatuses = []int{
	http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
	http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// retryAfter returns the wait from now that the receiver asks for, in seconds or as an HTTP date (RFC 9110 §10.2.3). It
// returns 0 for values that are malformed, negative or too large, and for dates in the past.
func retryAfter(r outbound.Result, now time.Time) time.Duration {
	if r.Class != delivery.ErrStatus || !slices.Contains(retryAfterStatuses, r.Answer.Status) {
		return 0
	}
	value := strings.TrimSpace(r.Answer.Header.Get("Retry-After"))
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(at.Sub(now), limits.RetryAfterMax))
	}
	// ParseUint accepts no sign and at most 31 bits, which are about 68 years.
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

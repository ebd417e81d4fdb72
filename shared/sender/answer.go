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

// kept is the part of an answer that is stored: 4 KiB of headers and of body each.
func kept(a *outbound.Answer) *delivery.Response {
	headers, cut := keptHeaders(a.Header)
	r := &delivery.Response{Status: a.Status, Headers: headers, Body: a.Body, Truncated: a.Truncated || cut}
	if len(r.Body) > limits.AnswerStored {
		// A copy, so that the rest of what was read can be freed.
		r.Body, r.Truncated = slices.Clone(r.Body[:limits.AnswerStored]), true
	}
	return r
}

// keptHeaders keeps whole lines, in the order of their names, until the next one would not fit.
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

// mayAsk are the statuses with which a receiver may say when to come back.
var mayAsk = []int{
	http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
	http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// retryAfter is how long the receiver asks to wait: seconds or an HTTP date (RFC 9110 §10.2.3), from now. Junk,
// values that overflow, negative ones and dates that have passed ask for nothing: zero.
func retryAfter(r outbound.Result, now time.Time) time.Duration {
	if r.Class != delivery.ErrStatus || !slices.Contains(mayAsk, r.Answer.Status) {
		return 0
	}
	value := strings.TrimSpace(r.Answer.Header.Get("Retry-After"))
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(at.Sub(now), limits.RetryAfterMax))
	}
	// ParseUint takes neither signs nor more than 31 bits, about 68 years: what is beyond is no time to wait.
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

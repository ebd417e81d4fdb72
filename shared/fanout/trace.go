package fanout

import "regexp"

// traceparent is version 00 of the W3C header: trace id, span id, flags.
var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

// noTrace is the trace id that means "none" (W3C Trace Context §3.2.2.3).
const noTrace = "00000000000000000000000000000000"

// traceID returns the trace id in a traceparent header, or "" if the header is absent or malformed.
func traceID(header string) string {
	parts := traceparent.FindStringSubmatch(header)
	if parts == nil || parts[1] == noTrace {
		return ""
	}
	return parts[1]
}

package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"nepenthes/shared/fault"
)

// Limits of custom headers.
const (
	HeadersMax     = 20
	HeaderBytesMax = 4 << 10 // for the names and values of all headers together
)

// attributeHeader is the path of the headers in faults.
const attributeHeader = "headers"

// reservedHeaders has the names that a custom header must not have: Nepenthes or the transport sets these headers, or
// only browsers and proxies do. An entry that ends in "-" reserves all names with this prefix.
var reservedHeaders = []string{
	"host", "connection", "content-", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect",
	"accept", "accept-encoding", "user-agent", "cookie", "forwarded", "x-forwarded-", "proxy-", "traceparent",
	"tracestate", "webhook-", "x-op-", "x-nepenthes-",
}

// CheckHeaders returns the faults of custom headers, a map from names to values. A fault never contains a value, which
// may be a credential. If there are too many headers or too many bytes, CheckHeaders returns only that fault.
func CheckHeaders(headers map[string]string) fault.Details {
	var found faults
	if len(headers) > HeadersMax {
		found.add(attributeHeader, fmt.Sprintf("There are %d headers; the limit is %d.", len(headers), HeadersMax), "")
		return found.Details
	}
	size := 0
	for name, value := range headers {
		size += len(name) + len(value)
	}
	if size > HeaderBytesMax {
		found.add(attributeHeader, fmt.Sprintf("The headers have %d bytes in total; the limit is %d.", size, HeaderBytesMax), "")
		return found.Details
	}
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		found.header(name, headers[name])
		folded := strings.ToLower(name)
		if other, twice := seen[folded]; twice {
			found.add(attributeHeader, fmt.Sprintf("%s and %s are the same header.", fault.Quote(other), fault.Quote(name)), "Keep one of them.")
		}
		seen[folded] = name
	}
	return found.Details
}

// header checks one header.
func (f *faults) header(name, value string) {
	switch {
	case !isToken(name):
		f.add(attributeHeader, fault.Quote(name)+" is not a valid header name.", "Use letters, digits and hyphens.")
	case reserved(name):
		f.add(attributeHeader, fault.Quote(name)+" cannot be a custom header.", "Nepenthes or the transport sets it; use another name.")
	case strings.ContainsFunc(value, isControl):
		f.add(attributeHeader, "The value of "+fault.Quote(name)+" contains control characters.", "Remove line breaks and tabs.")
	}
}

// reserved reports whether a custom header must not have the name.
func reserved(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(reservedHeaders, func(r string) bool {
		return name == r || strings.HasSuffix(r, "-") && strings.HasPrefix(name, r)
	})
}

// isToken reports whether name is a token of RFC 9110 §5.6.2.
func isToken(name string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c|' ' && c|' ' <= 'z'
		if !letter && !('0' <= c && c <= '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

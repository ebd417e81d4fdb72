package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"nepenthes/shared/fault"
)

// Limits of the allowed origins.
const (
	// MaxOrigins is the largest number of allowed origins.
	MaxOrigins = 100
	// MaxOrigin is the largest number of characters of an origin: 253 for the host name, and some for scheme and port.
	MaxOrigin = 300
)

// The paths of the attributes in faults.
const (
	attributePageSize = "api.maxPageSize"
	attributeEnabled  = "cors.enabled"
	attributeOrigins  = "cors.allowedOrigins"
)

// Normalise brings the allowed origins into the form in which browsers send them, removes blank lines and duplicates,
// and returns a fault for every rule that a field breaks. A fault names the line of the wrong origin, counted from 1
// and with blank lines. If an origin is wrong, the origins stay unchanged. Normalising twice changes nothing.
func (s *Settings) Normalise() fault.Details {
	var faults fault.Details
	if s.MaxPageSize < 1 || s.MaxPageSize > MaxPageSizeLimit {
		faults.Add(fault.Detail{
			Attribute: attributePageSize,
			Message:   fmt.Sprintf("The maximum page size must be a number from 1 to %d.", MaxPageSizeLimit),
		})
	}
	origins, wrong := normaliseOrigins(s.AllowedOrigins)
	faults.Join(wrong)
	if wrong.Len() > 0 {
		return faults
	}
	s.AllowedOrigins = origins
	if s.CORSEnabled && len(origins) == 0 {
		faults.Add(fault.Detail{
			Attribute: attributeOrigins,
			Message:   "CORS is enabled but no origin is allowed.",
			Hint:      "Allow at least one origin such as https://app.example.com, or set " + attributeEnabled + " to false.",
		})
	}
	return faults
}

// normaliseOrigins counts the lines before it reads any of them, so that a list of any length costs little.
func normaliseOrigins(given []string) (origins []string, faults fault.Details) {
	lines := distinct(given)
	if len(lines) > MaxOrigins {
		faults.Add(fault.Detail{
			Attribute: attributeOrigins,
			Message:   fmt.Sprintf("There are more than %d origins.", MaxOrigins),
			Hint:      "Remove the origins that no longer call the API.",
		})
		return nil, faults
	}
	seen := map[string]bool{}
	for _, line := range lines {
		origin, wrong := NormaliseOrigin(line.text)
		if wrong != "" {
			faults.Add(fault.Detail{
				Attribute: attributeOrigins,
				Message:   fmt.Sprintf("Line %d, %s, %s", line.number, fault.Quote(line.text), wrong),
				Hint:      "Write an origin as browsers send it: scheme://host or scheme://host:port, and nothing else.",
			})
			continue
		}
		if !seen[origin] {
			seen[origin] = true
			origins = append(origins, origin)
		}
	}
	return origins, faults
}

// line is one line of the given origins with its number, counted from 1.
type line struct {
	number int
	text   string
}

// distinct trims the lines and removes blank lines and duplicates. It stops when there is one line more than allowed.
func distinct(given []string) (lines []line) {
	seen := map[string]bool{}
	for i, text := range given {
		text = strings.TrimSpace(text)
		if text == "" || seen[text] {
			continue
		}
		seen[text] = true
		lines = append(lines, line{i + 1, text})
		if len(lines) > MaxOrigins {
			return lines
		}
	}
	return lines
}

// defaultPorts has the ports that browsers leave out of an origin (RFC 6454 §6.2).
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// NormaliseOrigin returns an origin (RFC 6454) in the form in which browsers send it in the header Origin: scheme and
// host in lower case, the host in ASCII (IDNA), without the default port of the scheme. If text is not an origin, wrong
// says why. It is the end of a sentence whose subject is the line, such as "has a port that …".
func NormaliseOrigin(text string) (origin, wrong string) {
	if utf8.RuneCountInString(text) > MaxOrigin {
		return "", fmt.Sprintf("has more than %d characters.", MaxOrigin)
	}
	// These two are valid in the header Access-Control-Allow-Origin, but both would allow pages of strangers.
	switch text {
	case "*":
		return "", "would allow every origin; list each origin instead."
	case "null":
		return "", "is sent by all pages without an origin, so it cannot identify a page."
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !isScheme(scheme) {
		return "", "does not begin with a scheme such as https://."
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		return "", "has text after the host and the port; not even a slash is allowed."
	}
	if strings.Contains(rest, "@") {
		return "", "contains user information."
	}
	scheme = strings.ToLower(scheme)
	host, port, wrong := splitHost(rest, defaultPorts[scheme] != "")
	if wrong != "" {
		return "", wrong
	}
	if port == "" || port == defaultPorts[scheme] {
		return scheme + "://" + host, ""
	}
	return scheme + "://" + host + ":" + port, ""
}

// isScheme reports whether text is a scheme of RFC 3986 §3.1.
func isScheme(text string) bool {
	for i, c := range strings.ToLower(text) {
		if letter := 'a' <= c && c <= 'z'; !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return text != ""
}

// splitHost returns the host and the port in their normal forms. An IPv6 address has brackets. A name that ends in a
// number is an IPv4 address only in a web address, whose scheme is http or https.
func splitHost(text string, web bool) (host, port, wrong string) {
	host = text
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		host = text[:i]
		if port, wrong = normalisePort(text[i+1:]); wrong != "" {
			return "", "", wrong
		}
	}
	if inner, isIPv6 := strings.CutPrefix(host, "["); isIPv6 {
		address, ok := normaliseIPv6(inner)
		if !ok {
			return "", "", "has an invalid IPv6 address."
		}
		return "[" + address + "]", port, ""
	}
	name, ok := normaliseName(host)
	if ok && web && endsInNumber(name) {
		name, ok = normaliseIPv4(name)
	}
	if !ok {
		return "", "", "has an invalid host; wildcards are not supported."
	}
	return name, port, ""
}

// normalisePort returns the port without leading zeros, as browsers write it.
func normalisePort(text string) (port, wrong string) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return "", "has a port that is not a number from 1 to 65535."
	}
	return strconv.FormatUint(number, 10), ""
}

// names converts host names as browsers do (UTS #46). It accepts underscores, because real names contain them.
var names = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))

// normaliseName returns a host name in ASCII and reports whether it can be a DNS name. It keeps a trailing dot, because
// browsers do.
func normaliseName(raw string) (string, bool) {
	name, err := names.ToASCII(raw)
	if err != nil || name == "" || len(name) > 253 {
		return "", false
	}
	// A few names change again when they are converted twice. A saved origin must be accepted when it is saved again.
	if again, err := names.ToASCII(name); err != nil || again != name {
		return "", false
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	if slices.ContainsFunc(labels, func(label string) bool {
		return label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != ""
	}) {
		return "", false
	}
	return name, true
}

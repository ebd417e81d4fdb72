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

// MaxOrigins is the most origins that can be allowed, MaxOrigin the most characters that one may have: a host name has
// 253, and a scheme and a port stand around it.
const (
	MaxOrigins = 100
	MaxOrigin  = 300
)

// Attributes of the settings, as faults name them.
const (
	attributePageSize = "api.maxPageSize"
	attributeEnabled  = "cors.enabled"
	attributeOrigins  = "cors.allowedOrigins"
)

// Normalise brings the allowed origins into the form in which browsers send them, without blanks and duplicates,
// and lists everything that breaks a rule; each origin at fault is named by its line, which counts from 1 and
// counts blank ones. When there is a fault the origins stay as they were given. Normalising twice changes nothing.
func (s *Settings) Normalise() fault.Details {
	var faults fault.Details
	if s.MaxPageSize < 1 || s.MaxPageSize > MaxPageSizeLimit {
		faults.Add(fault.Detail{
			Attribute: attributePageSize,
			Message:   fmt.Sprintf("The maximum page size is a number from 1 to %d.", MaxPageSizeLimit),
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
			Hint:      "Allow at least one origin such as https://app.example.com, or switch " + attributeEnabled + " off.",
		})
	}
	return faults
}

// normaliseOrigins looks how many lines there are before it looks at any: what is too much is refused at once.
func normaliseOrigins(given []string) (origins []string, faults fault.Details) {
	lines := distinct(given)
	if len(lines) > MaxOrigins {
		faults.Add(fault.Detail{
			Attribute: attributeOrigins,
			Message:   fmt.Sprintf("More than %d origins are listed.", MaxOrigins),
			Hint:      "Leave out those that call no longer.",
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
				Hint:      "Write an origin as a browser sends it: scheme://host or scheme://host:port, nothing else.",
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

// line is an origin as it was given, with its place.
type line struct {
	number int
	text   string
}

// distinct trims the lines and drops those that are blank or stand there already. It ends at the first that is one too
// many.
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

// defaultPorts are left out of an origin (RFC 6454 §6.2).
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// NormaliseOrigin brings an origin (RFC 6454) into the form in which browsers send it in the header of that name:
// scheme and host in lower case, the host in ASCII (IDNA), without a scheme's default port. Otherwise it says what
// is wrong, in words that continue a sentence about the line. A text that is too long is not looked at further.
func NormaliseOrigin(text string) (origin, wrong string) {
	if utf8.RuneCountInString(text) > MaxOrigin {
		return "", fmt.Sprintf("has more than %d characters.", MaxOrigin)
	}
	switch text {
	case "*":
		return "", "would allow every origin; name each one."
	case "null":
		return "", "is what pages without an origin send; it cannot be told whose they are."
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !isScheme(scheme) {
		return "", "does not begin with a scheme such as https://."
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		return "", "has something behind host and port, if only a slash."
	}
	if strings.Contains(rest, "@") {
		return "", "has user information."
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

// isScheme follows RFC 3986 §3.1.
func isScheme(text string) bool {
	for i, c := range strings.ToLower(text) {
		if letter := 'a' <= c && c <= 'z'; !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return text != ""
}

// splitHost reads host and port; the host comes back in its normal form, in brackets when it is IPv6. Only in web
// addresses is a name that ends in a number an IPv4 address.
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
			return "", "", "has no host that could be an address."
		}
		return "[" + address + "]", port, ""
	}
	name, ok := normaliseName(host)
	if ok && web && endsInNumber(name) {
		name, ok = normaliseIPv4(name)
	}
	if !ok {
		return "", "", "has no host name that could exist; wildcards are not possible."
	}
	return name, port, ""
}

func normalisePort(text string) (port, wrong string) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 {
		return "", "has a port that is not a number from 1 to 65535."
	}
	return strconv.FormatUint(number, 10), ""
}

// names maps host names as browsers do (UTS #46), letting underscores pass, which real names contain.
var names = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))

func normaliseName(raw string) (string, bool) {
	name, err := names.ToASCII(raw)
	if err != nil || name == "" || len(name) > 253 {
		return "", false
	}
	// Mapping twice must change nothing, or a saved origin would not stand being saved again.
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

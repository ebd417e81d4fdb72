package settings

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"nepenthes/shared/fault"
)

// MaxOrigins is the most origins that can be allowed.
const MaxOrigins = 100

// Attributes of the settings, as faults name them.
const (
	attributePageSize = "api.maxPageSize"
	attributeEnabled  = "cors.enabled"
	attributeOrigins  = "cors.allowedOrigins"
)

// Normalise brings the allowed origins into the form in which browsers send them, without blanks and duplicates,
// and lists everything that breaks a rule; each origin at fault is named by its line, which counts from 1 and
// counts blank ones. When there is a fault the origins stay as they were given. Normalising twice changes nothing.
func (s *Settings) Normalise() []fault.Detail {
	var faults []fault.Detail
	if s.MaxPageSize < 1 || s.MaxPageSize > MaxPageSizeLimit {
		faults = append(faults, fault.Detail{
			Attribute: attributePageSize,
			Message:   fmt.Sprintf("The maximum page size is a number from 1 to %d.", MaxPageSizeLimit),
		})
	}
	origins, wrong := normaliseOrigins(s.AllowedOrigins)
	if wrong != nil {
		return append(faults, wrong...)
	}
	s.AllowedOrigins = origins
	if s.CORSEnabled && len(origins) == 0 {
		faults = append(faults, fault.Detail{
			Attribute: attributeOrigins,
			Message:   "CORS is enabled but no origin is allowed.",
			Hint:      "Allow at least one origin such as https://app.example.com, or switch " + attributeEnabled + " off.",
		})
	}
	return faults
}

func normaliseOrigins(given []string) (origins []string, faults []fault.Detail) {
	seen := map[string]bool{}
	for i, line := range given {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		origin, wrong := NormaliseOrigin(line)
		if wrong != "" {
			faults = append(faults, fault.Detail{
				Attribute: attributeOrigins,
				Message:   fmt.Sprintf("Line %d, %s, %s", i+1, shown(line), wrong),
				Hint:      "Write an origin as a browser sends it: scheme://host or scheme://host:port, nothing else.",
			})
			continue
		}
		if !seen[origin] {
			seen[origin] = true
			origins = append(origins, origin)
		}
	}
	if len(origins) > MaxOrigins {
		faults = append(faults, fault.Detail{
			Attribute: attributeOrigins,
			Message:   fmt.Sprintf("%d origins are listed; at most %d can be allowed.", len(origins), MaxOrigins),
		})
	}
	return origins, faults
}

// shown quotes a line for a message, cut where nobody would read on.
func shown(line string) string {
	const longest = 80
	if runes := []rune(line); len(runes) > longest {
		line = string(runes[:longest]) + "…"
	}
	return strconv.Quote(line)
}

// defaultPorts are left out of an origin (RFC 6454 §6.2).
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// NormaliseOrigin brings an origin (RFC 6454) into the form in which browsers send it in the header of that name:
// scheme and host in lower case, the host in ASCII (IDNA), without a scheme's default port. Otherwise it says what
// is wrong, in words that continue a sentence about the line.
func NormaliseOrigin(text string) (origin, wrong string) {
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
	host, port, wrong := splitHost(rest)
	if wrong != "" {
		return "", wrong
	}
	scheme = strings.ToLower(scheme)
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

// splitHost reads host and port; the host comes back in its normal form, in brackets when it is IPv6.
func splitHost(text string) (host, port, wrong string) {
	host = text
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		host = text[:i]
		if port, wrong = normalisePort(text[i+1:]); wrong != "" {
			return "", "", wrong
		}
	}
	if inner, isIPv6 := strings.CutPrefix(host, "["); isIPv6 {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" || !strings.HasSuffix(inner, "]") {
			return "", "", "has no host that could be an address."
		}
		return "[" + addr.String() + "]", port, ""
	}
	name, ok := normaliseName(host)
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
	// What ends in a number is an address to browsers, which send it as four numbers (WHATWG URL, "host parsing").
	if last := labels[len(labels)-1]; endsInNumber(last) {
		addr, err := netip.ParseAddr(name)
		return name, err == nil && addr.Is4()
	}
	return name, true
}

// endsInNumber follows the check of that name in the URL standard for the last label of a name.
func endsInNumber(last string) bool {
	digits, hex := strings.CutPrefix(last, "0x")
	return strings.Trim(last, "0123456789") == "" || hex && strings.Trim(digits, "0123456789abcdef") == ""
}

package address

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxURL is the greatest length of a payload URL in characters, as given and as sent.
const MaxURL = 2048

// CheckURL reads a payload URL as a client wrote it and returns it in its normal form: lower-case scheme and
// host, the host in ASCII (IDNA) without a trailing dot, everything else percent-encoded where HTTP needs it.
// That form is the one to keep; checking it again changes nothing. The error is a *[Refusal] when the rules
// do not let the URL through. Names are judged by their form alone: see [CheckLookup].
func CheckURL(raw string, rules Rules) (*url.URL, error) {
	u, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	target, err := parseHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	port, err := parsePort(u.Port())
	if err != nil {
		return nil, err
	}
	if err := rules.checkTarget(u.Scheme, target); err != nil {
		return nil, err
	}
	u.Host = hostPort(target.name, port)
	if rules.isOwn(u.Scheme, target, port) {
		return nil, ownAddress
	}
	if len(u.String()) > MaxURL {
		return nil, tooLong
	}
	return u, nil
}

// Origin returns the origin of a URL from [CheckURL]: scheme, host and port, the scheme's default port spelled out, as
// in "https://billing.example.com:443". Credentials for one URL may go to another only when the origins are equal. Of
// a URL in any other spelling it makes another origin or an error, never that of a URL to another host; the error
// says nothing of the URL.
func Origin(checked string) (string, error) {
	u, err := url.Parse(checked)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", malformedURL
	}
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port), nil
}

// parseURL splits raw and refuses what no rule could allow: other schemes, user information, fragments.
func parseURL(raw string) (*url.URL, error) {
	if utf8.RuneCountInString(raw) > MaxURL {
		return nil, tooLong
	}
	// Parse would encode a blank in the path; refusing it finds two URLs in one field, and line ends.
	if !utf8.ValidString(raw) || strings.ContainsFunc(raw, isBlank) {
		return nil, malformedURL
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme == "":
		return nil, malformedURL
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, wrongWebScheme
	case u.User != nil:
		return nil, userInfo
	case strings.Contains(raw, "#"): // also an empty one, which Parse drops
		return nil, fragment
	case u.Hostname() == "":
		return nil, malformedURL
	}
	u.RawQuery = escapeQuery(u.RawQuery)
	return u, nil
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// escapeQuery percent-encodes what is not ASCII: url.URL does so for the path alone.
func escapeQuery(raw string) string {
	var b strings.Builder
	for i := range len(raw) {
		if raw[i] < utf8.RuneSelf {
			b.WriteByte(raw[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", raw[i])
		}
	}
	return b.String()
}

// parsePort gives the port without leading zeros, "" for none.
func parsePort(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	port, err := strconv.ParseUint(raw, 10, 16)
	if err != nil || port == 0 {
		return "", wrongPort
	}
	return strconv.FormatUint(port, 10), nil
}

// checkTarget says whether the rules let scheme and host through. A local target that they except may be
// called over http; no other name of a machine or network becomes acceptable by it.
func (r Rules) checkTarget(scheme string, target host) error {
	if r.AllowLoopback && target.isLoopback() || r.excepts(target.addr) {
		return nil
	}
	switch {
	case target.isLocal():
		return localName
	case target.addr.IsValid() && Special(target.addr):
		return specialAddress
	case scheme == "http" && !r.AllowHTTP:
		return wrongScheme
	}
	return nil
}

// isOwn reports whether the target is this service.
func (r Rules) isOwn(scheme string, target host, port string) bool {
	if port == "" {
		port = defaultPort(scheme)
	}
	for _, own := range r.Own {
		name, ownPort, err := net.SplitHostPort(own)
		if err != nil {
			name, ownPort = own, ""
		}
		same, err := parseHost(strings.Trim(name, "[]"))
		if err == nil && same.same(target) && samePort(ownPort, port) {
			return true
		}
	}
	return false
}

// samePort compares a port with that of an own address, which may be left out.
func samePort(own, port string) bool {
	return own == port || own == "" && (port == "80" || port == "443")
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// hostPort joins as net.JoinHostPort does, and leaves an absent port absent.
func hostPort(name, port string) string {
	if port != "" {
		return net.JoinHostPort(name, port)
	}
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

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

// MaxURL is the largest length of a payload URL in characters, both as the client wrote it and as it is sent.
const MaxURL = 2048

// CheckURL checks a payload URL and returns its normal form: scheme and host in lower case, the host in ASCII (IDNA)
// without a trailing dot, and everything else percent-encoded where HTTP requires it. Checking the normal form again
// returns the same URL. The error is a *[Refusal] if the rules do not allow the URL. CheckURL does not look up host
// names; see [CheckLookup].
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

// Origin returns the origin of a URL from [CheckURL], such as "https://billing.example.com:443". The port is always
// there. Credentials for one URL may be sent to another only if the origins are equal. For a URL in another spelling,
// Origin returns an error or an origin of the same host, but never the origin of another host. The error does not
// contain the URL.
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

// parseURL parses raw. It refuses what no Rules can allow: other schemes, user information and fragments.
func parseURL(raw string) (*url.URL, error) {
	if utf8.RuneCountInString(raw) > MaxURL {
		return nil, tooLong
	}
	// url.Parse would encode a space in the path. Here a space is refused, because it may separate two URLs.
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
	case strings.Contains(raw, "#"): // url.Parse drops an empty fragment
		return nil, fragment
	case u.Hostname() == "":
		return nil, malformedURL
	}
	u.RawQuery = escapeQuery(u.RawQuery)
	return u, nil
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// escapeQuery percent-encodes everything outside ASCII. url.URL does this only for the path.
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

// parsePort returns the port without leading zeros, or "" if there is none.
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

// checkTarget returns a refusal if the rules do not allow the scheme or the target. A loopback or gateway target that
// they allow may also be called with http. AllowLoopback does not allow other local names.
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

// samePort reports whether port is the port of an own address, in which an absent port means 80 and 443.
func samePort(own, port string) bool {
	return own == port || own == "" && (port == "80" || port == "443")
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// hostPort joins name and port as net.JoinHostPort does, but without a colon if there is no port.
func hostPort(name, port string) string {
	if port != "" {
		return net.JoinHostPort(name, port)
	}
	if strings.Contains(name, ":") {
		return "[" + name + "]"
	}
	return name
}

package address

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// hostNames converts host names as browsers do (UTS #46: case, width, ideographic full stops, punycode). Unlike
// idna.Lookup it accepts underscores and labels such as "r3---x", because real host names contain them. wellFormed then
// checks the characters of the result.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))

// localNames has the names that, with all names below them, only exist inside a machine or a network: RFC 6761, RFC
// 6762, and "internal", which ICANN reserves for private use.
var localNames = []string{"localhost", "local", "internal"}

// host is a host in its normal form.
type host struct {
	name string     // lower-case ASCII without a trailing dot
	addr netip.Addr // the zero Addr unless the name is an address
}

// parseHost returns the normal form of a URL's host, which is given without brackets. It refuses an address in an
// unusual spelling: resolvers disagree about the meaning of 0127.1, so its address cannot be checked.
func parseHost(raw string) (host, error) {
	if strings.Contains(raw, ":") {
		return parseIPv6(raw)
	}
	name, err := toASCII(raw)
	if err != nil {
		return host{}, err
	}
	if !endsInNumber(name) {
		return host{name: name}, nil
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return host{}, unusualSpelling
	}
	return host{name: name, addr: addr}, nil
}

// toASCII returns the form of a host name in DNS. It refuses a few sequences of combining characters whose result is
// not a valid name, because the normal form must be accepted when it is read again.
func toASCII(raw string) (string, error) {
	name, err := hostNames.ToASCII(raw)
	if err != nil {
		return "", malformedHost
	}
	name = strings.TrimSuffix(name, ".")
	if again, err := hostNames.ToASCII(name); err != nil || again != name || !wellFormed(name) {
		return "", malformedHost
	}
	return name, nil
}

func parseIPv6(raw string) (host, error) {
	addr, err := netip.ParseAddr(raw)
	switch {
	case err != nil:
		return host{}, malformedHost
	case addr.Zone() != "":
		return host{}, specialAddress
	case addr.Is4In6():
		return host{}, unusualSpelling
	}
	return host{name: addr.String(), addr: addr}, nil
}

// wellFormed reports whether name can be a DNS name: it has labels of 1 to 63 letters, digits, hyphens and underscores,
// and at most 253 characters (RFC 1035 §2.3.4).
func wellFormed(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) < 1 || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// endsInNumber reports whether the last label of name is a decimal, octal or hexadecimal number. Some programs read
// such a name as an IPv4 address. This is the test of the WHATWG URL standard; no top-level domain is a number.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// isLocal reports whether the name is in localNames or below one of them.
func (h host) isLocal() bool {
	for _, local := range localNames {
		if h.name == local || strings.HasSuffix(h.name, "."+local) {
			return true
		}
	}
	return false
}

// isLoopback reports whether AllowLoopback allows the host.
func (h host) isLoopback() bool {
	return h.name == "localhost" || h.addr.IsLoopback()
}

// same reports whether both are the same host. All loopback hosts are the same.
func (h host) same(other host) bool {
	return h.name == other.name || h.isLoopback() && other.isLoopback()
}

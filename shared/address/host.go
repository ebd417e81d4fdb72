package address

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// hostNames maps a host name as browsers do (UTS #46: case, width, ideographic full stops, punycode). Unlike
// idna.Lookup it lets underscores and "r3---x" labels pass, which real host names contain; wellFormed then
// says which characters may be in the result.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.CheckHyphens(false))

// localNames are the names that never leave the machine or its network (RFC 6761, RFC 6762, and "internal",
// which ICANN keeps out of the root for private use), each with all names below it.
var localNames = []string{"localhost", "local", "internal"}

// host is one host in its normal form: lower-case ASCII without a trailing dot, and its address when it is a
// literal one.
type host struct {
	name string
	addr netip.Addr // the zero Addr for a name
}

// parseHost brings the host of a URL (without brackets) into its normal form. An address in an unusual
// spelling is refused even if it is public: resolvers disagree about what 0127.1 means, so nobody can say
// whether it is.
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

// toASCII maps a host name to its form in DNS. A few sequences of combining characters map to a name that is
// no valid input itself; they are refused, since the normal form must stand being read again.
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

// wellFormed reports whether name is a possible DNS name: labels of 1 to 63 letters, digits, hyphens and
// underscores, 253 characters together (RFC 1035 §2.3.4).
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

// endsInNumber reports whether name would be read as an IPv4 address by some reader: its last label is a
// decimal, octal or hexadecimal number (the WHATWG URL standard's test; no top-level domain is one).
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if digits, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// isLocal reports whether the name belongs to the machine or its network by its very form.
func (h host) isLocal() bool {
	for _, local := range localNames {
		if h.name == local || strings.HasSuffix(h.name, "."+local) {
			return true
		}
	}
	return false
}

// isLoopback reports whether the host is this machine under one of the spellings that loopback rules accept.
func (h host) isLoopback() bool {
	return h.name == "localhost" || h.addr.IsLoopback()
}

// same reports whether both are the same host; all spellings of loopback are.
func (h host) same(other host) bool {
	return h.name == other.name || h.isLoopback() && other.isLoopback()
}

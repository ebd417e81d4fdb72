// Package address judges where a webhook may point: which addresses and host names are special-purpose, and
// which payload URLs are acceptable.
//
// It is asked twice. When a webhook is saved, [CheckURL] reads the URL in whatever spelling it came and
// [CheckLookup] looks its name up, so that a person hears at once what is wrong. When a connection is made,
// [Rules.Allows] judges every address that is dialled: names change their addresses, so only that second
// judgement protects anything; the first is a courtesy.
package address

import (
	"net/netip"

	"code.dny.dev/ssrf"
)

// Rules says what one deployment lets through. The zero value is the strictest: https to public addresses.
type Rules struct {
	// AllowHTTP lets http URLs through as well as https ones.
	AllowHTTP bool
	// AllowLoopback lets localhost, 127.0.0.0/8 and ::1 through, over http too, and nothing else that is
	// special-purpose.
	AllowLoopback bool
	// Gateway is one more address that is treated as loopback is; the zero Addr stands for none. It is the way
	// from a container to the machine that it runs on.
	Gateway netip.Addr
	// Own lists this service's own host:port pairs, which no webhook may point at: events about deliveries
	// would feed themselves. A host without a port stands for its ports 80 and 443.
	Own []string
}

// Allows reports whether a connection to addr may be made: it is public, or the rules make an exception for
// it. An invalid address and one with a zone are never allowed.
func (r Rules) Allows(addr netip.Addr) bool {
	return r.excepts(addr) || !Special(addr)
}

// excepts reports whether addr is let through although it is special-purpose.
func (r Rules) excepts(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	return addr == r.Gateway || r.AllowLoopback && addr.IsLoopback()
}

// Special reports whether addr is special-purpose: listed in one of IANA's special-purpose registries
// (RFC 6890), multicast, reserved, or IPv6 outside of the global unicast space 2000::/3. An address with a
// zone belongs to one link, and an invalid one to nobody: both are special.
//
// IPv4 in IPv6 clothes needs no decoding: a mapped address (::ffff:0:0/96) is taken for the IPv4 address that
// the kernel would dial; NAT64 (64:ff9b::/96, 64:ff9b:1::/48), 6to4 (2002::/16) and Teredo (2001::/32) are
// special as a whole, whatever is embedded in them.
func Special(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return true
	case addr.Is4():
		return within(addr, ssrf.IPv4DeniedPrefixes)
	default:
		return !ssrf.IPv6GlobalUnicast.Contains(addr) || within(addr, ssrf.IPv6DeniedPrefixes)
	}
}

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Package address decides where a webhook may point.
//
// An address is checked twice. When a webhook is saved, [CheckURL] checks the URL and [CheckLookup] looks up the host
// name, so that the client sees at once what is wrong. When the sender connects, [Rules.Allows] checks the address that
// it is about to dial. Only the second check protects the network, because a name can change its addresses after the
// first.
package address

import (
	"net/netip"

	"code.dny.dev/ssrf"
)

// Rules are the rules of a deployment for the targets of webhooks. The zero value is the strictest: it allows only
// https to public addresses.
type Rules struct {
	// AllowHTTP also allows http URLs.
	AllowHTTP bool
	// AllowLoopback also allows localhost, 127.0.0.0/8 and ::1, with https and http. It allows no other special-purpose
	// address.
	AllowLoopback bool
	// Gateway is another address that is allowed with https and http. In a container it is the address of the machine
	// on which the container runs. The zero Addr means none.
	Gateway netip.Addr
	// Own lists the host:port pairs of this service. A webhook must not point at them, because its deliveries could
	// cause events for more deliveries without end. A host without a port means its ports 80 and 443.
	Own []string
}

// Allows reports whether the sender may connect to addr: either addr is public, or the rules make an exception for it.
// An invalid address or an address with a zone is never allowed.
func (r Rules) Allows(addr netip.Addr) bool {
	return r.excepts(addr) || !Special(addr)
}

// excepts reports whether the rules allow addr although it is special-purpose.
func (r Rules) excepts(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	return addr == r.Gateway || r.AllowLoopback && addr.IsLoopback()
}

// Special reports whether addr is special-purpose: it is in one of IANA's special-purpose registries (RFC 6890),
// multicast, reserved, or an IPv6 address outside the global unicast space 2000::/3. An invalid address and an address
// with a zone, which belongs to a single link, are special too.
//
// An IPv4-mapped address (::ffff:0:0/96) is treated as the IPv4 address that the kernel would dial. The other prefixes
// that embed an IPv4 address are special as a whole: NAT64 (64:ff9b::/96, 64:ff9b:1::/48), 6to4 (2002::/16) and Teredo
// (2001::/32).
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

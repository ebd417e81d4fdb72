package address_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"nepenthes/shared/address"
)

// special has the blocks of IANA's special-purpose registries (RFC 6890 and its updates), multicast, and everything
// outside global unicast. They are copied from the registries and not from the library that Special uses.
var special = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"255.255.255.255/32",
	"::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
	"2001::/23", "2001::/32", "2001:1::1/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28",
	"2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16",
	"fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10", "ff00::/8",
}

var public = []string{
	"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	"128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
	"198.17.255.255", "198.20.0.0", "223.255.255.255",
	"2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8",
}

func TestSpecial(t *testing.T) {
	for _, block := range special {
		prefix := netip.MustParsePrefix(block)
		for _, addr := range []netip.Addr{prefix.Addr(), last(prefix)} {
			if !address.Special(addr) {
				t.Errorf("Special(%s) of %s = false, want true", addr, block)
			}
			if addr.Is4() && !address.Special(netip.AddrFrom16(addr.As16())) {
				t.Errorf("Special(::ffff:%s) = false, want true", addr)
			}
		}
	}
	for _, addr := range public {
		if address.Special(netip.MustParseAddr(addr)) {
			t.Errorf("Special(%s) = true, want false", addr)
		}
	}
	t.Run("the zero Addr", func(t *testing.T) {
		if !address.Special(netip.Addr{}) {
			t.Error("Special(zero Addr) = false, want true")
		}
	})
	t.Run("an address with a zone", func(t *testing.T) {
		if !address.Special(netip.MustParseAddr("2606:4700::1111%eth0")) {
			t.Error("Special = false, want true")
		}
	})
}

// TestSpecialEmbedded checks that every address with a transition prefix is special, and that an IPv4-mapped address is
// special only if its IPv4 address is.
func TestSpecialEmbedded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v4 := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4")))
		if got, want := address.Special(netip.AddrFrom16(v4.As16())), address.Special(v4); got != want {
			t.Fatalf("Special(::ffff:%s) = %t, want %t", v4, got, want)
		}
		four := v4.As4()
		for name, at := range map[string]struct {
			prefix string
			offset int
		}{
			"NAT64": {"64:ff9b::", 12}, "local NAT64": {"64:ff9b:1::", 12}, "6to4": {"2002::", 2},
			"Teredo": {"2001::", 12}, "compatible": {"::", 12},
		} {
			embedded := netip.MustParseAddr(at.prefix).As16()
			copy(embedded[at.offset:], four[:])
			if addr := netip.AddrFrom16(embedded); !address.Special(addr) {
				t.Fatalf("%s: Special(%s) = false, want true", name, addr)
			}
		}
	})
}

func TestAllows(t *testing.T) {
	loopback := address.Rules{AllowLoopback: true}
	gateway := address.Rules{AllowLoopback: true, Gateway: netip.MustParseAddr("172.17.0.1")}
	tests := []struct {
		name  string
		rules address.Rules
		addr  string
		want  bool
	}{
		{"public", address.Rules{}, "8.8.8.8", true},
		{"loopback with http allowed", address.Rules{AllowHTTP: true}, "127.0.0.1", false},
		{"loopback", address.Rules{}, "127.0.0.1", false},
		{"loopback with loopback allowed", loopback, "127.9.9.9", true},
		{"mapped loopback with loopback allowed", loopback, "::ffff:127.0.0.1", true},
		{"IPv6 loopback with loopback allowed", loopback, "::1", true},
		{"zone with loopback allowed", loopback, "::1%lo", false},
		{"unspecified with loopback allowed", loopback, "0.0.0.0", false},
		{"IPv6 unspecified with loopback allowed", loopback, "::", false},
		{"private with loopback allowed", loopback, "10.0.0.1", false},
		{"metadata with loopback allowed", loopback, "169.254.169.254", false},
		{"loopback in NAT64 with loopback allowed", loopback, "64:ff9b::7f00:1", false},
		{"public with loopback allowed", loopback, "1.1.1.1", true},
		{"gateway", gateway, "172.17.0.1", true},
		{"beside the gateway", gateway, "172.17.0.2", false},
		{"mapped gateway", gateway, "::ffff:172.17.0.1", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.rules.Allows(netip.MustParseAddr(test.addr)); got != test.want {
				t.Errorf("Allows(%s) = %t, want %t", test.addr, got, test.want)
			}
		})
	}
	t.Run("the zero Addr without a gateway", func(t *testing.T) {
		if loopback.Allows(netip.Addr{}) {
			t.Error("Allows(zero Addr) = true, want false")
		}
	})
}

// last returns the highest address of prefix.
func last(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

package settings

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Browsers read addresses in many spellings and write each address in one (WHATWG URL, "host parsing" and "host
// serializing"). An allowed origin must have the spelling that browsers write.

// normaliseIPv6 reads the text after the opening bracket. Browsers write an IPv4-mapped address in hexadecimal numbers,
// but package netip does not.
func normaliseIPv6(bracketed string) (string, bool) {
	text, closed := strings.CutSuffix(bracketed, "]")
	addr, err := netip.ParseAddr(text)
	if err != nil || !closed || !addr.Is6() || addr.Zone() != "" {
		return "", false
	}
	if addr.Is4In6() {
		b := addr.As16()
		return fmt.Sprintf("::ffff:%x:%x", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15])), true
	}
	return addr.String(), true
}

// endsInNumber reports whether the last label of a lower-case name is a number. Browsers read such a host as an IPv4
// address, and refuse it if it is not one.
func endsInNumber(name string) bool {
	name = strings.TrimSuffix(name, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits, hex := strings.CutPrefix(last, "0x")
	return strings.Trim(last, "0123456789") == "" || hex && strings.Trim(digits, "0123456789abcdef") == ""
}

// normaliseIPv4 reads one to four numbers, which may be decimal, octal or hexadecimal. The last number fills all
// remaining bytes: 0x7f.1 is 127.0.0.1.
func normaliseIPv4(name string) (string, bool) {
	parts := strings.Split(strings.TrimSuffix(name, "."), ".")
	if len(parts) > 4 {
		return "", false
	}
	var address uint64
	for i, part := range parts {
		number, ok := ipv4Number(part)
		bytes := 1
		if i == len(parts)-1 {
			bytes = 4 - i
		}
		if !ok || number >= 1<<(8*bytes) {
			return "", false
		}
		address = address<<(8*bytes) | number
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}).String(), true
}

// ipv4Number reads one number of an address. As in browsers, "0x" without digits is 0.
func ipv4Number(part string) (uint64, bool) {
	base := 10
	if digits, hex := strings.CutPrefix(part, "0x"); hex {
		part, base = "0"+digits, 16
	} else if len(part) > 1 && part[0] == '0' {
		part, base = part[1:], 8
	}
	number, err := strconv.ParseUint(part, base, 64)
	return number, err == nil
}

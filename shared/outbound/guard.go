package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"nepenthes/shared/address"
)

// loopback and gateway open the guard in binaries for an emulator, whose receivers are on this machine. Only the linker
// sets them (-ldflags "-X nepenthes/shared/outbound.loopback=allowed"); no environment variable, setting or template
// does. loopback is "allowed" or empty. gateway is set only together with loopback. It is the private IPv4 address at
// which a container reaches the machine that it runs on.
var (
	loopback string
	gateway  string
)

// LinkedLoopback reports whether this binary was linked for loopback receivers, so that payload URLs are checked by the
// same rule when they are saved. It panics like [New] on unknown values.
func LinkedLoopback() bool { return linked().AllowLoopback }

// LinkedGateway returns the gateway that this binary was linked for, or the zero Addr if there is none. It panics like
// [New].
func LinkedGateway() netip.Addr { return linked().Gateway }

// linked returns the rules for the linked values. It panics on unknown values, which are a mistake in the build.
func linked() address.Rules {
	if loopback == "" && gateway == "" {
		return address.Rules{}
	}
	if loopback != "allowed" {
		panic(fmt.Sprintf(`outbound: linked with loopback=%q: it must be "allowed" or left out`, loopback))
	}
	rules := address.Rules{AllowLoopback: true}
	if gateway == "" {
		return rules
	}
	var err error
	if rules.Gateway, err = netip.ParseAddr(gateway); err != nil || !rules.Gateway.Is4() || !rules.Gateway.IsPrivate() {
		panic(fmt.Sprintf("outbound: linked with gateway=%q: it must be a private IPv4 address or left out", gateway))
	}
	return rules
}

// errBlocked is the error of the dialer for an address that must not be called.
var errBlocked = errors.New("outbound: the address may not be called")

// guard checks each address just before the dialer connects to it, whichever name, redirect or resolver led to the
// address.
type guard struct{ rules address.Rules }

// control is the Control function of the net.Dialer.
func (g guard) control(network, dialled string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(dialled)
	if err != nil || network != "tcp4" && network != "tcp6" || !g.rules.Allows(target.Addr()) {
		return errBlocked
	}
	return nil
}

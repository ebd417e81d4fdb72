package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"nepenthes/shared/address"
)

// loopback and gateway open the guard in binaries for the emulator, whose receivers are on this machine. The
// linker alone sets them (-ldflags "-X nepenthes/shared/outbound.loopback=allowed"); no variable of the
// environment, no setting and no template does. loopback is "allowed" or absent. gateway, only beside it, is
// the private IPv4 address at which a container finds the machine that it runs on.
var (
	loopback string
	gateway  string
)

// LinkedLoopback reports whether this binary was linked for loopback receivers, so that payload URLs are judged
// by the same rule when they are saved. It panics like [New] on values that are unknown.
func LinkedLoopback() bool { return linked().AllowLoopback }

// LinkedGateway is the gateway that this binary was linked for, the zero Addr for none. It panics like [New].
func LinkedGateway() netip.Addr { return linked().Gateway }

// linked reads the linked-in values. Anything but the known ones is a mistake in the build.
func linked() address.Rules {
	if loopback == "" && gateway == "" {
		return address.Rules{}
	}
	if loopback != "allowed" {
		panic(fmt.Sprintf(`outbound: linked with loopback=%q: it is "allowed" or left out`, loopback))
	}
	rules := address.Rules{AllowLoopback: true}
	if gateway == "" {
		return rules
	}
	var err error
	if rules.Gateway, err = netip.ParseAddr(gateway); err != nil || !rules.Gateway.Is4() || !rules.Gateway.IsPrivate() {
		panic(fmt.Sprintf("outbound: linked with gateway=%q: it is a private IPv4 address or left out", gateway))
	}
	return rules
}

// errBlocked is the dialer's error for an address that must not be called.
var errBlocked = errors.New("outbound: the address may not be called")

// guard stands in the dialer, between the making of a socket and its connecting: it sees each address that is
// dialled, whatever name, redirect or resolver led to it.
type guard struct{ rules address.Rules }

// control is a net.Dialer's Control.
func (g guard) control(network, dialled string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(dialled)
	if err != nil || network != "tcp4" && network != "tcp6" || !g.rules.Allows(target.Addr()) {
		return errBlocked
	}
	return nil
}

package address

import (
	"context"
	"net/netip"
	"time"
)

// lookupTimeout is short, because the client waits for the lookup when it saves a webhook.
const lookupTimeout = 2 * time.Second

// Resolver looks up host names. *net.Resolver is a Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// CheckLookup looks up host, for at most 2 s, and returns a *[Refusal] if the rules do not allow one of its addresses.
// It accepts a name that cannot be looked up: the name may get addresses later, and every address is checked again when
// it is dialled. The refusal does not contain the address, which may be in the operator's network.
func CheckLookup(ctx context.Context, resolver Resolver, host string, rules Rules) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addrs, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil { // accepted, see above
		return nil
	}
	for _, addr := range addrs {
		if !rules.Allows(addr) {
			return specialAnswer
		}
	}
	return nil
}

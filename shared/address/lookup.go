package address

import (
	"context"
	"net/netip"
	"time"
)

// lookupTimeout bounds the look-up at save, so that a slow name server delays the answer by no more.
const lookupTimeout = 2 * time.Second

// Resolver looks names up; *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// CheckLookup looks host up, for at most 2 s, and refuses it with a *[Refusal] if any of its addresses may
// not be called. A name without an answer is accepted: it may get one later, and every address is judged
// again when it is dialled. The refusal does not name the address, which may be one of the operator's network.
func CheckLookup(ctx context.Context, resolver Resolver, host string, rules Rules) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addrs, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for _, addr := range addrs {
		if !rules.Allows(addr) {
			return specialAnswer
		}
	}
	return nil
}

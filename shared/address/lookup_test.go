package address_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"nepenthes/shared/address"
)

// lookup is a function that implements Resolver.
type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (l lookup) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return l(ctx, network, host)
}

func answer(addrs ...string) lookup {
	return func(context.Context, string, string) ([]netip.Addr, error) {
		var all []netip.Addr
		for _, addr := range addrs {
			all = append(all, netip.MustParseAddr(addr))
		}
		return all, nil
	}
}

func TestCheckLookup(t *testing.T) {
	loopback := address.Rules{AllowLoopback: true}
	tests := []struct {
		name     string
		resolver lookup
		rules    address.Rules
		refused  bool
	}{
		{"public", answer("8.8.8.8", "2606:4700::1111"), address.Rules{}, false},
		{"private", answer("10.0.0.1"), address.Rules{}, true},
		{"one of many is private", answer("8.8.8.8", "1.1.1.1", "10.0.0.1"), address.Rules{}, true},
		{"mapped", answer("::ffff:169.254.169.254"), address.Rules{}, true},
		{"NAT64", answer("64:ff9b::808:808"), address.Rules{}, true},
		{"zone", answer("fe80::1%eth0"), address.Rules{}, true},
		{"loopback", answer("127.0.0.1"), address.Rules{}, true},
		{"loopback allowed", answer("127.0.0.1", "::1"), loopback, false},
		{"private with loopback allowed", answer("127.0.0.1", "10.0.0.1"), loopback, true},
		{"empty answer", answer(), address.Rules{}, false},
		{"no such name", func(context.Context, string, string) ([]netip.Addr, error) {
			return nil, errors.New("no such host")
		}, address.Rules{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := address.CheckLookup(t.Context(), test.resolver, "receiver.example", test.rules)
			if _, refused := errors.AsType[*address.Refusal](err); refused != test.refused || (err != nil) != refused {
				t.Errorf("got %v, want a refusal: %t", err, test.refused)
			}
		})
	}
	t.Run("the host is looked up", func(t *testing.T) {
		var asked string
		_ = address.CheckLookup(t.Context(), lookup(func(_ context.Context, network, host string) ([]netip.Addr, error) {
			asked = network + " " + host
			return nil, nil
		}), "receiver.example", address.Rules{})
		if asked != "ip receiver.example" {
			t.Errorf("looked up %q, want the host", asked)
		}
	})
}

func TestCheckLookupTakesTwoSecondsAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		err := address.CheckLookup(t.Context(), lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), "slow.example", address.Rules{})
		if err != nil {
			t.Errorf("got %v for a name without an answer, want it accepted", err)
		}
		if took := time.Since(started); took != 2*time.Second {
			t.Errorf("CheckLookup took %v, want 2s", took)
		}
	})
}

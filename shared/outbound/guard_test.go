package outbound_test

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"nepenthes/shared/delivery"
	"nepenthes/shared/outbound"
)

// elsewhere has hosts that are never called, even if loopback is allowed.
var elsewhere = []string{
	"10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
	"192.0.2.1", "198.18.0.1", "[::]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]",
	"[64:ff9b::808:808]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25lo]", "[2001:db8::1]",
}

func TestGuardBlocks(t *testing.T) {
	r := receive(t, func(c *conn) { c.read(); c.say(ok) })
	_, port, _ := strings.Cut(r.Addr().String(), ":")
	shut, loopback := client(t, outbound.Options{}), open(t)
	for _, host := range append([]string{"127.0.0.1", "127.0.0.2", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::1%25lo]"}, elsewhere...) {
		for _, scheme := range []string{"http", "https"} {
			got := post(t, shut, scheme+"://"+host+":"+port+"/")
			checkClass(t, got, delivery.ErrBlocked)
			if got.Answer != nil || strings.Contains(got.Message, strings.Trim(host, "[]")) {
				t.Errorf("%s: answer %v, message %q", host, got.Answer, got.Message)
			}
		}
	}
	for _, host := range elsewhere {
		checkClass(t, post(t, loopback, "http://"+host+":"+port+"/"), delivery.ErrBlocked)
	}
	// Spellings that some resolvers accept as addresses: whatever they resolve to, nothing is called.
	for _, host := range []string{"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.000.000.001", "１２７.０.０.１"} {
		if got := post(t, shut, "http://"+host+":"+port+"/"); got.Class != delivery.ErrBlocked && got.Class != delivery.ErrDNS {
			t.Errorf("%s: class %q", host, got.Class)
		}
	}
	if n := r.Accepted.Load(); n != 0 {
		t.Errorf("%d connections arrived, want none", n)
	}
}

func TestGuardOpenForLoopback(t *testing.T) {
	r := answering(t, ok)
	_, port, _ := strings.Cut(r.Addr().String(), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		checkClass(t, post(t, open(t), "http://"+host+":"+port+"/"), "")
	}
}

// TestGuardChecksAddressesOfNames checks that each address of a name is checked whenever it is dialled.
func TestGuardChecksAddressesOfNames(t *testing.T) {
	tests := []struct {
		name  string
		addrs []string
		class delivery.ErrorClass
	}{
		{"loopback", []string{"127.0.0.1"}, ""},
		{"private", []string{"10.0.0.1"}, "blocked"},
		{"IPv6 private", []string{"fd00:ec2::254"}, "blocked"},
		{"NAT64", []string{"64:ff9b::a9fe:a9fe"}, "blocked"},
		{"private, then loopback", []string{"10.0.0.1", "127.0.0.1"}, ""},
		{"loopback, then private", []string{"127.0.0.1", "10.0.0.1"}, ""},
		{"private IPv6 and IPv4", []string{"fe80::1", "10.0.0.1"}, "blocked"},
		{"no address", []string{}, "dns"},
		{"no such name", nil, "dns"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := answering(t, ok)
			_, port, _ := strings.Cut(r.Addr().String(), ":")
			c := client(t, outbound.Options{Loopback: true, Resolver: names(func(string) []string { return test.addrs })})
			got := post(t, c, "http://receiver.example:"+port+"/")
			checkClass(t, got, test.class)
			for _, addr := range test.addrs {
				if strings.Contains(got.Message, addr) {
					t.Errorf("message %q contains an address", got.Message)
				}
			}
			if got.Timing.DNS < 0 {
				t.Error("the lookup was not measured")
			}
		})
	}
}

// TestGuardBlocksRebinding checks that a name that first led to an allowed address is blocked once it leads to another
// (DNS rebinding). A kept connection leads to the address that was checked, so it needs no lookup.
func TestGuardBlocksRebinding(t *testing.T) {
	zones := [][]string{{"127.0.0.1"}, {"10.0.0.1"}, {"169.254.169.254", "10.0.0.1"}, {"127.0.0.1"}}
	var at, asked atomic.Int64
	resolver := names(func(string) []string { asked.Add(1); return zones[at.Load()] })
	r := receive(t, func(c *conn) {
		for c.read() && c.say(ok) && !strings.HasSuffix(c.request.URL.Path, "/last") { //nolint:revive // the condition does all the work
		}
		c.end()
	})
	_, port, _ := strings.Cut(r.Addr().String(), ":")
	c := client(t, outbound.Options{Loopback: true, Resolver: resolver})
	url := "http://rebind.example:" + port

	checkClass(t, post(t, c, url+"/first"), "")
	at.Store(1)
	before := asked.Load()
	checkClass(t, post(t, c, url+"/kept"), "")
	if asked.Load() != before || r.Accepted.Load() != 1 {
		t.Errorf("got %d lookups and %d connections, want 0 and 1", asked.Load()-before, r.Accepted.Load())
	}
	c.CloseIdleConnections()
	checkClass(t, post(t, c, url+"/rebound"), delivery.ErrBlocked)
	at.Store(2)
	checkClass(t, post(t, c, url+"/rebound"), delivery.ErrBlocked)
	at.Store(3)
	checkClass(t, post(t, c, url+"/back"), "")
	if n := r.Requests.Load(); n != 3 {
		t.Errorf("%d requests arrived, want 3", n)
	}
}

// TestMain sets a proxy in the environment of every test, as many machines do. The proxy would dial out of sight of the
// guard. Nothing listens at its address, so every call by a name proves that the proxy is not used.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		os.Setenv(name, "http://127.0.0.1:1")
	}
	os.Exit(m.Run())
}

// TestGuardIsShutByDefault checks the binary of this test, which is linked like any other: only an argument opens the
// guard.
func TestGuardIsShutByDefault(t *testing.T) {
	if outbound.LinkedLoopback() || outbound.LinkedGateway().IsValid() {
		t.Error("the guard is open")
	}
}

package address_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"nepenthes/shared/address"
)

func TestCheckURLAccepts(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"normal form", "https://billing.example.com/hooks", "https://billing.example.com/hooks"},
		{"no path", "https://example.com", "https://example.com"},
		{"port", "https://example.com:8443/", "https://example.com:8443/"},
		{"port 1", "https://example.com:1", "https://example.com:1"},
		{"port with zeros", "https://example.com:00443/", "https://example.com:443/"},
		{"empty port", "https://example.com:/x", "https://example.com/x"},
		{"query", "https://example.com/h?token=a%20b&c", "https://example.com/h?token=a%20b&c"},
		{"path and query outside ASCII", "https://example.com/é?q=é", "https://example.com/%C3%A9?q=%C3%A9"},
		{"encoded slash", "https://example.com/a%2Fb", "https://example.com/a%2Fb"},
		{"at sign in the path", "https://example.com/@you", "https://example.com/@you"},
		{"upper case", "HTTPS://Example.COM/Hooks", "https://example.com/Hooks"},
		{"IDNA", "https://Bücher.example/x", "https://xn--bcher-kva.example/x"},
		{"punycode", "https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x"},
		{"ideographic stop", "https://example。com/x", "https://example.com/x"},
		{"trailing dot", "https://example.com./x", "https://example.com/x"},
		{"underscore", "https://my_host.example.com/", "https://my_host.example.com/"},
		{"hyphens", "https://r3---sn.example.com/", "https://r3---sn.example.com/"},
		{"one label", "https://receiver/", "https://receiver/"},
		{"name that begins with a number", "https://127.0.0.1.example.com/", "https://127.0.0.1.example.com/"},
		{"public IPv4", "https://1.1.1.1/", "https://1.1.1.1/"},
		{"public IPv6", "https://[2606:4700:0:0::1111]:444/", "https://[2606:4700::1111]:444/"},
		{"public IPv6 without port", "https://[2606:4700::1111]", "https://[2606:4700::1111]"},
		{"localhost as a label of a name", "https://localhost.example.com/", "https://localhost.example.com/"},
		{"2048 characters", "https://example.com/" + strings.Repeat("a", 2028), "https://example.com/" + strings.Repeat("a", 2028)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := address.CheckURL(test.raw, address.Rules{})
			if err != nil {
				t.Fatalf("CheckURL(%q): %v", test.raw, err)
			}
			if got.String() != test.want {
				t.Errorf("CheckURL(%q) = %q, want %q", test.raw, got, test.want)
			}
		})
	}
}

func TestCheckURLRefuses(t *testing.T) {
	tests := []struct{ name, raw, message string }{
		{"empty", "", "not an absolute URL"},
		{"no scheme", "example.com/hooks", "not an absolute URL"},
		{"scheme only", "https://", "not an absolute URL"},
		{"opaque", "https:example.com", "not an absolute URL"},
		{"path only", "/hooks", "not an absolute URL"},
		{"space before", " https://example.com", "not an absolute URL"},
		{"space after", "https://example.com ", "not an absolute URL"},
		{"two URLs", "https://a.example.com, https://b.example.com", "not an absolute URL"},
		{"line break", "https://example.com/\r\nX: y", "not an absolute URL"},
		{"NUL", "https://example.com/\x00", "not an absolute URL"},
		{"not UTF-8", "https://example.com/\xff", "not an absolute URL"},
		{"bad escape", "https://example.com/%zz", "not an absolute URL"},
		{"port without host", "https://:443/", "not an absolute URL"},
		{"backslash", `https://example.com\@127.0.0.1/`, "not an absolute URL"},
		{"http", "http://example.com/", "does not begin with https://"},
		{"ftp", "ftp://example.com/", "neither https:// nor http://"},
		{"javascript", "javascript:alert(1)", "neither https:// nor http://"},
		{"user", "https://user@example.com/", "user information"},
		{"user and password", "https://user:secret@example.com/", "user information"},
		{"empty user", "https://@example.com/", "user information"},
		{"fragment", "https://example.com/#top", "fragment"},
		{"empty fragment", "https://example.com/#", "fragment"},
		{"port 0", "https://example.com:0/", "port"},
		{"port 000", "https://example.com:000/", "port"},
		{"port too large", "https://example.com:65536/", "port"},
		{"port far too large", "https://example.com:18446744073709551617/", "port"},
		{"empty label", "https://a..example.com/", "not a host name"},
		{"two trailing dots", "https://example.com../", "not a host name"},
		{"dot only", "https://./", "not a host name"},
		{"long label", "https://" + strings.Repeat("a", 64) + ".example.com/", "not a host name"},
		{"long name", "https://" + strings.Repeat("a.", 127) + "com/", "not a host name"},
		{"full-width at sign", "https://example.com＠evil.example/", "not a host name"},
		{"full-width slash", "https://example.com／x", "not a host name"},
		{"full-width colon", "https://example.com：80/", "not a host name"},
		{"comma", "https://example,com/", "not a host name"},
		{"broken punycode", "https://xn--a.example/", "not a host name"},
		{"2049 characters", "https://example.com/" + strings.Repeat("a", 2029), "longer than 2048"},
		{"too long when encoded", "https://example.com/" + strings.Repeat("é", 1000), "longer than 2048"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			refused(t, test.raw, address.Rules{}, test.message)
		})
	}
}

// locals has special-purpose hosts in all spellings that some program understands. The zero Rules allow none of them.
var locals = []string{
	"127.0.0.1", "127.1", "127.0.1", "127.000.000.001", "0177.0.0.1", "0177.1", "0x7f.0.0.1", "0x7f.1", "0X7F000001",
	"0x7f000001", "2130706433", "017700000001", "127.0.0.0x1", "127.0.0.01", "127.0.0.1.", "0", "0.0.0.0", "0x0", "0x",
	"127.0.0.1%20", "%31%32%37.0.0.1", "１２７.０.０.１", "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1",
	"①②⑦.0.0.1", "127.0.0.1。", "１２７。１", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "0ｘ7f.1",
	"10.0.0.1", "10.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.257", "3232235521", "169.254.169.254",
	"2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "169.254.170.2", "100.64.0.1", "100.100.100.200",
	"192.0.0.192", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
	"255.255.255.255", "256.256.256.256", "1.2.3.4.5", "4294967296", "127.0.0.1.127", "999999999999999999999",
	"[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
	"[::FFFF:10.0.0.1]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[::ffff:8.8.8.8]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]",
	"[64:ff9b:1::1]", "[64:ff9b::8.8.8.8]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
	"[2001:db8::1]", "[3fff::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]",
	"[::1%25lo]", "[2606:4700::1111%25eth0]", "[fec0::1]", "[ff02::1]", "[100::1]", "[5f00::1]", "[127.0.0.1]", "[localhost]",
	"::1", "localhost", "LOCALHOST", "localhost.", "LocalHost。", "ｌｏｃａｌｈｏｓｔ", "local\u00adhost", "a.localhost",
	"a.b.localhost.", "printer.local", "PRINTER.LOCAL.", "db.internal", "metadata.google.internal", "ip-10-0-0-1.ec2.INTERNAL.",
	"ⓛocalhost", "x.ｉnternal", "local", "internal",
}

func TestCheckURLRefusesLocals(t *testing.T) {
	strict := []address.Rules{{}, {AllowHTTP: true}}
	for _, host := range locals {
		for _, rules := range strict {
			for _, raw := range []string{"https://" + host + "/hooks", "http://" + host, "https://" + host + ":8443/"} {
				if got, err := address.CheckURL(raw, rules); err == nil {
					t.Errorf("CheckURL(%q) = %q, want it refused", raw, got)
				}
			}
		}
	}
}

// TestCheckURLWithLoopback checks that AllowLoopback allows three forms of loopback and no other host of locals.
func TestCheckURLWithLoopback(t *testing.T) {
	rules := address.Rules{AllowLoopback: true}
	allowed := map[string]string{
		"127.0.0.1": "127.0.0.1", "127.0.0.1.": "127.0.0.1", "１２７.０.０.１": "127.0.0.1", "127。0。0。1": "127.0.0.1",
		"127．0．0．1": "127.0.0.1", "127｡0｡0｡1": "127.0.0.1", "①②⑦.0.0.1": "127.0.0.1", "127.0.0.1。": "127.0.0.1",
		"𝟏𝟐𝟕.𝟎.𝟎.𝟏": "127.0.0.1", "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1": "127.0.0.1",
		"[::1]": "[::1]", "[0:0:0:0:0:0:0:1]": "[::1]", "[0000::0001]": "[::1]",
		"localhost": "localhost", "LOCALHOST": "localhost", "localhost.": "localhost", "LocalHost。": "localhost",
		"ｌｏｃａｌｈｏｓｔ": "localhost", "local\u00adhost": "localhost", "ⓛocalhost": "localhost",
	}
	for _, host := range append(locals, "127.255.255.254") {
		want, ok := allowed[host]
		if host == "127.255.255.254" {
			want, ok = host, true
		}
		for _, scheme := range []string{"http", "https"} {
			got, err := address.CheckURL(scheme+"://"+host+":8081/hooks", rules)
			switch {
			case ok && err != nil:
				t.Errorf("%s://%s: got %v, want it accepted", scheme, host, err)
			case ok && got.String() != scheme+"://"+want+":8081/hooks":
				t.Errorf("%s://%s: got %s, want host %s", scheme, host, got, want)
			case !ok && err == nil:
				t.Errorf("%s://%s: got %s, want it refused", scheme, host, got)
			}
		}
	}
	t.Run("http to another host", func(t *testing.T) {
		refused(t, "http://example.com/", rules, "does not begin with https://")
		refused(t, "http://1.1.1.1/", rules, "does not begin with https://")
	})
}

func TestCheckURLWithGateway(t *testing.T) {
	rules := address.Rules{AllowLoopback: true, Gateway: netip.MustParseAddr("172.17.0.1")}
	if _, err := address.CheckURL("http://172.17.0.1:8081/hooks", rules); err != nil {
		t.Errorf("got %v for the gateway, want it accepted", err)
	}
	refused(t, "http://172.17.0.2:8081/hooks", rules, "special-purpose")
}

func TestCheckURLWithHTTP(t *testing.T) {
	rules := address.Rules{AllowHTTP: true}
	if _, err := address.CheckURL("http://example.com/", rules); err != nil {
		t.Errorf("got %v, want it accepted", err)
	}
	refused(t, "http://127.0.0.1/", rules, "special-purpose")
	refused(t, "http://localhost/", rules, "only known inside")
}

func TestCheckURLRefusesOwnAddress(t *testing.T) {
	rules := address.Rules{
		AllowHTTP: true, AllowLoopback: true,
		Own: []string{"api.example.com:443", "127.0.0.1:8080", "Bücher.example", "[2606:4700::1111]:444", "nonsense:::", ""},
	}
	for _, raw := range []string{
		"https://api.example.com/x", "https://API.example.com:443/", "https://api.example.com.:0443/", "http://api.example.com:443/",
		"http://127.0.0.1:8080/", "http://localhost:8080/", "http://[::1]:8080/", "http://127.0.0.9:8080/",
		"https://xn--bcher-kva.example/", "http://xn--bcher-kva.example/", "https://[2606:4700::1111]:444/",
	} {
		refused(t, raw, rules, "this service itself")
	}
	for _, raw := range []string{
		"https://api.example.com:8443/", "http://api.example.com/", "https://www.api.example.com/", "http://127.0.0.1:8081/",
		"https://xn--bcher-kva.example:8443/", "https://[2606:4700::1111]/",
	} {
		if _, err := address.CheckURL(raw, rules); err != nil {
			t.Errorf("CheckURL(%q): got %v, want it accepted", raw, err)
		}
	}
}

// TestRefusalContainsNoSecret checks that a refusal does not repeat any part of the URL that may be secret.
func TestRefusalContainsNoSecret(t *testing.T) {
	for _, raw := range []string{
		"https://user:hunter2@example.com/hunter2", "https://example.com/hunter2#hunter2", "ftp://hunter2", "https://127.0.0.1/hunter2",
		"https://hunter2..example/hunter2?hunter2", "https://%zz/hunter2", "https://hunter2.local/", "https://x:hunter2/",
	} {
		_, err := address.CheckURL(raw, address.Rules{})
		refusal, ok := errors.AsType[*address.Refusal](err)
		if !ok {
			t.Errorf("CheckURL(%q): got %v, want a refusal", raw, err)
			continue
		}
		if strings.Contains(refusal.Message+refusal.Hint, "hunter2") {
			t.Errorf("CheckURL(%q): got %q and %q, want nothing of the URL", raw, refusal.Message, refusal.Hint)
		}
	}
}

func TestOrigin(t *testing.T) {
	for raw, want := range map[string]string{
		"HTTPS://Example.com/x": "https://example.com:443", "https://example.com:443": "https://example.com:443",
		"https://example.com.:0443/?y": "https://example.com:443", "http://localhost/": "http://localhost:80",
		"https://localhost:80/": "https://localhost:80", "https://example.com:444/": "https://example.com:444",
		"https://[2606:4700:0::1111]/": "https://[2606:4700::1111]:443", "https://B\u00fccher.example": "https://xn--bcher-kva.example:443",
	} {
		u, err := address.CheckURL(raw, address.Rules{AllowLoopback: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := address.Origin(u.String()); err != nil || got != want {
			t.Errorf("Origin(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
}

// TestOriginOfOtherTexts checks that a URL in another spelling has the origin of its own host, or none.
func TestOriginOfOtherTexts(t *testing.T) {
	for raw, want := range map[string]string{
		"https://example.com@thief.example/": "https://thief.example:443", "https://example.com:443@thief.example": "https://thief.example:443",
		"https://Example.com/": "https://Example.com:443", "https://example.com./": "https://example.com.:443", "https://example.com:": "https://example.com:443",
	} {
		if got, err := address.Origin(raw); err != nil || got != want {
			t.Errorf("Origin(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
	for _, raw := range []string{
		"", "example.com", "//example.com/", "/x", "ftp://example.com/", "https:example.com", "https:///x", "https://:443/",
		"https://example.com\\@thief.example/", "https://exa mple.com/", "https://[::1", "javascript:https://example.com/", "https://example.com:x/",
	} {
		if got, err := address.Origin(raw); err == nil {
			t.Errorf("Origin(%q) = %q, want an error", raw, got)
		} else if strings.Contains(err.Error(), "example") {
			t.Errorf("Origin(%q): got %v, want nothing of the URL", raw, err)
		}
	}
}

// FuzzCheckURL looks for an accepted URL whose host is special-purpose, or whose normal form changes when it is checked
// again.
func FuzzCheckURL(f *testing.F) {
	for _, host := range locals {
		f.Add("https://"+host+":1/x", false)
	}
	for _, addr := range public {
		f.Add("https://"+addr, true)
		f.Add("http://["+addr+"]", true)
	}
	f.Add("https://Bücher.example/é?é=%20", false)
	f.Fuzz(func(t *testing.T, raw string, loopback bool) {
		rules := address.Rules{AllowHTTP: true, AllowLoopback: loopback}
		u, err := address.CheckURL(raw, rules)
		if err != nil {
			if r, ok := errors.AsType[*address.Refusal](err); !ok || r.Message == "" || r.Hint == "" {
				t.Fatalf("CheckURL(%q): got %v, want a refusal with a message and a hint", raw, err)
			}
			return
		}
		checkAccepted(t, u, rules)
	})
}

// checkAccepted checks the rules for every accepted URL.
func checkAccepted(t *testing.T, u *url.URL, rules address.Rules) {
	t.Helper()
	again, err := address.CheckURL(u.String(), rules)
	if err != nil || again.String() != u.String() {
		t.Fatalf("CheckURL(%q): got %v, %v, want the same URL again", u, again, err)
	}
	// net/http parses the text again, and dials the host that it finds.
	parsed, err := url.Parse(u.String())
	if err != nil {
		t.Fatal(err)
	}
	host := parsed.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil && !rules.Allows(addr) {
		t.Fatalf("got %q accepted, want it refused", u)
	}
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:") != "" || len(u.String()) > address.MaxURL || parsed.User != nil {
		t.Fatalf("got %q, want a normal form", u)
	}
	for _, local := range []string{"localhost", "local", "internal"} {
		if host == local && !(rules.AllowLoopback && host == "localhost") || strings.HasSuffix(host, "."+local) {
			t.Fatalf("got %q accepted, want it refused", u)
		}
	}
}

// refused checks that CheckURL refuses raw with a message that contains the given one.
func refused(t *testing.T, raw string, rules address.Rules, message string) {
	t.Helper()
	got, err := address.CheckURL(raw, rules)
	refusal, ok := errors.AsType[*address.Refusal](err)
	if !ok {
		t.Errorf("CheckURL(%q): got %v, %v, want a refusal", raw, got, err)
		return
	}
	if !strings.Contains(refusal.Message, message) || refusal.Hint == "" {
		t.Errorf("CheckURL(%q): got message %q and hint %q, want %q and a hint", raw, refusal.Message, refusal.Hint, message)
	}
}

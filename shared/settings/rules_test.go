package settings_test

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
)

func TestNormaliseOrigin(t *testing.T) {
	for given, want := range map[string]string{
		"https://app.example.com":       "https://app.example.com",
		"HTTPS://App.Example.COM":       "https://app.example.com",
		"https://app.example.com:443":   "https://app.example.com",
		"http://app.example.com:80":     "http://app.example.com",
		"http://app.example.com:443":    "http://app.example.com:443",
		"https://app.example.com:0443":  "https://app.example.com",
		"https://app.example.com:8443":  "https://app.example.com:8443",
		"http://localhost:3000":         "http://localhost:3000",
		"http://127.0.0.1:3000":         "http://127.0.0.1:3000",
		"http://[::1]:3000":             "http://[::1]:3000",
		"http://[0:0:0:0:0:0:0:1]":      "http://[::1]",
		"https://Äpp.example.com":       "https://xn--pp-uia.example.com",
		"https://ａpp.example.com":       "https://app.example.com",
		"https://straße.de":             "https://xn--strae-oqa.de",
		"https://my_app.example.com":    "https://my_app.example.com",
		"chrome-extension://abcdefghij": "chrome-extension://abcdefghij",
	} {
		t.Run(given, func(t *testing.T) {
			got, wrong := settings.NormaliseOrigin(given)
			if got != want || wrong != "" {
				t.Errorf("got %q, %q, want %q", got, wrong, want)
			}
			if again, _ := settings.NormaliseOrigin(got); again != got {
				t.Errorf("got %q the second time, want %q", again, got)
			}
		})
	}
}

// TestNormaliseAddress compares with the values of new URL(…).origin in a browser.
func TestNormaliseAddress(t *testing.T) {
	for given, want := range map[string]string{
		"http://[::ffff:127.0.0.1]:3000":       "http://[::ffff:7f00:1]:3000",
		"http://[::FFFF:7F00:0001]":            "http://[::ffff:7f00:1]",
		"http://[0:0:0:0:0:ffff:0.0.0.0]":      "http://[::ffff:0:0]",
		"http://[::ffff:0.0.10.255]":           "http://[::ffff:0:aff]",
		"http://[::127.0.0.1]":                 "http://[::7f00:1]",
		"http://[64:ff9b::192.0.2.1]":          "http://[64:ff9b::c000:201]",
		"http://[2001:DB8::0:0:1]":             "http://[2001:db8::1]",
		"http://[2001:db8:0:0:1:0:0:1]":        "http://[2001:db8::1:0:0:1]",
		"http://[1:0:2:3:4:5:6:7]":             "http://[1:0:2:3:4:5:6:7]",
		"http://[1::2:3:4:5:6:7]":              "http://[1:0:2:3:4:5:6:7]",
		"http://0x7f.1":                        "http://127.0.0.1",
		"http://0X7F.0x0.0x0.0x1:3000":         "http://127.0.0.1:3000",
		"http://127.1":                         "http://127.0.0.1",
		"http://127.0.1":                       "http://127.0.0.1",
		"http://2130706433":                    "http://127.0.0.1",
		"http://0x7f000001":                    "http://127.0.0.1",
		"http://017700000001":                  "http://127.0.0.1",
		"http://0177.0.0.01":                   "http://127.0.0.1",
		"http://127.0.0.1.":                    "http://127.0.0.1",
		"http://1.65535":                       "http://1.0.255.255",
		"http://0":                             "http://0.0.0.0",
		"http://0x":                            "http://0.0.0.0",
		"http://4294967295":                    "http://255.255.255.255",
		"http://１２７.０.０.１":                     "http://127.0.0.1",
		"http://1.2.3.example":                 "http://1.2.3.example",
		"capacitor://1234":                     "capacitor://1234",
		"https://[::ffff:192.0.2.128]:443":     "https://[::ffff:c000:280]",
		"moz-extension://[::ffff:192.0.2.128]": "moz-extension://[::ffff:c000:280]",
	} {
		t.Run(given, func(t *testing.T) {
			got, wrong := settings.NormaliseOrigin(given)
			if got != want || wrong != "" {
				t.Errorf("got %q, %q, want %q", got, wrong, want)
			}
			if again, _ := settings.NormaliseOrigin(got); again != got {
				t.Errorf("got %q the second time, want %q", again, got)
			}
		})
	}
}

func TestNormaliseOriginRefuses(t *testing.T) {
	for _, given := range []string{
		"", "*", "null", "app.example.com", "//app.example.com", "://app.example.com", "https:app.example.com", "https//app.example.com",
		"https://", "https:///", "https://app.example.com/", "https://app.example.com/path", "https://app.example.com?x", "https://app.example.com#x",
		"https://user@app.example.com", "https://user:pw@app.example.com", "https://*.example.com", "https://app.example.com:", "https://app.example.com:0",
		"https://app.example.com:65536", "https://app.example.com:x", "https://app.example.com:443:443", "https://app example.com", "https://app..example.com",
		"https://a.0x", "https://1.2.3.4.5", "https://256.1.1.1", "https://1.2.3.256", "https://4294967296", "https://08.1", "https://0xg.1", "https://a.1",
		"https://[::ffff:127.0.0.01]", "https://[::ffff:127.1]", "https://[::ffff:1.2.3.256]", "https://[1::2::3]", "https://[12345::]", "https://[::1]x",
		"https://[::1", "https://::1", "https://[::1%25eth0]", "https://[1.2.3.4]", "https://app.example.com\\", "1https://app.example.com",
		"https://" + strings.Repeat("a", 64) + ".com", "https://" + strings.Repeat("a.", 150) + "com", "https://app.example.com https://b.example.com", "file://", "https://app.example.com\n",
	} {
		t.Run(given, func(t *testing.T) {
			if got, wrong := settings.NormaliseOrigin(given); wrong == "" {
				t.Errorf("got %q, want it refused", got)
			}
		})
	}
}

func TestNormalise(t *testing.T) {
	s := settings.Defaults()
	s.CORSEnabled = true
	s.AllowedOrigins = []string{"  https://a.example.com ", "", "HTTPS://A.example.com:443", "\t", "http://b.example.com"}
	if faults := s.Normalise(); faults.Len() > 0 {
		t.Fatalf("got %v, want no fault", faults)
	}
	if want := []string{"https://a.example.com", "http://b.example.com"}; !reflect.DeepEqual(s.AllowedOrigins, want) {
		t.Errorf("got %q, want %q", s.AllowedOrigins, want)
	}
	before := s
	if faults := s.Normalise(); faults.Len() > 0 || !reflect.DeepEqual(s, before) {
		t.Errorf("got %v and %v the second time, want no change", faults, s)
	}
}

func TestNormaliseNamesEachWrongLine(t *testing.T) {
	given := []string{"https://a.example.com", "", "https://b.example.com/", "*"}
	s := settings.Settings{MaxPageSize: 1, CORSEnabled: true, AllowedOrigins: given}
	faults := s.Normalise().List()
	if len(faults) != 2 {
		t.Fatalf("got %v, want a fault for each of the two wrong lines", faults)
	}
	for i, want := range []string{`Line 3, "https://b.example.com/",`, `Line 4, "*",`} {
		if f := faults[i]; f.Attribute != "cors.allowedOrigins" || !strings.HasPrefix(f.Message, want) || f.Hint == "" {
			t.Errorf("got %+v, want a message that begins with %s, and a hint", f, want)
		}
	}
	if !reflect.DeepEqual(s.AllowedOrigins, given) {
		t.Errorf("got %q, want the lines unchanged", s.AllowedOrigins)
	}
}

func TestNormaliseRefuses(t *testing.T) {
	origins := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("https://a%d.example.com", i))
		}
		return list
	}
	for name, c := range map[string]struct {
		settings  settings.Settings
		attribute string
	}{
		"a page size of 0":             {settings.Settings{}, "api.maxPageSize"},
		"a page size of 1001":          {settings.Settings{MaxPageSize: 1001}, "api.maxPageSize"},
		"a negative page size":         {settings.Settings{MaxPageSize: -1}, "api.maxPageSize"},
		"CORS without an origin":       {settings.Settings{MaxPageSize: 1, CORSEnabled: true}, "cors.allowedOrigins"},
		"CORS with blank origins only": {settings.Settings{MaxPageSize: 1, CORSEnabled: true, AllowedOrigins: []string{" "}}, "cors.allowedOrigins"},
		"101 origins":                  {settings.Settings{MaxPageSize: 1, AllowedOrigins: origins(101)}, "cors.allowedOrigins"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := c.settings.Normalise().List()
			if len(faults) != 1 || faults[0].Attribute != c.attribute || faults[0].Kind != fault.Internal {
				t.Errorf("got %+v, want one fault about %s", faults, c.attribute)
			}
		})
	}
	atMost := settings.Settings{MaxPageSize: 1000, CORSEnabled: true, AllowedOrigins: append(origins(100), origins(100)...)}
	if faults := atMost.Normalise(); faults.Len() > 0 {
		t.Errorf("got %v for 100 origins that are listed twice, want no fault", faults)
	}
}

// FuzzNormaliseOrigin looks for an origin that is refused when it is saved again, or that a browser would not send.
func FuzzNormaliseOrigin(f *testing.F) {
	for _, seed := range []string{"https://app.example.com:443", "http://[::1]:1", "https://xn--pp-uia.de", "https://Ⓐ.de", "a+b://c", "https://1.2.3.4", "https://0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		got, wrong := settings.NormaliseOrigin(given)
		if (got == "") == (wrong == "") {
			t.Fatalf("got %q and %q, want exactly one of them", got, wrong)
		}
		if wrong != "" {
			return
		}
		if again, wrong := settings.NormaliseOrigin(got); again != got {
			t.Errorf("got %q, %q the second time, want %q", again, wrong, got)
		}
		u, err := url.Parse(got)
		if err != nil || u.Host == "" || u.Path != "" || u.User != nil || u.RawQuery != "" {
			t.Errorf("got %q, which is not an origin: %v", got, err)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("got %q, which is not ASCII", got)
		}
	})
}

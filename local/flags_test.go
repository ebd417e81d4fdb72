package main

import (
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestParseDefaults(t *testing.T) {
	got, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := options{
		addr: "127.0.0.1:8080", receiverAddr: "127.0.0.1:8081", data: ".run/local", demo: true, speed: 1,
		allowLoopback: true, logLevel: slog.LevelWarn,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParse(t *testing.T) {
	got, err := parse([]string{
		"-addr", "127.0.0.1:0", "-public-url", "HTTPS://Dev.Example.com:443", "-receiver-addr", "127.0.0.1:1", "-data", "", "-demo=false", "-speed", "60", "-twice",
		"-allow-loopback=false", "-admin", "me:a:secret-of-24-character", "-receiver-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "-rate", "50", "-log-level", "info",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := options{
		addr: "127.0.0.1:0", publicURL: "https://dev.example.com", receiverAddr: "127.0.0.1:1", speed: 60, twice: true, admin: credentials{"me", "a:secret-of-24-character"},
		receiverSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", rate: 50, logLevel: slog.LevelInfo,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, args := range map[string]string{
		"an unknown flag":              "-frobnicate",
		"a speed of zero":              "-speed 0",
		"a speed of NaN":               "-speed NaN",
		"a negative rate":              "-rate -1",
		"an admin without secret":      "-admin me",
		"an admin without id":          "-admin :secret",
		"an admin with a short secret": "-admin me:a-secret-of-23-letters.",
		"a secret of another kind":     "-receiver-secret plain-text-of-sixteen",
		"a secret that is too short":   "-receiver-secret whsec_AAAA",
		"a public URL without scheme":  "-public-url dev.example.com",
		"a public URL without host":    "-public-url https://",
		"a public URL with a path":     "-public-url https://dev.example.com/api",
		"a public URL with a slash":    "-public-url https://dev.example.com/",
		"a public URL with user info":  "-public-url https://me@dev.example.com",
		"a public URL with a query":    "-public-url https://dev.example.com?a=b",
		"a public URL with a fragment": "-public-url https://dev.example.com#a",
		"a public URL of another kind": "-public-url ftp://dev.example.com",
		"a public URL with port 0":     "-public-url http://dev.example.com:0",
		"a public URL with a quote":    "-public-url https://dev'example.com",
		"an unknown level":             "-log-level loud",
		"an argument":                  "now",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(strings.Fields(args), io.Discard)
			if err == nil {
				t.Fatal("the arguments were accepted")
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("got more than one sentence: %q", err)
			}
		})
	}
}

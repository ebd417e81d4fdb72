package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// opened opens the system with the arguments, and returns it with the lines that it announces. A caller that does not
// let it serve must close it.
func opened(t *testing.T, args ...string) (*system, []string) {
	t.Helper()
	o, err := parse(append([]string{"-addr", "127.0.0.1:0", "-receiver-addr", "127.0.0.1:0", "-data", "", "-demo=false"}, args...), io.Discard)
	check(t, err)
	s, err := open(t.Context(), o, io.Discard, slog.New(slog.DiscardHandler))
	check(t, err)
	var out bytes.Buffer
	s.announce(&out)
	return s, strings.Split(strings.TrimSpace(out.String()), "\n")
}

// The public URL is the one that the flag names, or else the address on which local listens, with localhost instead of
// an unspecified address.
func TestPublicURL(t *testing.T) {
	for name, c := range map[string]struct{ addr, public, want string }{
		"an address":       {"127.0.0.1:0", "", `http://127\.0\.0\.1:\d+`},
		"no host":          {":0", "", `http://localhost:\d+`},
		"any IPv4 address": {"0.0.0.0:0", "", `http://localhost:\d+`},
		"any IPv6 address": {"[::]:0", "", `http://localhost:\d+`},
		"a public URL":     {":0", "https://dev.example.com", `https://dev\.example\.com`},
		"with a port":      {"127.0.0.1:0", "http://dev.example.com:8080", `http://dev\.example\.com:8080`},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"-addr", c.addr, "-receiver-addr", c.addr}
			if c.public != "" {
				args = append(args, "-public-url", c.public)
			}
			s, lines := opened(t, args...)
			defer s.close()
			for i, want := range []string{"^console " + c.want + "/admin$", "^api " + c.want + "$", "^docs " + c.want + "/api/docs$"} {
				if !regexp.MustCompile(want).MatchString(lines[i]) {
					t.Errorf("got line %q, want %s", lines[i], want)
				}
			}
			if strings.Contains(lines[4], "[::]") || strings.Contains(lines[4], "0.0.0.0") {
				t.Errorf("got line %q, whose address cannot be called", lines[4])
			}
			answer := httptest.NewRecorder()
			s.api.Handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server", nil))
			var metadata struct {
				Issuer string `json:"issuer"`
				Token  string `json:"token_endpoint"`
			}
			check(t, json.Unmarshal(answer.Body.Bytes(), &metadata))
			if issuer := strings.TrimPrefix(lines[1], "api "); metadata.Issuer != issuer || metadata.Token != issuer+"/oauth/token" {
				t.Errorf("got metadata %+v, want that of %s", metadata, issuer)
			}
		})
	}
}

// The printed commands work in any shell, whatever characters the administrator's id and secret have.
func TestPrintedCommands(t *testing.T) {
	for name, admin := range map[string]string{
		"base64":       "admx:1PpG/Q+1==abcdefghijklmnopqrstuvwxyz",
		"shell":        `admin:it's $(touch pwned) "and" ` + "`touch pwned`" + ` \n ! ~ # & ; | < > * ? [a] {b,c}`,
		"form":         "admin:a+b%2B&c=d:%zz %% and so on",
		"every letter": "admin:" + printable(),
	} {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
			t.Run(name+" "+addr, func(t *testing.T) {
				s, lines := opened(t, "-addr", addr, "-admin", admin)
				ctx, cancel := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- s.serve(ctx, io.Discard) }()
				for _, line := range lines[5:] {
					for _, shell := range []string{"sh", "bash"} {
						command := exec.CommandContext(t.Context(), shell, "-c", line)
						command.Dir = t.TempDir()
						out, err := command.Output()
						if err != nil || !bytes.HasPrefix(out, []byte("{")) || bytes.Contains(out, []byte(`"error`)) {
							t.Errorf("%s: %s: %v %s", shell, line, err, out)
						}
					}
				}
				cancel()
				check(t, <-served)
			})
		}
	}
}

// printable returns all characters that a secret can have.
func printable() string {
	var all []byte
	for c := byte(' ') + 1; c < 0x7f; c++ {
		all = append(all, c)
	}
	return string(all)
}

package main

import (
	"bytes"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOutput checks the lines on standard output, which are a contract for scripts.
func TestOutput(t *testing.T) {
	p := start(t, "-demo=false", "-data", t.TempDir())
	lines := p.all()
	want := []string{
		`^console http://127\.0\.0\.1:\d+/admin$`,
		`^api http://127\.0\.0\.1:\d+$`,
		`^docs http://127\.0\.0\.1:\d+/api/docs$`,
		`^admin ` + regexp.QuoteMeta(testAdmin) + `$`,
		`^receiver http://127\.0\.0\.1:\d+/hooks \(secret ` + testSecret + `\)$`,
		`^curl `, `^curl `, `^curl `, `^ready$`,
	}
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, pattern := range want {
		if !regexp.MustCompile(pattern).MatchString(lines[i]) {
			t.Errorf("line %d: got %q, want %s", i+1, lines[i], pattern)
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "curl ") {
			pasted(t, line)
		}
	}
	for _, path := range []string{"/healthz", "/admin", "/api/docs"} {
		if resp, err := http.Get(p.api + path); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", path, resp, err)
		}
	}
	if code := p.interrupt(); code != 0 {
		t.Errorf("after Ctrl-C: got exit code %d, want 0: %s", code, p.stderr.String())
	}
}

// pasted runs a printed command in a shell. Its output must be JSON and not an error.
func pasted(t *testing.T, command string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
	if err != nil || !bytes.HasPrefix(out, []byte("{")) || bytes.Contains(out, []byte(`"error`)) {
		t.Errorf("%.60s…: %v %s", command, err, out)
	}
}

// TestDemo checks that every example event arrives and is verified, that the flaky receiver gets retries, and that the
// webhook of the quiet project gets nothing.
func TestDemo(t *testing.T) {
	p := start(t, "-data", t.TempDir(), "-speed", "60")
	p.until(func(lines []string) bool {
		n := 0
		for _, line := range lines {
			if strings.HasPrefix(line, "✓ ") && strings.Contains(line, "attempt=3 ") && strings.HasSuffix(line, " /flaky/receiver") {
				n++
			}
		}
		return n == 26-1 // all examples except the opt-in one
	})
	for _, line := range p.all() {
		if strings.HasPrefix(line, "✗") {
			t.Errorf("not verified: %s", line)
		}
		if strings.Contains(line, "/hooks/another-project") {
			t.Errorf("the webhook of the quiet project got %s", line)
		}
	}
	if code := p.interrupt(); code != 0 {
		t.Errorf("after Ctrl-C: got exit code %d, want 0: %s", code, p.stderr.String())
	}
}

// TestRestart checks that credentials, webhooks and secrets survive a restart, and that only the current user can read
// the folder.
func TestRestart(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	p := start(t, "-demo=false", "-data", folder)
	p.webhook("one", "http://127.0.0.1:9/hooks")
	checkModes(t, folder)
	p.kill()
	p = start(t, "-demo=false", "-data", folder)
	if total := p.call(http.MethodGet, "/api/v3/webhooks", "", http.StatusOK)["total"]; total != 1.0 {
		t.Errorf("got %v webhooks after the restart, want 1", total)
	}
	t.Run("a second process is refused", func(t *testing.T) {
		checkRefused(t, "-addr", "127.0.0.1:0", "-receiver-addr", "127.0.0.1:0", "-data", folder)
	})
}

func checkModes(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		check(t, err)
		info, err := d.Info()
		check(t, err)
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
		return nil
	})
	check(t, err)
}

func TestRefusedStarts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer taken.Close()
	foreign := t.TempDir()
	check(t, os.WriteFile(filepath.Join(foreign, "nepenthes.db"), []byte(strings.Repeat("not a database ", 1000)), 0o600))
	for name, args := range map[string][]string{
		"an unknown flag": {"-frobnicate"},
		"a port in use":   {"-addr", taken.Addr().String(), "-data", ""},
		"a foreign file":  {"-addr", "127.0.0.1:0", "-receiver-addr", "127.0.0.1:0", "-data", foreign},
	} {
		t.Run(name, func(t *testing.T) { checkRefused(t, args...) })
	}
}

// checkRefused runs the program, which must print one sentence and end with exit code 2.
func checkRefused(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitRefused {
		t.Errorf("got exit code %d, want %d", code, exitRefused)
	}
	if stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("the program printed %q and %q, want one sentence on standard error", stdout.String(), stderr.String())
	}
}

// TestInMemoryLeavesNoFiles checks that the program creates no file with -data "".
func TestInMemoryLeavesNoFiles(t *testing.T) {
	before := t.TempDir()
	t.Chdir(before)
	p := start(t, "-demo=false", "-data", "")
	p.webhook("one", "http://127.0.0.1:9/hooks")
	p.interrupt()
	left, err := os.ReadDir(before)
	check(t, err)
	if len(left) != 0 {
		t.Errorf("the program left the files %v", left)
	}
}

// TestRate checks that a client that exceeds its rate gets a Retry-After header.
func TestRate(t *testing.T) {
	p := start(t, "-demo=false", "-data", "", "-rate", "5")
	for range 20 {
		resp, err := p.client.Do(p.request(http.MethodGet, "/api/v3/webhooks", ""))
		check(t, err)
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests {
			if resp.Header.Get("Retry-After") == "" {
				t.Error("got 429 without Retry-After")
			}
			return
		}
	}
	t.Error("20 requests at once were all accepted")
}

// TestWithoutLoopback checks that without -allow-loopback webhooks may not point at this machine, nor use http.
func TestWithoutLoopback(t *testing.T) {
	p := start(t, "-demo=false", "-data", "", "-allow-loopback=false")
	for _, url := range []string{"http://127.0.0.1:9/", "https://127.0.0.1:9/", "https://localhost/", "http://example.com/"} {
		p.call(http.MethodPost, "/api/v3/webhooks", `{"name":"x","events":["*"],"payloadUrl":"`+url+`"}`, http.StatusUnprocessableEntity)
	}
}

package outbound_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// These are the flags of `make build`, and of `make build-local` for the emulator.
var (
	releaseFlags  = []string{"build", "-tags", "lambda.norpc", "-trimpath", "-ldflags"}
	releaseLink   = "-s -w"
	emulatorLink  = releaseLink + " -X nepenthes/shared/outbound.loopback=allowed"
	containerLink = emulatorLink + " -X nepenthes/shared/outbound.gateway=10.0.0.1"
)

// TestLinkedGuard checks that a release binary blocks loopback, whatever its environment says, and that a binary linked
// for the emulator allows loopback and nothing else.
func TestLinkedGuard(t *testing.T) {
	t.Parallel()
	r := answering(t, ok)
	port := r.Addr().String()[len("127.0.0.1:"):]
	loopback, private, beside := r.URL, "http://10.0.0.1:"+port+"/", "http://10.0.0.2:"+port+"/"
	tests := []struct {
		name, link string
		want       map[string]string
	}{
		{"release", releaseLink, map[string]string{"loopback": "false gateway false", loopback: `"blocked"`, private: `"blocked"`}},
		{"emulator", emulatorLink, map[string]string{"loopback": "true gateway false", loopback: `""`, private: `"blocked"`}},
		{"emulator in containers", containerLink, map[string]string{"loopback": "true gateway true", loopback: `""`, beside: `"blocked"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			output, err := exec.Command(build(t, test.link), loopback, private, beside).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			got := map[string]string{}
			for line := range strings.Lines(string(output)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
				got[name] = value
			}
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s: got %s, want %s", name, got[name], want)
				}
			}
			if test.link == containerLink && got[private] == `"blocked"` {
				t.Error("the gateway is blocked")
			}
		})
	}
	if n := r.Requests.Load(); n != 2 {
		t.Errorf("%d requests arrived, want 2, from the two builds for the emulator", n)
	}
}

// TestLinkedGuardRefusesUnknownValues checks that any other value stops the program at its start.
func TestLinkedGuardRefusesUnknownValues(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"-X nepenthes/shared/outbound.loopback=true",
		"-X nepenthes/shared/outbound.gateway=10.0.0.1",
		"-X nepenthes/shared/outbound.loopback=allowed -X nepenthes/shared/outbound.gateway=169.254.169.254",
	} {
		output, err := exec.Command(build(t, releaseLink+" "+link), "http://127.0.0.1/").CombinedOutput()
		if err == nil || !strings.Contains(string(output), "outbound: linked with") || strings.Contains(string(output), "http") {
			t.Errorf("linked with %q: %v: %s", link, err, output)
		}
	}
}

// build links the probe and returns the path of its binary.
func build(t *testing.T, link string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "probe")
	output, err := exec.Command("go", slices.Concat(releaseFlags, []string{link, "-o", binary, "./testdata/probe"})...).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v: %s", err, output)
	}
	return binary
}

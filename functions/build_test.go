// Package functions_test tests how the functions are built. Their behaviour is tested in the packages that they use.
package functions_test

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build runs make to build one function of the module in root, and returns the binary.
func build(t *testing.T, root, target, function string) []byte {
	t.Helper()
	out := t.TempDir()
	command := exec.CommandContext(t.Context(), "make", "-C", root, target, "BUILD="+out, "FUNCTIONS="+function)
	command.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	binary, err := os.ReadFile(filepath.Join(out, map[string]string{"build": "", "build-local": "local"}[target], function, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// elsewhere copies the module to another folder and returns that folder.
func elsewhere(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "Makefile", "functions", "shared", "events", "web"} {
		if output, err := exec.CommandContext(t.Context(), "cp", "-R", filepath.Join("..", part), root).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	return root
}

func TestBuildsAreReproducible(t *testing.T) {
	here := build(t, "..", "build", "sweeper")
	if !bytes.Equal(here, build(t, elsewhere(t), "build", "sweeper")) {
		t.Error("the same source in another folder gives a different binary")
	}
}

func TestReleaseBinaries(t *testing.T) {
	info, err := buildinfo.Read(bytes.NewReader(build(t, "..", "build", "sweeper")))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range info.Settings {
		got[s.Key] = s.Value
	}
	for key, want := range map[string]string{"GOOS": "linux", "GOARCH": "arm64", "CGO_ENABLED": "0", "-trimpath": "true", "-tags": "lambda.norpc", "vcs.revision": ""} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

// A value set by the linker opens the guard of package outbound. Its effect is tested there.
func TestOnlyEmulatorsMayCallLoopback(t *testing.T) {
	for target, want := range map[string]bool{"build": false, "build-local": true} {
		command := exec.CommandContext(t.Context(), "make", "-n", "-C", "..", target)
		command.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if got := strings.Contains(string(output), "outbound.loopback=allowed"); got != want {
			t.Errorf("make %s opens the guard: %v", target, got)
		}
	}
}

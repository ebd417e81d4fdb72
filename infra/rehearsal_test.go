package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"nepenthes/infra/rehearsal"
	"nepenthes/shared/routes"
)

// TestRehearsal deploys the stack to a local AWS endpoint of its own and plays the story there; and once more with
// a grant missing, when the story must fail.
func TestRehearsal(t *testing.T) {
	for _, tool := range []string{"../.venv/bin/ministack", "../node_modules/.bin/cdk"} {
		if _, err := os.Stat(tool); err != nil && os.Getenv("CI") != "true" {
			t.Skipf("%v: run make tools", err)
		}
	}
	cloud := rehearsal.Cloud{Folder: folder(t)}
	var err error
	if cloud.Endpoint, err = cloud.Folder.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	watch(t, cloud.Folder)
	if err := cloud.Synthesise(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("the story", func(t *testing.T) {
		if _, err := cloud.Deploy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := play(t, cloud); err != nil {
			t.Error(err)
		}
	})
	t.Run("the story without a grant", func(t *testing.T) {
		if err := cloud.DeployFrom(t.Context(), without(t, routes.Webhooks, "kms:GenerateDataKeyPairWithoutPlaintext")); err != nil {
			t.Fatal(err)
		}
		if err := play(t, cloud); err == nil || !strings.Contains(err.Error(), "creates a webhook") {
			t.Errorf("it ended with %v, want that no webhook can be created", err)
		}
	})
}

func play(t *testing.T, cloud rehearsal.Cloud) error {
	t.Helper()
	var told strings.Builder
	err := rehearsal.Play(t.Context(), cloud, &told)
	t.Log("\n" + told.String())
	return err
}

func folder(t *testing.T) rehearsal.Folder {
	t.Helper()
	f, err := rehearsal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// watch stops the endpoint with the test, also with one that is killed.
func watch(t *testing.T, f rehearsal.Folder) {
	t.Helper()
	t.Cleanup(func() {
		if err := f.Down(); err != nil {
			t.Error(err)
		}
	})
	group, err := os.ReadFile(filepath.Join(string(f), "ministack.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(group))
	if err != nil {
		t.Fatal(err)
	}
	guard := exec.Command("sh", "-c", "cat >/dev/null; kill -9 -- -"+strconv.Itoa(pid)+" 2>/dev/null")
	lifeline, err := guard.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lifeline.Close(); _ = guard.Wait() })
}

// without synthesises the stack under another stage's name with one action of a function missing in the list of
// grants.
func without(t *testing.T, f routes.Function, action string) (assembly string) {
	t.Helper()
	whole := grants[f]
	t.Cleanup(func() { grants[f] = whole })
	grants[f] = slices.DeleteFunc(slices.Clone(whole), func(g grant) bool { return slices.Contains(g.actions, action) })
	if len(grants[f]) != len(whole)-1 {
		t.Fatalf("%s has %d grants of %s", f, len(whole)-len(grants[f]), action)
	}
	o := defaults()
	o.stage, o.binaries = "less", filepath.Join("..", emulatorBinaries)
	assembly = t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(assembly)})
	newStack(app, o)
	app.Synth(nil)
	return assembly
}

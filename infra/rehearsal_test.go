package main

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	"nepenthes/shared/rest/resttest"
	"nepenthes/shared/routes"
)

// endpointVariable is the variable with the endpoint of "make rehearsal". Without it TestRehearsal starts its own.
const endpointVariable = "REHEARSAL_ENDPOINT"

// TestRehearsal deploys the stack to a local AWS endpoint. The cases of the API and the main stories of the console must
// pass there as they pass with local. Then the test plays the life of an event. Where permissions are enforced, it plays
// the life of an event again with one grant missing, when it must fail.
func TestRehearsal(t *testing.T) {
	for _, tool := range []string{"../.venv/bin/ministack", "../node_modules/.bin/cdk", chromium()} {
		if _, err := os.Stat(tool); err != nil && os.Getenv("CI") != "true" {
			t.Skipf("%v: run make tools", err)
		}
	}
	cloud := raised(t)
	if err := cloud.Synthesise(t.Context()); err != nil {
		t.Fatal(err)
	}
	writes := guarded(t, cloud)
	if _, err := cloud.Deploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	emulator := recognised(t, cloud)
	t.Run("the cases of the API", func(t *testing.T) { judge(t, cloud, emulator) })
	t.Run("the console in a browser", func(t *testing.T) { browse(t, cloud) })
	t.Run("the story", func(t *testing.T) {
		if err := play(t, cloud); err != nil {
			t.Error(err)
		}
	})
	if emulator.Has(resttest.NoPermissions) {
		return
	}
	t.Run("roles let functions write what they write", func(t *testing.T) {
		writes.settle(t, routes.Settings, routes.Webhooks, routes.OAuth, routes.Console, routes.Fanout)
	})
	t.Run("the story without a grant", func(t *testing.T) {
		if err := cloud.DeployFrom(t.Context(), without(t, routes.Webhooks, "kms:GenerateDataKeyPairWithoutPlaintext")); err != nil {
			t.Fatal(err)
		}
		if err := play(t, cloud); err == nil || !strings.Contains(err.Error(), "creates a webhook") {
			t.Errorf("the story ended with %v, want that creating a webhook fails", err)
		}
	})
}

// raised returns a cloud without a stack, at the endpoint of endpointVariable or else at one that ends with the test.
func raised(t *testing.T) rehearsal.Cloud {
	t.Helper()
	cloud := rehearsal.Cloud{Folder: folder(t)}
	var err error
	if url := os.Getenv(endpointVariable); url != "" {
		cloud.Endpoint = rehearsal.At(url)
		return cloud
	}
	if cloud.Endpoint, err = cloud.Folder.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	watch(t, cloud.Folder)
	return cloud
}

// recognised returns the emulator at the endpoint. It tests for MiniStack first, because MiniStack also answers like
// LocalStack.
func recognised(t *testing.T, cloud rehearsal.Cloud) resttest.Emulator {
	t.Helper()
	client := door(t, cloud).HTTP
	for _, e := range []struct {
		name resttest.Emulator
		path string
	}{{resttest.MiniStack, "/_ministack/health"}, {resttest.LocalStack, "/_localstack/info"}} {
		answer, err := client.Get(cloud.Endpoint.URL() + e.path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == http.StatusOK {
			t.Logf("%s: %s", e.name, text)
			return e.name
		}
	}
	t.Fatalf("the endpoint %s is not a known emulator", cloud.Endpoint.URL())
	return ""
}

func door(t *testing.T, cloud rehearsal.Cloud) rehearsal.Door {
	t.Helper()
	d, err := cloud.Door(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// judge runs the cases of the API, which also run against local.
func judge(t *testing.T, cloud rehearsal.Cloud, emulator resttest.Emulator) {
	d := door(t, cloud)
	resttest.Run(t, resttest.Target{
		URL: d.URL, Stage: d.Stage, Emulator: emulator, ClientID: d.ClientID, ClientSecret: d.ClientSecret, HTTP: d.HTTP,
	}, resttest.All())
}

// chromium returns the path of the browser that "make tools" installs.
func chromium() string { return cmp.Or(os.Getenv("CHROMIUM"), "/usr/bin/chromium") }

// browse plays the stories of the console that tolerate the data of earlier stories. They run one after another, since
// one of them switches the API off.
func browse(t *testing.T, cloud rehearsal.Cloud) {
	d := door(t, cloud)
	receiver := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	_ = receiver.Listener.Close()
	var err error
	if receiver.Listener, err = net.Listen("tcp", net.JoinHostPort(rehearsal.ReceiverHost(), "0")); err != nil {
		t.Fatal(err)
	}
	receiver.Start()
	defer receiver.Close()
	console, err := url.Parse(cloud.Endpoint.URL())
	if err != nil {
		t.Fatal(err)
	}
	console.Host, console.Path = net.JoinHostPort(d.Host, console.Port()), d.Stage
	stories := exec.CommandContext(t.Context(), "npx", "playwright", "test",
		"--config", "web/test/playwright.config.mjs", "--project", "with script", "--grep", "@main", "--workers", "1")
	stories.Dir = ".."
	stories.Env = append(os.Environ(), "CONSOLE_URL="+console.String(), "API_URL="+d.URL,
		"CONSOLE_ADMIN="+d.ClientID+":"+d.ClientSecret, "RECEIVER_URL="+receiver.URL, "NODE_EXTRA_CA_CERTS="+os.Getenv("AWS_CA_BUNDLE"))
	said, err := stories.CombinedOutput()
	t.Logf("\n%s", said)
	if err != nil {
		t.Error(err)
	}
}

func play(t *testing.T, cloud rehearsal.Cloud) error {
	t.Helper()
	var output strings.Builder
	err := rehearsal.Play(t.Context(), cloud, &output)
	t.Log("\n" + output.String())
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

// watch stops the endpoint when the test ends, even if the test is killed.
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
	guard := exec.Command("sh", "-c", "cat >/dev/null; kill -9 -"+strconv.Itoa(pid)+" 2>/dev/null")
	lifeline, err := guard.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lifeline.Close(); _ = guard.Wait() })
}

// without synthesises the stack for another stage, with one action of a function missing in the list of grants.
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

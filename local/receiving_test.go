package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/id"
	"nepenthes/shared/signing"
)

// The versions of verify in docs/receiving.md, by the text of their first line.
const (
	withLibrary    = "with the official library"
	withoutLibrary = "without a library"
	forKeyPairs    = "for key pairs"
	forLegacy      = "for the legacy header"
)

// firstLine matches the first line of a program in a document: its file, and its version if there are several.
var firstLine = regexp.MustCompile(`^(?://|#) (\w+\.\w+)(?:, (.+))?\n`)

// programs returns the programs of docs/receiving.md by file, and then by version (empty if there is only one).
func programs(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for _, b := range blocks(t, "receiving.md") {
		if b.language == "http" {
			continue // an example of a request
		}
		names := firstLine.FindStringSubmatch(b.text)
		if names == nil {
			t.Fatalf("receiving.md:%d: the block does not begin with its file's name", b.line)
		}
		if all[names[1]] == nil {
			all[names[1]] = map[string]string{}
		}
		all[names[1]][names[2]] = b.text
	}
	return all
}

// needs skips the test if a tool that `make tools` installs is missing. In CI that is a failure.
func needs(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed; `make tools` installs it", pattern)
		}
		t.Skipf("%s is not installed; `make tools` installs it", pattern)
	}
}

// absolute returns the absolute path of a path below the repository's root.
func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join("..", path))
	check(t, err)
	return full
}

// TestReceivers makes every receiver of docs/receiving.md verify real deliveries, with every version of verify.
func TestReceivers(t *testing.T) {
	p := start(t, "-data", "", "-demo=false")
	all := programs(t)
	commands := map[string]func(*testing.T, string) *exec.Cmd{"go": goReceiver, "mjs": nodeReceiver, "py": pythonReceiver}
	if len(all) != 2*len(commands) {
		t.Fatalf("programs in %d files, want a receiver and a verify in %d languages", len(all), len(commands))
	}
	secrets := map[string][]string{
		withLibrary:    {testSecret, "plain text, schlüsselförmig"},
		withoutLibrary: {testSecret, "plain text, schlüsselförmig"},
		forKeyPairs:    {signing.GenerateEd25519().Text()},
		forLegacy:      {testSecret, "plain text, schlüsselförmig"},
	}
	for language, command := range commands {
		t.Run(language, func(t *testing.T) {
			versions := all["verify."+language]
			if len(versions) != len(secrets) {
				t.Fatalf("%d versions of verify, want %d", len(versions), len(secrets))
			}
			for version, texts := range secrets {
				folder := t.TempDir()
				place(t, folder, "receiver."+language, all["receiver."+language][""])
				place(t, folder, "verify."+language, versions[version])
				for _, text := range texts {
					secret, err := signing.Parse(text)
					check(t, err)
					t.Run(version+" "+string(secret.Kind())+" "+text[:5], func(t *testing.T) {
						receives(t, p, command(t, folder), version, secret)
					})
				}
			}
		})
	}
}

func place(t *testing.T, folder, name, text string) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
}

// goReceiver builds the program once for its folder, with the modules of this one.
func goReceiver(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(folder, "receiver")
	if _, err := os.Stat(binary); err != nil {
		build := exec.Command("go", "build", "-o", binary, filepath.Join(folder, "receiver.go"), filepath.Join(folder, "verify.go"))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return exec.Command(binary)
}

func nodeReceiver(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	needs(t, "../node_modules/standardwebhooks")
	link := filepath.Join(folder, "node_modules")
	if _, err := os.Lstat(link); err != nil {
		check(t, os.Symlink(absolute(t, "node_modules"), link))
	}
	return exec.Command("node", filepath.Join(folder, "receiver.mjs"))
}

func pythonReceiver(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	needs(t, "../.venv/lib/*/site-packages/standardwebhooks", "../.venv/lib/*/site-packages/cryptography")
	return exec.Command(absolute(t, ".venv/bin/python"), filepath.Join(folder, "receiver.py"))
}

// receives starts the receiver and sends it a delivery, the same delivery again, changed ones, and another delivery. The
// receiver prints those that it accepts as new.
func receives(t *testing.T, p *program, command *exec.Cmd, version string, secret signing.Secret) {
	address, printed := launch(t, command, cmp.Or(secret.PublicKey(), secret.Text()))
	between := newWitness(address)
	server := httptest.NewServer(between)
	defer server.Close()
	webhookID, _ := p.call(http.MethodPost, "/api/v3/webhooks", fmt.Sprintf(
		`{"name":%q,"payloadUrl":%q,"events":["work_package:updated"],"secret":%q,"legacySignature":true}`,
		t.Name(), server.URL, secret.Text()), http.StatusCreated)["id"].(string)
	defer p.call(http.MethodDelete, "/api/v3/webhooks/"+webhookID, "", http.StatusNoContent)

	first := between.next(t, p)
	if got, want := next(t, printed), first.line(); got != want {
		t.Fatalf("printed %q, want %q", got, want)
	}
	if got := post(t, address, first); got != http.StatusNoContent {
		t.Errorf("the same delivery again: got %d, want 204", got)
	}
	for name, changed := range changes(version, secret, first) {
		if got := post(t, address, changed); got != http.StatusUnauthorized {
			t.Errorf("%s: got %d, want 401", name, got)
		}
	}
	if version != forLegacy {
		rotating := first.with("webhook-signature", "v1,"+strings.Repeat("A", 43)+"= "+first.header.Get("webhook-signature"))
		if got := post(t, address, rotating); got != http.StatusNoContent {
			t.Errorf("with a second signature: got %d, want 204", got)
		}
	}
	second := between.next(t, p)
	if got, want := next(t, printed), second.line(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// changes are requests that a receiver must refuse.
func changes(version string, secret signing.Secret, r request) map[string]request {
	all := map[string]request{
		"one byte of the body": {r.header, bytes.Replace(r.body, []byte("Pumpe"), []byte("Pumpf"), 1)},
		"one byte more":        {r.header, append(bytes.Clone(r.body), '\n')},
		"one byte less":        {r.header, r.body[:len(r.body)-1]},
		"no body":              {r.header, nil},
		"no signature":         r.with(signatureHeader(version), ""),
		"invalid signatures":   r.with(signatureHeader(version), "v1a,%%% v1, sha1="),
	}
	if version == forLegacy {
		return all
	}
	all["another id"] = r.with("webhook-id", r.header.Get("webhook-id")+"x")
	all["no timestamp"] = r.with("webhook-timestamp", "")
	all["a timestamp of words"] = r.with("webhook-timestamp", "now")
	for name, off := range map[string]time.Duration{"an old timestamp": -6 * time.Minute, "a future timestamp": 6 * time.Minute} {
		at := time.Now().Add(off).Unix()
		all[name+", signed"] = r.with("webhook-timestamp", strconv.FormatInt(at, 10)).
			with("webhook-signature", signing.Sign(r.header.Get("webhook-id"), at, r.body, []signing.Secret{secret}))
	}
	all["another timestamp"] = r.with("webhook-timestamp", strconv.FormatInt(time.Now().Add(-time.Minute).Unix(), 10))
	return all
}

func signatureHeader(version string) string {
	if version == forLegacy {
		return "X-OP-Signature"
	}
	return "webhook-signature"
}

// launch starts a receiver and returns its address and the lines that it prints.
func launch(t *testing.T, command *exec.Cmd, key string) (address string, printed <-chan string) {
	t.Helper()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	command.Env = append(os.Environ(), "PORT=0", "WEBHOOK_KEY="+key)
	out, err := command.StdoutPipe()
	check(t, err)
	check(t, command.Start())
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		for range lines { // read until the receiver ends, as Wait requires
		}
		_ = command.Wait()
		if t.Failed() {
			t.Logf("standard error of the receiver: %s", &stderr)
		}
	})
	address, ok := strings.CutPrefix(next(t, lines), "listening on ")
	if !ok {
		t.Fatal("the receiver did not print its address")
	}
	return address, lines
}

// next returns the next line or request, which must come within startLimit.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case one, open := <-from:
		if !open {
			t.Fatal("the receiver has ended")
		}
		return one
	case <-time.After(startLimit):
		t.Fatal("nothing came in time")
	}
	panic("unreachable")
}

// request is a request to a receiver.
type request struct {
	header http.Header
	body   []byte
}

// line returns the line that a receiver prints for the request.
func (r request) line() string { return r.header.Get("webhook-id") + " " + string(r.body) }

// with returns the request with another value of a header. An empty value removes the header.
func (r request) with(name, value string) request {
	header := r.header.Clone()
	if header.Set(name, value); value == "" {
		header.Del(name)
	}
	return request{header, r.body}
}

// post sends the request to a receiver and returns the status of the answer.
func post(t *testing.T, address string, r request) int {
	t.Helper()
	status, err := forward(address, r)
	check(t, err)
	return status
}

func forward(address string, r request) (int, error) {
	req, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(r.body))
	if err != nil {
		return 0, err
	}
	req.Header = r.header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// witness is a proxy before a receiver. It passes every request on, and keeps those that were accepted.
type witness struct {
	address string
	got     chan request
}

func newWitness(address string) *witness {
	return &witness{address: address, got: make(chan request, 16)}
}

// ServeHTTP passes the request on and answers like the receiver.
func (w *witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return
	}
	header := in.Header.Clone()
	header.Del("Content-Length") // a changed body may have another length
	r := request{header, body}
	status, err := forward(w.address, r)
	if err != nil {
		status = http.StatusBadGateway
	}
	out.WriteHeader(status)
	if status == http.StatusNoContent {
		w.got <- r
	}
}

// next pushes an event and returns the request that the receiver accepted for it. The event has text that is not ASCII
// and a number that does not fit a double.
func (w *witness) next(t *testing.T, p *program) request {
	t.Helper()
	p.call(http.MethodPost, "/api/v3/events", fmt.Sprintf(
		`{"id":%q,"type":"work_package:updated","occurredAt":"2026-01-02T11:00:00Z","data":{"id":9007199254740993,  "subject":"Pumpe prüfen ✓ \u00e9"}}`,
		id.New(id.Event, time.Now())), http.StatusAccepted)
	return next(t, w.got)
}

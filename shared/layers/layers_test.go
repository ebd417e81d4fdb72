// Package layers holds the test of who may import whom. Its table is the diagram of the house; a line that is
// missing there is an import that nobody decided on.
package layers_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the prefix of our own packages.
const module = "nepenthes/"

// floors lists what each package may import of ours, besides the floors below its own. A package that stands in
// no floor fails the test: decide where it belongs.
var floors = []struct {
	name string
	// packages of this floor; "x/..." stands for everything below x.
	packages []string
	// beside: may they import each other?
	beside bool
}{
	{"what a producer shares with us", []string{"events"}, false},
	{"nouns, rules and facts", []string{
		"shared/fault", "shared/visible", "shared/instant", "shared/id", "shared/limits", "shared/lane", "shared/keypair", "shared/access",
		"shared/settings", "shared/webhook", "shared/signing", "shared/address", "shared/payload",
		"shared/tables", "shared/routes",
	}, true},
	{"adapters", []string{
		"events/publish", "shared/dynamo", "shared/sqs", "shared/sqlite", "shared/outbound", "shared/vault",
		"shared/awsclient", "shared/metrics", "web",
	}, false},
	{"the work", []string{
		"shared/catalogue", "shared/fanout", "shared/sender", "shared/sweep", "shared/redrive", "shared/throttle", "shared/auth/...", "shared/api/...", "shared/console/...",
	}, true},
	{"the edge of the process", []string{"shared/config", "shared/lambdahost"}, false},
	{"programs", []string{"functions/...", "local/...", "infra/...", "events/publish/..."}, true},
}

// forbidden are imports that the floors alone would allow.
var forbidden = []struct{ from, to, why string }{
	{"shared/fanout", "shared/outbound", "only the sender calls strangers"},
	{"shared/...", "shared/conformance", "the suites are for tests"},
	{"functions/...", "shared/sqlite", "no Lambda links SQLite"},
	{"functions/...", "local/...", "local is a program of its own"},
	{"infra/...", "shared/sqlite", "infra reads contracts alone"},
	{"infra/...", "shared/api/...", "infra reads contracts alone"},
	{"infra/...", "shared/sender", "infra reads contracts alone"},
}

// onlyImporters says which of ours may import a package of others.
var onlyImporters = map[string][]string{
	"github.com/aws/aws-lambda-go":                             {"shared/lambdahost", "local"},
	"github.com/aws/aws-sdk-go-v2/service/dynamodb":            {"shared/dynamo"},
	"github.com/aws/aws-sdk-go-v2/service/sqs":                 {"shared/sqs", "events/publish", "infra/rehearsal"},
	"github.com/aws/aws-sdk-go-v2/service/kms":                 {"shared/vault"},
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager":      {"shared/vault"},
	"zombiezen.com/go/sqlite":                                  {"shared/sqlite"},
	"github.com/aws/aws-cdk-go":                                {"infra"},
	"github.com/standard-webhooks/standard-webhooks/libraries": {"local", "infra/rehearsal"},
}

// work imports these of the adapters: nothing else, since each declares what it needs as an interface.
var workImports = []string{"shared/outbound", "web", "shared/metrics"}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		t.Run(from, func(t *testing.T) {
			for _, imported := range p.Imports {
				if to, ours := strings.CutPrefix(imported, module); ours {
					checkOwn(t, from, to)
				} else {
					checkForeign(t, from, imported)
				}
			}
			for _, dep := range p.Deps {
				checkDep(t, from, strings.TrimPrefix(dep, module))
			}
		})
	}
}

func checkOwn(t *testing.T, from, to string) {
	t.Helper()
	if sub(from, to) {
		return
	}
	low, high := floor(t, to), floor(t, from)
	switch {
	case low > high || low == high && !floors[high].beside:
		t.Errorf("%s (%s) imports %s (%s)", from, floors[high].name, to, floors[low].name)
	case floors[high].name == "the work" && floors[low].name == "adapters" && !slices.Contains(workImports, to):
		t.Errorf("%s imports the adapter %s: declare an interface instead", from, to)
	}
}

// sub reports whether one is a part of the other, as shared/api/rest is of shared/api.
func sub(a, b string) bool { return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") }

func checkForeign(t *testing.T, from, to string) {
	t.Helper()
	for prefix, allowed := range onlyImporters {
		if (to == prefix || strings.HasPrefix(to, prefix+"/")) && !slices.ContainsFunc(allowed, func(a string) bool { return a == from || strings.HasPrefix(from, a+"/") }) {
			t.Errorf("%s imports %s; only %v may", from, to, allowed)
		}
	}
}

func checkDep(t *testing.T, from, to string) {
	t.Helper()
	for _, f := range forbidden {
		if within(f.from, from) && within(f.to, to) && from != to {
			t.Errorf("%s depends on %s: %s", from, to, f.why)
		}
	}
}

func floor(t *testing.T, name string) int {
	t.Helper()
	for i, f := range floors {
		if slices.ContainsFunc(f.packages, func(p string) bool { return within(p, name) }) {
			return i
		}
	}
	t.Fatalf("%s stands in no floor: decide where it belongs", name)
	return 0
}

func within(pattern, name string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == base || strings.HasPrefix(name, base+"/")
	}
	return pattern == name
}

// packages lists ours but for tests' helpers, with everything they depend on.
func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var ours []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return ours
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) && !forTests(p.ImportPath) {
			ours = append(ours, p)
		}
	}
}

// forTests reports whether a package is there for tests alone.
func forTests(path string) bool {
	last := path[strings.LastIndex(path, "/")+1:]
	return last == "conformance" || strings.HasSuffix(last, "test") || strings.Contains(path, "/testdata/")
}

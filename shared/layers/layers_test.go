// Package layers tests which packages import which. Its table of edges is the architecture of the module.
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

// edges lists the packages of this module that each package imports, from the lowest layer to the highest. The list is
// exact: the test fails for an import that is not listed, and for an edge that is no longer an import.
var edges = map[string][]string{
	// what producers import
	"shared/strictjson": {},
	"events":            {"shared/strictjson"},
	"events/publish":    {"events"},

	// rules and facts, below the nouns
	"shared/fault":    {},
	"shared/required": {},
	"shared/visible":  {},
	"shared/instant":  {},
	"shared/id":       {},
	"shared/limits":   {},
	"shared/access":   {},
	"shared/keypair":  {"shared/fault"},
	"shared/address":  {},
	"shared/signing":  {"shared/fault", "shared/visible"},
	"shared/settings": {"shared/fault"},
	"shared/project":  {"events"},
	"shared/tables":   {},
	"shared/routes":   {},

	// nouns
	"shared/webhook":  {"events", "shared/address", "shared/fault", "shared/keypair", "shared/limits", "shared/signing"},
	"shared/delivery": {"events", "shared/id", "shared/limits", "shared/webhook"},
	"shared/record":   {"events", "shared/delivery", "shared/limits"},
	"shared/payload":  {"events", "shared/delivery", "shared/record", "shared/webhook"},
	"shared/stats":    {"shared/delivery"},

	// interfaces that the adapters implement
	"shared/lane":  {"shared/limits"},
	"shared/store": {"events", "shared/access", "shared/delivery", "shared/fault", "shared/keypair", "shared/project", "shared/record", "shared/settings", "shared/webhook"},

	// the work
	"shared/auth":         {"shared/access", "shared/fault", "shared/required", "shared/tables"},
	"shared/auth/clients": {"shared/access", "shared/auth", "shared/fault", "shared/id", "shared/required", "shared/visible"},
	"shared/auth/oauth":   {"shared/access", "shared/auth", "shared/fault", "shared/httpedge", "shared/keypair", "shared/required"},
	"shared/throttle":     {"shared/fault", "shared/required", "shared/tables"},
	"shared/catalogue":    {"shared/fault", "shared/settings", "shared/store", "shared/webhook"},
	"shared/fanout":       {"events", "shared/delivery", "shared/fault", "shared/lane", "shared/limits", "shared/project", "shared/record", "shared/required", "shared/webhook"},
	"shared/sender":       {"events", "shared/delivery", "shared/fault", "shared/id", "shared/lane", "shared/limits", "shared/outbound", "shared/payload", "shared/project", "shared/record", "shared/required", "shared/signing", "shared/webhook"},
	"shared/sweep":        {"shared/delivery", "shared/fault", "shared/lane", "shared/limits", "shared/required", "shared/webhook"},
	"shared/redrive":      {"shared/fault", "shared/lane", "shared/limits"},
	"shared/api":          {"events", "shared/access", "shared/address", "shared/auth", "shared/auth/clients", "shared/delivery", "shared/fault", "shared/id", "shared/lane", "shared/limits", "shared/project", "shared/record", "shared/required", "shared/settings", "shared/signing", "shared/stats", "shared/store", "shared/visible", "shared/webhook"},

	// the wire and the pages
	"shared/cursor":          {"shared/api", "shared/delivery", "shared/fault", "shared/instant"},
	"shared/httpedge":        {"shared/fault", "shared/id", "shared/limits"},
	"shared/rest/hal":        {"events", "shared/access", "shared/delivery", "shared/instant", "shared/payload", "shared/project", "shared/record", "shared/settings", "shared/stats", "shared/webhook"},
	"shared/rest/mergepatch": {"shared/fault", "shared/strictjson"},
	"shared/rest":            {"events", "shared/access", "shared/api", "shared/auth", "shared/cursor", "shared/delivery", "shared/fault", "shared/httpedge", "shared/instant", "shared/limits", "shared/payload", "shared/project", "shared/record", "shared/required", "shared/rest/hal", "shared/rest/mergepatch", "shared/settings", "shared/stats", "shared/throttle", "shared/webhook"},
	"shared/console":         {"events", "shared/access", "shared/api", "shared/auth", "shared/auth/clients", "shared/console/form", "shared/console/page", "shared/console/session", "shared/cursor", "shared/delivery", "shared/fault", "shared/httpedge", "shared/limits", "shared/payload", "shared/project", "shared/required", "shared/settings", "shared/stats", "shared/tables", "shared/webhook", "web"},
	"shared/console/form":    {"shared/access", "shared/api", "shared/fault", "shared/limits", "shared/settings", "shared/webhook"},
	"shared/console/page":    {"events", "shared/access", "shared/api", "shared/console/form", "shared/delivery", "shared/fault", "shared/instant", "shared/limits", "shared/payload", "shared/project", "shared/settings", "shared/signing", "shared/stats", "shared/visible", "shared/webhook", "web"},
	"shared/console/session": {"shared/access", "shared/auth", "shared/fault", "shared/required", "shared/tables"},
	"web":                    {},

	// adapters
	"shared/awsclient": {"shared/fault"},
	"shared/dynamo":    {"events", "shared/access", "shared/awsclient", "shared/delivery", "shared/fault", "shared/id", "shared/keypair", "shared/limits", "shared/project", "shared/record", "shared/required", "shared/settings", "shared/store", "shared/tables", "shared/webhook"},
	"shared/sqs":       {"shared/awsclient", "shared/fault", "shared/lane", "shared/limits"},
	"shared/sqlite":    {"events", "shared/access", "shared/delivery", "shared/fault", "shared/id", "shared/keypair", "shared/lane", "shared/limits", "shared/project", "shared/record", "shared/settings", "shared/store", "shared/webhook"},
	"shared/outbound":  {"shared/address", "shared/delivery", "shared/limits"},
	"shared/vault":     {"shared/awsclient", "shared/fault", "shared/keypair", "shared/required", "shared/webhook"},
	"shared/metrics":   {},

	// the edge of the process
	"shared/config":     {"shared/fault", "shared/tables"},
	"shared/lambdahost": {"shared/instant", "shared/lane", "shared/limits", "shared/metrics"},
}

// programs lists the programs. They may import every package that forbidden does not exclude.
var programs = []string{"functions/...", "local/...", "infra/...", "events/publish/example"}

// forbidden lists packages on which others must not depend, directly or indirectly.
var forbidden = []struct{ from, to, why string }{
	{"shared/fanout", "shared/outbound", "only the sender makes requests to receivers"},
	{"shared/...", "shared/storetest", "only tests import the suites"},
	{"shared/...", "shared/lanetest", "only tests import the suites"},
	{"shared/...", "shared/rest/resttest", "only tests import the suites"},
	{"shared/api", "shared/dynamo", "the work does not depend on a technology"},
	{"shared/api", "shared/sqlite", "the work does not depend on a technology"},
	{"shared/sender", "shared/sqs", "the work does not depend on a technology"},
	{"functions/...", "shared/sqlite", "no Lambda links SQLite"},
	{"functions/...", "local/...", "local is another program"},
	{"functions/sender", "shared/api/...", "a function links only what it uses"},
	{"functions/sender", "shared/rest/...", "a function links only what it uses"},
	{"functions/sender", "shared/auth/...", "a function links only what it uses"},
	{"functions/sender", "shared/console/...", "a function links only what it uses"},
	{"functions/fanout", "shared/api/...", "a function links only what it uses"},
	{"functions/fanout", "shared/rest/...", "a function links only what it uses"},
	{"functions/fanout", "shared/auth/...", "a function links only what it uses"},
	{"functions/fanout", "shared/console/...", "a function links only what it uses"},
	{"functions/sweeper", "shared/api/...", "a function links only what it uses"},
	{"functions/sweeper", "shared/rest/...", "a function links only what it uses"},
	{"functions/sweeper", "shared/auth/...", "a function links only what it uses"},
	{"functions/sweeper", "shared/console/...", "a function links only what it uses"},
	{"functions/settings", "shared/console/...", "a function links only what it uses"},
	{"functions/settings", "shared/sender", "a function links only what it uses"},
	{"functions/oauth", "shared/console/...", "a function links only what it uses"},
	{"functions/oauth", "shared/sender", "a function links only what it uses"},
	{"functions/webhooks", "shared/console/...", "a function links only what it uses"},
	{"functions/webhooks", "shared/sender", "a function links only what it uses"},
	{"functions/settings", "shared/auth/oauth", "a function links only what it uses"},
	{"functions/webhooks", "shared/auth/oauth", "a function links only what it uses"},
	{"infra/...", "shared/sqlite", "infra reads only facts"},
	{"infra/...", "shared/api/...", "infra reads only facts"},
	{"infra/...", "shared/rest", "infra reads only facts"},
	{"infra/...", "shared/sender", "infra reads only facts"},
}

// onlyImporters lists which packages of this module may import certain other modules.
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

// listed is a package as the go command describes it.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		t.Run(from, func(t *testing.T) {
			var own []string
			for _, imported := range p.Imports {
				if to, isOwn := strings.CutPrefix(imported, module); isOwn {
					own = append(own, to)
				} else {
					checkForeign(t, from, imported)
				}
			}
			if !slices.ContainsFunc(programs, func(program string) bool { return within(program, from) }) {
				checkOwn(t, from, own)
			}
			for _, dep := range p.Deps {
				checkDep(t, from, strings.TrimPrefix(dep, module))
			}
		})
	}
}

// A producer that imports events needs no other module. A producer that imports publish also needs the AWS SDK, but
// nothing else.
func TestProducersGetFewModules(t *testing.T) {
	all := packages(t)
	for from, allowed := range map[string][]string{
		"events":         nil,
		"events/publish": {"github.com/aws/aws-sdk-go-v2/", "github.com/aws/smithy-go"},
	} {
		i := slices.IndexFunc(all, func(p listed) bool { return p.ImportPath == module+from })
		for _, dep := range all[i].Deps {
			host, _, _ := strings.Cut(dep, "/")
			isForeign := strings.Contains(host, ".")
			if isForeign && !slices.ContainsFunc(allowed, func(prefix string) bool { return strings.HasPrefix(dep, prefix) }) {
				t.Errorf("%s depends on %s", from, dep)
			}
		}
	}
}

// checkOwn checks that edges lists exactly the imports of a package.
func checkOwn(t *testing.T, from string, imports []string) {
	t.Helper()
	allowed, known := edges[from]
	if !known {
		t.Errorf("%s has no entry in edges: add it to the layer where it belongs", from)
	}
	for _, to := range imports {
		if !slices.Contains(allowed, to) {
			t.Errorf("%s imports %s, which edges does not list", from, to)
		}
	}
	for _, to := range allowed {
		if !slices.Contains(imports, to) {
			t.Errorf("%s no longer imports %s: remove it from edges", from, to)
		}
	}
}

// checkForeign checks that a package may import a package of another module.
func checkForeign(t *testing.T, from, to string) {
	t.Helper()
	for prefix, allowed := range onlyImporters {
		if (to == prefix || strings.HasPrefix(to, prefix+"/")) && !slices.ContainsFunc(allowed, func(a string) bool { return a == from || strings.HasPrefix(from, a+"/") }) {
			t.Errorf("%s imports %s, which only %v may import", from, to, allowed)
		}
	}
}

// checkDep checks that a package may depend on another package, directly or indirectly.
func checkDep(t *testing.T, from, to string) {
	t.Helper()
	for _, f := range forbidden {
		if within(f.from, from) && within(f.to, to) && from != to {
			t.Errorf("%s depends on %s: %s", from, to, f.why)
		}
	}
}

// within reports whether a pattern, such as "functions/...", matches the name of a package.
func within(pattern, name string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == base || strings.HasPrefix(name, base+"/")
	}
	return pattern == name
}

// packages returns the packages of this module except those that exist only for tests.
func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var own []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return own
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) && !forTests(p.ImportPath) {
			own = append(own, p)
		}
	}
}

// forTests reports whether a package exists only for tests, as this package does.
func forTests(path string) bool {
	last := path[strings.LastIndex(path, "/")+1:]
	return last == "layers" || last == "lists" || last == "sizes" || strings.HasSuffix(last, "test") || strings.Contains(path, "/testdata/")
}

package rest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"nepenthes/shared/api"
	"nepenthes/shared/rest"
)

// document reads the published OpenAPI document.
func (s *service) document(t *testing.T) map[string]any {
	t.Helper()
	text := s.do(t, "", "GET", "/api/v3/openapi.json", "").want(t, 200, nil).text
	return must[any](t)(jsonschema.UnmarshalJSON(strings.NewReader(text))).(map[string]any)
}

// walk visits every value of a document with its JSON pointer.
func walk(value any, pointer string, visit func(pointer string, object map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		visit(pointer, v)
		for name, member := range v {
			name = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B").Replace(name)
			walk(member, pointer+"/"+name, visit)
		}
	case []any:
		for i, element := range v {
			walk(element, fmt.Sprint(pointer, "/", i), visit)
		}
	}
}

// TestTheDocumentIsClean checks the document with the strictest rules of a common linter.
func TestTheDocumentIsClean(t *testing.T) {
	const linter = "../../node_modules/.bin/redocly"
	if _, err := os.Stat(linter); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("%v: run make tools", err)
	}
	text := newService(t).do(t, "", "GET", "/api/v3/openapi.json", "").want(t, 200, nil).text
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), linter, "lint", "--extends", "recommended-strict", file)
	command.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestExamplesFollowTheirSchemas(t *testing.T) {
	document := newService(t).document(t)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	const url = "https://nepenthes.example/openapi.json"
	if err := compiler.AddResource(url, document); err != nil {
		t.Fatal(err)
	}
	found := 0
	walk(document, "", func(pointer string, object map[string]any) {
		examples, ok := object["examples"].([]any)
		if !ok {
			return
		}
		schema, err := compiler.Compile(url + "#" + pointer)
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range examples {
			found++
			if err := schema.Validate(example); err != nil {
				t.Errorf("%s: the example %v does not follow the schema: %v", pointer, example, err)
			}
		}
	})
	if found < 100 {
		t.Errorf("got %d examples, want one for almost every member", found)
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	document := newService(t).document(t)
	for path, item := range document["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			operation := op.(map[string]any)
			for _, member := range []string{"operationId", "summary", "description", "tags", "security", "responses"} {
				if operation[member] == nil {
					t.Errorf("%s %s has no %s", method, path, member)
				}
			}
			for _, parameter := range list(operation["parameters"]) {
				if p := parameter.(map[string]any); p["description"] == nil {
					t.Errorf("%s %s: parameter %v is not described", method, path, p["name"])
				}
			}
		}
	}
	walk(document["components"], "", func(pointer string, object map[string]any) {
		for name, property := range object {
			if !strings.HasSuffix(pointer, "/properties") || name == "_embedded" || name == "_links" {
				continue
			}
			if p := property.(map[string]any); p["description"] == nil {
				t.Errorf("%s/%s is not described", pointer, name)
			}
		}
	})
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

func TestEveryOperationListsItsFailures(t *testing.T) {
	document := newService(t).document(t)
	for path, item := range document["paths"].(map[string]any) {
		if !strings.HasPrefix(path, "/api") {
			continue
		}
		for method, op := range item.(map[string]any) {
			operation := op.(map[string]any)
			want := []string{"401", "403", "406", "413", "429", "500", "503"}
			if operation["requestBody"] != nil {
				want = append(want, "400", "415", "422")
			}
			if strings.Contains(path, "{id}") && method != "put" {
				want = append(want, "404")
			}
			for _, status := range want {
				if operation["responses"].(map[string]any)[status] == nil {
					t.Errorf("%s %s does not list %s", method, path, status)
				}
			}
		}
	}
}

func TestTheDocumentIsTheSameEachTime(t *testing.T) {
	s, again := newService(t), newService(t)
	one, two := s.do(t, "", "GET", "/api/v3/openapi.json", ""), again.do(t, "", "GET", "/api/v3/openapi.json", "")
	if !bytes.Equal([]byte(one.text), []byte(two.text)) {
		t.Error("got two different documents")
	}
}

func TestNewNamesTheMissingDependency(t *testing.T) {
	c := newService(t).Config
	for name, remove := range map[string]func(*rest.Config){
		"Verifier":  func(c *rest.Config) { c.Verifier = nil },
		"Settings":  func(c *rest.Config) { c.Settings = nil },
		"Logger":    func(c *rest.Config) { c.Logger = nil },
		"CursorKey": func(c *rest.Config) { c.CursorKey = c.CursorKey[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, name) {
					t.Errorf("got panic %q, want one that names %s", text, name)
				}
			}()
			incomplete := c
			remove(&incomplete)
			rest.New(incomplete)
		})
	}
}

// TestAHandlerServesOnlyItsOperations checks a handler that has only some operations. It has no document, which would be
// incomplete.
func TestAHandlerServesOnlyItsOperations(t *testing.T) {
	s := newService(t)
	s.Config.Operations = api.Operations{Settings: s.Config.Operations.Settings}
	s.Config.CursorKey = nil
	s.serve(t)
	for path, want := range map[string]int{"/api/v3/settings": 401, "/api/v3": 404, "/api/v3/webhooks": 404, "/api/v3/openapi.json": 404} {
		s.do(t, "", "GET", path, "").want(t, want, nil)
	}
}

func TestFilesOfTheDocumentationAreServed(t *testing.T) {
	docs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "docs ", r.URL.Path) })
	s := newService(t, withDocs(map[string]http.Handler{"": docs, "style.css": docs}))
	for _, path := range []string{"/api/docs", "/api/docs/style.css"} {
		if got := s.do(t, "", "GET", path, "").want(t, 200, nil); got.text != "docs "+path {
			t.Errorf("got %q from %s", got.text, path)
		}
	}
	s.do(t, "", "POST", "/api/docs", "").want(t, 405, nil)
	if got := s.do(t, "", "GET", "/api/docs/other.css", "").want(t, 404, nil); !strings.Contains(got.text, `"_type":"Error"`) {
		t.Errorf("got %s, want a problem document", got.text)
	}
	s.do(t, s.token(t), "PATCH", "/api/v3/settings", `{"api":{"docsEnabled":false}}`).want(t, 200, nil)
	s.do(t, "", "GET", "/api/docs", "").want(t, 404, nil)
	s.do(t, "", "GET", "/api/docs/style.css", "").want(t, 404, nil)
	for _, method := range []string{"POST", "OPTIONS"} { // no answer reveals that the path could exist
		s.do(t, "", method, "/api/docs", "").want(t, 404, nil)
		s.do(t, "", method, "/api/v3/openapi.json", "").want(t, 404, nil)
	}
}

func TestAPanicOfAMountedHandlerIsAnswered(t *testing.T) {
	s := newService(t, withDocs(map[string]http.Handler{"": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("inner text") })}))
	got := s.do(t, "", "GET", "/api/docs", "").want(t, 500, nil)
	id := got.Header.Get("X-Request-Id")
	if strings.Contains(got.text, "inner") || !strings.Contains(got.text, id) || !strings.Contains(s.Log.String(), id) {
		t.Errorf("got %s and log %s", got.text, s.Log)
	}
}

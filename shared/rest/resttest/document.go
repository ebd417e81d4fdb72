package resttest

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the OpenAPI document of the target. Every answer is checked against it.
type document struct {
	compiler *jsonschema.Compiler
	paths    []documentPath
	raw      any
}

// documentPath is a path of the document, as a pattern for the paths of requests.
type documentPath struct {
	pattern  *regexp.Regexp
	literal  bool
	template string
}

// documentURL is the name of the document for the compiler of schemas. Nothing is read from it.
const documentURL = "https://nepenthes.example/openapi.json"

// readDocument reads the document of the target.
func (r *runner) readDocument(t *testing.T) *document {
	t.Helper()
	response, err := r.HTTP.Get(r.URL + "/api/v3/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("got no OpenAPI document: %d %v", response.StatusCode, err)
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{compiler: jsonschema.NewCompiler(), raw: raw}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, raw); err != nil {
		t.Fatal(err)
	}
	for template := range member(raw, "paths") {
		pattern := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		d.paths = append(d.paths, documentPath{regexp.MustCompile("^" + pattern + "$"), !strings.Contains(template, "{"), template})
	}
	return d
}

// member returns the object at a path of names, or an empty object.
func member(value any, names ...string) map[string]any {
	for _, name := range names {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	object, _ := value.(map[string]any)
	return object
}

// template returns the path in the document that matches a path of a request. A path without parameters comes first.
func (d *document) template(path string) string {
	path, _, _ = strings.Cut(path, "?")
	found := ""
	for _, p := range d.paths {
		if p.pattern.MatchString(path) && (found == "" || p.literal) {
			found = p.template
		}
	}
	return found
}

// check checks that the document describes the status, the content type and the body of an answer. It ignores operations
// that the document does not have, such as those of unknown paths.
func (d *document) check(t *testing.T, method, path string, response *http.Response, body []byte) {
	t.Helper()
	do := method + " " + path
	template := d.template(path)
	operation := member(d.raw, "paths", template, strings.ToLower(method))
	if operation == nil {
		return
	}
	status := strconv.Itoa(response.StatusCode)
	answer := member(operation, "responses", status)
	place := []string{"paths", template, strings.ToLower(method), "responses", status}
	if answer == nil {
		t.Errorf("%s: got status %s, which the document does not have", do, status)
		return
	}
	if ref, ok := answer["$ref"].(string); ok {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		answer = member(d.raw, place...)
	}
	if member(answer, "content") == nil {
		if len(body) > 0 {
			t.Errorf("%s: got a body, but the document has none for %s", do, status)
		}
		return
	}
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || member(answer, "content", mediaType) == nil {
		t.Errorf("%s: got Content-Type %q, which the document does not have for %s", do, response.Header.Get("Content-Type"), status)
		return
	}
	d.checkSchema(t, do, append(place, "content", mediaType, "schema"), body)
}

// checkSchema checks that a body follows the schema at a place in the document.
func (d *document) checkSchema(t *testing.T, do string, place []string, body []byte) {
	t.Helper()
	schema, err := d.compiler.Compile(documentURL + "#" + pointer(place))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Errorf("%s: got a body that is not JSON: %v", do, err)
		return
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: the answer does not follow the document: %v\n%s", do, err, body)
	}
}

// pointer returns a JSON pointer as a URI fragment (RFC 6901).
func pointer(place []string) string {
	var b strings.Builder
	for _, name := range place {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		name = strings.NewReplacer("{", "%7B", "}", "%7D", "+", "%2B").Replace(name)
		b.WriteString("/" + name)
	}
	return b.String()
}

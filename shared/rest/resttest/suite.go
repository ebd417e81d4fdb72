// Package resttest is a test suite for the API. Its cases are data: requests and the answers that must follow. The same
// cases run against a handler in a test, against the local program and against a deployed stack. Every answer is also
// checked against the OpenAPI document of the target.
package resttest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Target is a running API with an administrator. The cases create and change things there. They restore the settings,
// and their names have a random part, so that they can run again.
type Target struct {
	// URL is the address before /api/v3, with the stage path.
	URL string
	// Stage is the path with which links begin before /api/v3, such as "/dev", or "".
	Stage string
	// Emulator is the emulator on which the target runs. It is empty for AWS and for the local program.
	Emulator Emulator
	// ClientID and ClientSecret belong to a client with every scope.
	ClientID, ClientSecret string
	// HTTP makes the requests. Nil means http.DefaultClient.
	HTTP *http.Client
}

// Case is a sequence of requests. Later steps can use the values that a step keeps.
type Case struct {
	Name  string
	Steps []Step
}

// Step is one request and the answer that must follow. In Do, Header, Body and Want, {run} is a random text of the case,
// {self} is the host and port of the target, and {name} is the value that was kept under this name.
type Step struct {
	// Do is the method and the path after the target's address: "GET /api/v3/webhooks".
	Do string
	// As lists the scopes of the token, separated by spaces. Empty means all scopes, and "-" means no token.
	As string
	// Header has additional headers. The Content-Type of a body is application/json unless Header has another.
	Header map[string]string
	Body   string
	// Unless skips the step on emulators with this leniency.
	Unless Leniency

	// Status is the status that the answer must have.
	Status int
	// Kind is the kind that the error must have, such as "InvalidQuery".
	Kind string
	// Attributes are the attributes that the errors must have, in this order.
	Attributes []string
	// Want maps paths of members ("_embedded.elements.0.name") to what the answer must have there: a value, Some for any
	// value, None for no member, or Like for a text that matches.
	Want map[string]any
	// WantHeader maps names of headers to the values that they must have. "" means that there must be no such header.
	WantHeader map[string]string
	// Keep maps names to the paths of the values to keep for later steps. "header:Location" is a header.
	Keep map[string]string
}

// Some stands for any value, also null.
type Some struct{}

// None stands for an absent member.
type None struct{}

// Like stands for a text that matches a regular expression.
type Like string

// Run runs the cases one after another. Each is a sub-test.
func Run(t *testing.T, target Target, cases []Case) {
	t.Helper()
	if target.HTTP == nil {
		target.HTTP = http.DefaultClient
	}
	r := &runner{Target: target, tokens: map[string]string{}, run: strings.ToLower(rand.Text()[:8])}
	r.document = r.readDocument(t)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { r.play(t, c) })
	}
	t.Run("a representation that is sent back changes nothing", r.sendBack)
}

// All returns the cases of every part of the API.
func All() []Case {
	var all []Case
	for _, part := range [][]Case{Errors, Settings, Webhooks, Pauses, Headers, Secrets, Deliveries, Stats, Events, Projects, Clients, Origins} {
		all = append(all, part...)
	}
	return all
}

// runner runs cases against one target.
type runner struct {
	Target
	document *document
	tokens   map[string]string // by scopes
	run      string
}

// play makes the requests of a case. It stops after a wrong answer, because later steps may depend on it.
func (r *runner) play(t *testing.T, c Case) {
	kept := map[string]string{"run": r.run + "-" + strings.ToLower(rand.Text()[:4]), "self": r.host(t)}
	for _, step := range c.Steps {
		if r.Emulator.Has(step.Unless) {
			continue
		}
		method, path := r.do(step, kept)
		response, body := r.send(t, method, path, step, kept)
		name := method + " " + path
		if !r.check(t, name, step, kept, response, body) {
			t.Fatalf("%s: got %d %s", name, response.StatusCode, body)
		}
		r.document.check(t, method, path, response, body)
		keep(t, step, kept, response, body)
	}
}

// host returns the host and port of the target.
func (r *runner) host(t *testing.T) string {
	t.Helper()
	address, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address.Host
}

// do returns the method of a step and its path after the target's address. The path may be a link that was kept.
func (r *runner) do(step Step, kept map[string]string) (method, path string) {
	method, path, _ = strings.Cut(fill(step.Do, kept), " ")
	return method, strings.TrimPrefix(path, r.Stage)
}

// placeholder matches a name in braces.
var placeholder = regexp.MustCompile(`\{[a-z][A-Za-z]*\}`)

// fill replaces the names in braces by the kept values. It leaves other names as they are.
func fill(text string, kept map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := kept[name[1:len(name)-1]]; ok {
			return value
		}
		return name
	})
}

// send makes the request of a step and reads the answer.
func (r *runner) send(t *testing.T, method, path string, step Step, kept map[string]string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, strings.NewReader(fill(step.Body, kept)))
	if err != nil {
		t.Fatal(err)
	}
	if step.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if step.As != "-" {
		request.Header.Set("Authorization", "Bearer "+r.token(t, step.As))
	}
	for name, value := range step.Header {
		request.Header.Set(name, fill(value, kept))
		if value == "" {
			request.Header.Del(name)
		}
	}
	if r.Emulator.Has(DefaultAccept) && request.Header.Get("Accept") == "" {
		request.Header.Set("Accept", "*/*") // means the same as no header (RFC 9110 §12.5.1)
	}
	response, err := r.HTTP.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// token returns a token for the scopes. It requests only one token for each set of scopes.
func (r *runner) token(t *testing.T, scopes string) string {
	t.Helper()
	if token := r.tokens[scopes]; token != "" {
		return token
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {r.ClientID}, "client_secret": {r.ClientSecret}}
	if scopes != "" {
		form.Set("scope", scopes)
	}
	response, err := r.HTTP.PostForm(r.URL+"/oauth/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("got no token for %q: %d %v", scopes, response.StatusCode, err)
	}
	r.tokens[scopes] = answer.Token
	return answer.Token
}

// keep keeps the values that a step names.
func keep(t *testing.T, step Step, kept map[string]string, response *http.Response, body []byte) {
	t.Helper()
	for name, path := range maps.All(step.Keep) {
		if header, ok := strings.CutPrefix(path, "header:"); ok {
			kept[name] = response.Header.Get(header)
			continue
		}
		value, found := at(decoded(body), path)
		text, isText := value.(string)
		if !found || !isText {
			t.Fatalf("%s: there is no text at %s to keep", step.Do, path)
		}
		kept[name] = text
	}
}

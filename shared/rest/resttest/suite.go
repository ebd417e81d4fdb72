// Package resttest holds cases for the API as data: requests, and what must come back. The same cases run against a
// handler in a test, against the local program and against a deployed stack. Every answer is also held against the
// OpenAPI document that the target itself publishes.
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

// Target is a running API with an administrator. The cases make and change things there, settings too, and put the
// settings back; names carry a random part, so that they can run again.
type Target struct {
	// URL is the address without /api/v3, the stage path included.
	URL string
	// Stage is the path that links must begin with before /api/v3, such as "/dev"; empty where there is none.
	Stage string
	// Emulator is the one that the target stands behind; empty for AWS and for local.
	Emulator Emulator
	// ClientID and ClientSecret are those of a client with every scope.
	ClientID, ClientSecret string
	// HTTP makes the calls; nil means http.DefaultClient.
	HTTP *http.Client
}

// Case is a story of requests. What a step keeps, later steps can name in braces.
type Case struct {
	Name  string
	Steps []Step
}

// Step is one request and what must come back. In Path, Header, Body and Want, {run} is random for each run, {self}
// is the host and port of the target, and {name} what was kept under that name.
type Step struct {
	// Do is the method and the path behind the target's address: "GET /api/v3/webhooks".
	Do string
	// As is the scopes of the token, separated by spaces; empty: all; "-": no token is sent.
	As string
	// Header is sent beside what belongs to every request. A Content-Type of application/json goes with a body.
	Header map[string]string
	Body   string
	// Unless leaves the step out for emulators with this leniency.
	Unless Leniency

	// Status must come back.
	Status int
	// Kind must be the error's kind, such as "InvalidQuery".
	Kind string
	// Attributes must be those of the errors, in their order.
	Attributes []string
	// Want has the members that must be in the answer, by their paths ("_embedded.elements.0.name"): a value
	// means this value, Some anything at all, None that there is no such member, Like a text that matches.
	Want map[string]any
	// WantHeader must come back; "" means that the header must not.
	WantHeader map[string]string
	// Keep names values of the answer for later steps, by their paths; "header:Location" is a header.
	Keep map[string]string
}

// Some stands for any value but an absent one, null included.
type Some struct{}

// None stands for the absence of a member.
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
	t.Run("nothing that is given changes anything when it is sent back", r.sendBack)
}

// All lists the cases for every part of the API.
func All() []Case {
	var all []Case
	for _, part := range [][]Case{Errors, Settings, Webhooks, Headers, Secrets, Deliveries, Events, Projects, Clients, Origins} {
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

// host is the host and port of the target's address.
func (r *runner) host(t *testing.T) string {
	t.Helper()
	address, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address.Host
}

// do gives the step's method and its path behind the target's address, also of a link that was kept.
func (r *runner) do(step Step, kept map[string]string) (method, path string) {
	method, path, _ = strings.Cut(fill(step.Do, kept), " ")
	return method, strings.TrimPrefix(path, r.Stage)
}

var placeholder = regexp.MustCompile(`\{[a-z][A-Za-z]*\}`)

// fill puts in what was kept; names that were not are left as they are.
func fill(text string, kept map[string]string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := kept[name[1:len(name)-1]]; ok {
			return value
		}
		return name
	})
}

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
		request.Header.Set("Accept", "*/*") // what it means to say nothing (RFC 9110 §12.5.1)
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

// token gets a token for scopes, once for a run.
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
			t.Fatalf("%s: got no text at %s to keep", step.Do, path)
		}
		kept[name] = text
	}
}

package rest_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"nepenthes/shared/address"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/fanout"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/rest"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/vault"
)

// service is the whole API on a database in memory, behind a real HTTP server.
type service struct {
	URL       string
	Admin     string // id of the administrator
	Secret    string
	DB        *sqlite.DB
	Fanout    *fanout.Fanout
	Catalogue *catalogue.Catalogue
	Log       *log
	Config    rest.Config
}

// log collects the log.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// resolver resolves every name to a public address, except names that begin with "inside" or "nowhere".
type resolver struct{}

func (resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch {
	case strings.HasPrefix(host, "inside"):
		return []netip.Addr{netip.MustParseAddr("10.0.0.7")}, nil
	case strings.HasPrefix(host, "nowhere"):
		return nil, fmt.Errorf("no such host")
	}
	return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
}

// must returns a function that fails the test on an error.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// dataFolder returns the folder of the database. Tests have a database in memory, and benchmarks have it on disk, as the
// local program does.
func dataFolder(t testing.TB) string {
	if b, measured := t.(*testing.B); measured {
		return b.TempDir()
	}
	return ""
}

// option changes the dependencies of a service.
type option func(*rest.Config, *api.Config)

func withDocs(docs map[string]http.Handler) option {
	return func(c *rest.Config, _ *api.Config) { c.Docs = docs }
}

func newService(t testing.TB, options ...option) *service {
	t.Helper()
	s := &service{Log: &log{}, Admin: "admin", Secret: rand.Text()}
	logger := slog.New(slog.NewTextHandler(s.Log, nil))
	s.DB = must[*sqlite.DB](t)(sqlite.Open(dataFolder(t), sqlite.Options{}))
	t.Cleanup(func() { s.DB.Close() })
	s.Catalogue = catalogue.New(s.DB)
	s.Fanout = fanout.New(fanout.Config{
		Matcher: s.Catalogue, Recorder: s.DB, Projects: s.DB, Deliveries: s.DB.Lane(lane.Deliveries),
		DeadLetters: s.DB.Lane(lane.Events.DeadLetters()), Logger: logger,
	})
	local := must[*vault.Local](t)(vault.OpenLocal(""))
	sealer := vault.NewSealer(vault.SealerConfig{Pairs: s.DB, Maker: local})
	signer := vault.NewSigner(vault.SignerConfig{Pairs: s.DB, Maker: local, Unwrapper: local})
	publics := vault.NewVerifier(vault.VerifierConfig{Pairs: s.DB})
	verifier := auth.NewVerifier(auth.VerifierConfig{Clients: s.DB, Revocations: s.DB, Keys: publics, Issuer: "urn:nepenthes:test"})
	server := oauth.New(oauth.Config{
		Authenticator: auth.NewAuthenticator(auth.AuthenticatorConfig{Clients: s.DB, Failures: s.DB, Logger: logger}),
		Issuer:        auth.NewIssuer(auth.IssuerConfig{Keys: signer, Revocations: s.DB, Verifier: verifier}),
		Keys:          keys{signer, publics}, Logger: logger,
	})
	if err := clients.NewAdministrator(clients.AdministratorConfig{Store: s.DB}).Ensure(t.Context(), s.Admin, s.Secret); err != nil {
		t.Fatal(err)
	}
	operations := api.Config{
		Catalogue: s.Catalogue, Store: s.DB, Events: s.DB.Lane(lane.Events), Retries: s.DB.Lane(lane.Retries),
		Operator: fanout.NewOperator(fanout.OperatorConfig{Recorder: s.DB, Deliveries: s.DB.Lane(lane.Deliveries)}), Sealer: sealer, Clients: clients.New(clients.Config{Store: s.DB}),
		Addresses: address.Rules{}, Resolver: resolver{}, Version: "test", Logger: logger,
	}
	s.Config = rest.Config{Verifier: verifier, Settings: s.Catalogue, CursorKey: make([]byte, 32), Version: "test", Logger: logger, Docs: map[string]http.Handler{"": http.NotFoundHandler()}}
	for _, r := range server.Routes() {
		s.Config.Mounts = append(s.Config.Mounts, rest.Mount(r))
	}
	for _, option := range options {
		option(&s.Config, &operations)
	}
	s.Config.Operations = api.New(operations)
	s.serve(t)
	return s
}

// keys are the private and the public halves of the keys of tokens.
type keys struct {
	*vault.Signer
	*vault.Verifier
}

// serve starts the service on a port.
func (s *service) serve(t testing.TB) {
	t.Helper()
	listening := httptest.NewServer(rest.New(s.Config))
	t.Cleanup(listening.Close)
	s.URL = listening.URL
}

// token returns a token of the administrator. Without scopes it has all scopes.
func (s *service) token(t testing.TB, scopes ...string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.Admin}, "client_secret": {s.Secret}}
	if scopes != nil {
		form.Set("scope", strings.Join(scopes, " "))
	}
	response := must[*http.Response](t)(http.PostForm(s.URL+"/oauth/token", form))
	defer response.Body.Close()
	body := must[[]byte](t)(io.ReadAll(response.Body))
	var token struct {
		Text string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &token); err != nil || token.Text == "" {
		t.Fatalf("got no token: %d %s", response.StatusCode, body)
	}
	return token.Text
}

// answer is the answer to a call.
type answer struct {
	*http.Response
	text string
}

// do makes a call with a token. A body that is not empty is sent as JSON.
func (s *service) do(t testing.TB, token, method, path, body string) answer {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequest(method, s.URL+path, strings.NewReader(body)))
	request.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return send(t, request)
}

func send(t testing.TB, request *http.Request) answer {
	t.Helper()
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	return answer{response, string(must[[]byte](t)(io.ReadAll(response.Body)))}
}

// want fails the test unless the answer has the status. It reads the answer into v, unless v is nil.
func (a answer) want(t testing.TB, status int, v any) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: got %d %.300s, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.text, status)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(a.text), v); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// wantKind fails the test unless the answer is a problem of the kind.
func (a answer) wantKind(t testing.TB, kind fault.Kind) {
	t.Helper()
	var problem rest.Problem
	a.want(t, kind.Status(), &problem)
	if want := "urn:nepenthes:api:v3:errors:" + kind.Identifier(); problem.Identifier != want {
		t.Errorf("got %s (%s), want %s", problem.Identifier, problem.Detail, want)
	}
}

const hooks = "https://receiver.example.com/hooks"

// webhook creates a webhook for all events and returns its id.
func (s *service) webhook(t testing.TB, token, name string) string {
	t.Helper()
	var created struct{ ID string }
	s.do(t, token, "POST", "/api/v3/webhooks", `{"name":"`+name+`","payloadUrl":"`+hooks+`","events":["*"]}`).want(t, 201, &created)
	return created.ID
}

func TestAcceptMayHaveSeveralLines(t *testing.T) {
	s := newService(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v3", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Authorization": {"Bearer " + s.token(t)}, "Accept": {"text/html", "application/json"}}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "application/json; charset=utf-8" {
		t.Errorf("got %d of type %q, want the type of the second line", answer.StatusCode, got)
	}
}

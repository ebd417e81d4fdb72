package console_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/address"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/console"
	"nepenthes/shared/fanout"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/vault"
	"nepenthes/shared/webhook"
)

// The id and the secret of the administrator in every test.
const (
	adminID     = "admin"
	adminSecret = "the-secret-of-the-administrator"
)

// ownHost is the host of the public URL.
const ownHost = "nepenthes.example.com"

// system is the console on a database in memory, behind a real HTTP server.
type system struct {
	t          *testing.T
	url        string // with the stage path
	db         *sqlite.DB
	fanout     *fanout.Fanout
	operations api.Operations
	log        *strings.Builder
	handler    http.Handler
	// projectLists counts how often all projects were read.
	projectLists int
}

// resolver resolves every name.
type resolver struct{}

func (resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// start starts a system below a stage path. change can change the configuration of the console.
func start(t *testing.T, stage string, change ...func(*console.Config)) *system {
	t.Helper()
	s := &system{t: t, log: &strings.Builder{}}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	s.db = must[*sqlite.DB](t)(sqlite.Open("", sqlite.Options{}))
	t.Cleanup(func() { s.db.Close() })
	known := catalogue.New(s.db)
	s.fanout = fanout.New(fanout.Config{
		Matcher: known, Recorder: s.db, Projects: s.db, Deliveries: s.db.Lane(lane.Deliveries),
		DeadLetters: s.db.Lane(lane.Events.DeadLetters()), Logger: logger,
	})
	keys := must[*vault.Local](t)(vault.OpenLocal(""))
	s.operations = api.New(api.Config{
		Catalogue: known, Store: counted{s.db, &s.projectLists}, Events: s.db.Lane(lane.Events), Retries: s.db.Lane(lane.Retries),
		Operator: fanout.NewOperator(fanout.OperatorConfig{Recorder: s.db, Deliveries: s.db.Lane(lane.Deliveries)}),
		Sealer:   vault.NewSealer(vault.SealerConfig{Pairs: s.db, Maker: keys}),
		Clients:  clients.New(clients.Config{Store: s.db}), Addresses: address.Rules{Own: []string{ownHost}}, Resolver: resolver{}, Version: "test", Logger: logger,
	})
	if err := clients.NewAdministrator(clients.AdministratorConfig{Store: s.db}).Ensure(t.Context(), adminID, adminSecret); err != nil {
		t.Fatal(err)
	}
	config := console.Config{
		Operations: s.operations, Clients: s.db, State: s.db, Settings: known, CursorKey: make([]byte, 32), PlainHTTP: true, Logger: logger,
		Authenticator: auth.NewAuthenticator(auth.AuthenticatorConfig{Clients: s.db, Failures: s.db, Logger: logger}),
		Prefix:        func(*http.Request) string { return stage },
	}
	for _, c := range change {
		c(&config)
	}
	s.handler = http.StripPrefix(stage, console.New(config))
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	s.url = server.URL + stage
	return s
}

// call returns the call of an administrator, for tests that call operations directly.
func call() api.Call {
	return api.Call{Caller: auth.Caller{ClientID: adminID, Scopes: access.AdministratorScopes()}}
}

// webhook creates a webhook for all events.
func (s *system) webhook(name string) *webhook.Webhook {
	s.t.Helper()
	in := &api.CreateWebhook{WebhookPatch: api.WebhookPatch{
		Name: api.Set(name), PayloadURL: api.Set("https://receiver.example.com/in"), Events: api.Set([]string{"*"}),
		Headers: api.Set(map[string]api.HeaderPatch{"X-Token": {Value: "credential-4711"}}),
	}}
	return &must[*api.WrittenWebhook](s.t)(s.operations.Webhooks.Create.Do(s.t.Context(), call(), in)).Webhook
}

// pause pauses a webhook.
func (s *system) pause(webhookID string) {
	s.t.Helper()
	must[*api.WebhookDetails](s.t)(s.operations.Webhooks.Pause.Do(s.t.Context(), call(), &api.WebhookID{ID: webhookID}))
}

// delivery records an event and returns the id of its pending delivery to the webhook.
func (s *system) delivery(w *webhook.Webhook) string {
	s.t.Helper()
	e, _ := events.Example("work_package:updated")
	text := must[[]byte](s.t)(e.Encode())
	if err := s.fanout.Handle(s.t.Context(), lane.Message{ID: "m-1", Body: text}); err != nil {
		s.t.Fatal(err)
	}
	recorded, err := s.db.Event(s.t.Context(), events.KeyOf(e.Source, e.ID))
	if err != nil {
		s.t.Fatal(err)
	}
	return recorded.DeliveryKey(w.ID).ID()
}

// client creates an OAuth client with the scopes and returns its id and secret.
func (s *system) client(scopes ...string) (id, secret string) {
	s.t.Helper()
	in := &api.CreateClient{Name: api.Set("Reader"), Scopes: api.Set(access.Named(scopes))}
	c := must[*api.IssuedClientSecret](s.t)(s.operations.Clients.Create.Do(s.t.Context(), call(), in))
	return c.ID, c.Secret
}

// browser is a client that keeps cookies and follows no redirects.
type browser struct {
	*http.Client
	s *system
}

func (s *system) browser() *browser {
	jar := must[*cookiejar.Jar](s.t)(cookiejar.New(nil))
	return &browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s}
}

// signedIn returns a browser in which the client is signed in.
func (s *system) signedIn(id, secret string) *browser {
	s.t.Helper()
	b := s.browser()
	if a := b.post("/admin/sign_in", "client_id", id, "client_secret", secret); a.status != http.StatusSeeOther {
		s.t.Fatalf("signing in: got %d %s, want 303", a.status, a.body)
	}
	return b
}

func (s *system) admin() *browser { return s.signedIn(adminID, adminSecret) }

// answer is an answer with its complete body.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) answer {
	b.s.t.Helper()
	response := must[*http.Response](b.s.t)(b.Do(r))
	defer response.Body.Close()
	body := must[[]byte](b.s.t)(io.ReadAll(response.Body))
	return answer{response.StatusCode, response.Header, string(body)}
}

func (b *browser) get(path string) answer {
	b.s.t.Helper()
	return b.do(must[*http.Request](b.s.t)(http.NewRequestWithContext(b.s.t.Context(), http.MethodGet, b.s.url+path, nil)))
}

// form returns a POST request with pairs of names and values, as the pages of the console send it.
func (b *browser) form(path string, pairs ...string) *http.Request {
	b.s.t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	r := must[*http.Request](b.s.t)(http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.url+path, strings.NewReader(values.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (b *browser) post(path string, pairs ...string) answer {
	b.s.t.Helper()
	return b.do(b.form(path, pairs...))
}

var onceField = regexp.MustCompile(`name="once" value="([A-Z2-7]+)"`)

// once returns the number in a form.
func (a answer) once(t *testing.T) string {
	t.Helper()
	found := onceField.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("no number in %d %s", a.status, a.body)
	}
	return found[1]
}

package oauth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/vault"
)

// buffer is a log that tests read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// deployment is an authorization server as it is wired, on a store in memory.
type deployment struct {
	*httptest.Server
	store    *sqlite.DB
	local    *vault.Local
	verifier *auth.Verifier
	registry *clients.Registry
	log      *buffer
	now      func() time.Time
}

// options change how a deployment is wired.
type options struct {
	publicURL bool
	now       func() time.Time
	source    func() string // the address that clients appear to have
	failures  auth.Counter
	keys      oauth.Keys
}

func deploy(t testing.TB, o options) *deployment {
	t.Helper()
	if o.now == nil {
		o.now = time.Now
	}
	store, err := sqlite.Open("", sqlite.Options{Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	local, err := vault.OpenLocal("")
	if err != nil {
		t.Fatal(err)
	}
	signer := vault.NewSigner(vault.SignerConfig{Pairs: store, Maker: local, Unwrapper: local, Now: o.now})
	keys := vault.NewVerifier(vault.VerifierConfig{Pairs: store, Now: o.now})
	if o.failures == nil {
		o.failures = store
	}
	if o.keys == nil {
		o.keys = keys
	}
	d := &deployment{store: store, local: local, log: &buffer{}, now: o.now}
	logger := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	mux := http.NewServeMux()
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.source != nil {
			r.RemoteAddr = o.source()
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(d.Close)
	issuer, publicURL := "urn:nepenthes:test", ""
	if o.publicURL {
		issuer, publicURL = d.URL, d.URL
	}
	d.registry = clients.New(clients.Config{Store: store, Now: o.now})
	d.verifier = auth.NewVerifier(auth.VerifierConfig{Clients: store, Revocations: store, Keys: keys, Issuer: issuer, Now: o.now})
	server := oauth.New(oauth.Config{
		Authenticator: auth.NewAuthenticator(auth.AuthenticatorConfig{
			Clients:  clients.NewAdministrator(clients.AdministratorConfig{Store: store, Now: o.now}),
			Failures: o.failures, Now: o.now, Logger: logger,
		}),
		Issuer: auth.NewIssuer(auth.IssuerConfig{Keys: signer, Revocations: store, Verifier: d.verifier}),
		Keys:   o.keys, PublicURL: publicURL, Logger: logger,
	})
	for _, route := range server.Routes() {
		mux.Handle(route.Method+" "+route.Path, route.Handler)
	}
	return d
}

// odd is a secret with every character that needs escaping somewhere.
const odd = `a:b c%20+&=?/"'\;~`

// client stores a client with the id and the secret, in ASCII.
func (d *deployment) client(t testing.TB, id, secret string, scopes ...access.Scope) {
	t.Helper()
	_, list, err := d.store.Clients(context.Background())
	if err == nil {
		err = d.store.PutClient(context.Background(), &access.Client{
			ID: id, Name: id, Scopes: scopes, CreatedAt: d.now(),
			Secrets: []access.Secret{{ID: "sec_" + id, Hash: sha256.Sum256([]byte(secret)), CreatedAt: d.now()}},
		}, list)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// answer is an HTTP answer with its complete body.
type answer struct {
	status int
	header http.Header
	body   string
}

// json returns the members of the body. It fails the test when the body is not one JSON object.
func (a answer) json(t testing.TB) (members map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	return members
}

func send(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// post sends a form. header is a header line or empty.
func (d *deployment) post(t testing.TB, path, form, authorization string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, d.URL+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return send(t, r)
}

func (d *deployment) get(t testing.TB, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, d.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, r)
}

// token asks for an access token in the form.
func (d *deployment) token(t testing.TB, id, secret string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	token, ok := d.post(t, oauth.TokenPath, form.Encode(), "").json(t)["access_token"].(string)
	if !ok {
		t.Fatal("got no token")
	}
	return token
}

package oauth_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/oauth"
	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
)

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func TestToken(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", "secret", access.EventsRead, access.WebhooksWrite)
	got := d.post(t, oauth.TokenPath, "grant_type=client_credentials", basic("reader", "secret"))
	if got.status != http.StatusOK {
		t.Fatalf("got %d %s, want 200", got.status, got.body)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json"} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
	members := got.json(t)
	token, _ := members["access_token"].(string)
	want := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 900.0, "scope": "webhooks:write events:read"}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	caller, err := d.verifier.Verify(t.Context(), token)
	if err != nil || caller.ClientID != "reader" || !caller.Allows(access.WebhooksRead) || caller.Allows(access.ClientsRead) {
		t.Errorf("got %+v, %v, want the client reader with its scopes", caller, err)
	}
}

// TestStandardClient uses golang.org/x/oauth2 unmodified, with credentials that must be escaped.
func TestStandardClient(t *testing.T) {
	const id, secret = "first_client.of~us-1", odd
	d := deploy(t, options{publicURL: true})
	d.client(t, id, secret, access.EventsRead, access.WebhooksWrite)
	for name, style := range map[string]oauth2.AuthStyle{
		"in the header": oauth2.AuthStyleInHeader, "in the body": oauth2.AuthStyleInParams, "detected": oauth2.AuthStyleAutoDetect,
	} {
		t.Run(name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: id, ClientSecret: secret, TokenURL: d.URL + oauth.TokenPath, Scopes: []string{"webhooks:read"}, AuthStyle: style,
			}
			token, err := config.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if token.Type() != "Bearer" || token.Extra("scope") != "webhooks:read" || time.Until(token.Expiry) < 14*time.Minute {
				t.Errorf("got %q, %q, until %v", token.Type(), token.Extra("scope"), token.Expiry)
			}
			if _, err := d.verifier.Verify(t.Context(), token.AccessToken); err != nil {
				t.Error(err)
			}
			config.ClientSecret = "wrong"
			_, err = config.Token(t.Context())
			if refused, ok := err.(*oauth2.RetrieveError); !ok || refused.ErrorCode != "invalid_client" {
				t.Errorf("a wrong secret: got %v, want invalid_client", err)
			}
		})
	}
}

// refusals are requests that both endpoints refuse alike. The parameters of the endpoint precede body.
var refusals = map[string]struct {
	body, authorization string
	status              int
	code                string
}{
	"no credentials":           {"", "", 401, "invalid_client"},
	"an id alone":              {"&client_id=reader", "", 401, "invalid_client"},
	"a secret alone":           {"&client_secret=secret", "", 401, "invalid_client"},
	"a wrong secret, Basic":    {"", basic("reader", "wrong"), 401, "invalid_client"},
	"a wrong secret, body":     {"&client_id=reader&client_secret=wrong", "", 401, "invalid_client"},
	"an unknown client, Basic": {"", basic("nobody", "secret"), 401, "invalid_client"},
	"an unknown client, body":  {"&client_id=nobody&client_secret=secret", "", 401, "invalid_client"},
	"no secret, Basic":         {"", basic("reader", ""), 401, "invalid_client"},
	"no colon":                 {"", "Basic " + base64.StdEncoding.EncodeToString([]byte("reader")), 401, "invalid_client"},
	"not base64":               {"", "Basic reader:secret", 401, "invalid_client"},
	"base64url":                {"", "Basic " + base64.RawURLEncoding.EncodeToString([]byte("reader:secret")), 401, "invalid_client"},
	"nothing behind Basic":     {"", "Basic", 401, "invalid_client"},
	"a bad escape":             {"", basic("reader", "%zz"), 401, "invalid_client"},
	"another scheme":           {"", "Bearer secret", 401, "invalid_client"},
	"both at once":             {"&client_id=reader&client_secret=secret", basic("reader", "secret"), 400, "invalid_request"},
	"both, one secret wrong":   {"&client_secret=wrong", basic("reader", "secret"), 400, "invalid_request"},
	"another id in the body":   {"&client_id=writer", basic("reader", "secret"), 400, "invalid_request"},
	"a repeated parameter":     {"&client_id=reader&client_secret=secret&client_id=reader", "", 400, "invalid_request"},
	"a repeated unknown name":  {"&client_id=reader&client_secret=secret&x=1&x=2", "", 400, "invalid_request"},
	"a bad escape in the body": {"&client_id=reader&client_secret=secret&x=%zz", "", 400, "invalid_request"},
	"a semicolon":              {"&client_id=reader;client_secret=secret", "", 400, "invalid_request"},
	"a body of 1 MiB":          {"&client_id=reader&client_secret=secret&x=" + strings.Repeat("x", 1<<20), "", 413, "invalid_request"},
}

func TestRefusals(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", "secret", access.EventsRead)
	for path, own := range map[string]string{oauth.TokenPath: "grant_type=client_credentials", oauth.RevokePath: "token=x"} {
		for name, test := range refusals {
			t.Run(path+" with "+name, func(t *testing.T) {
				checkRefusal(t, d.post(t, path, own+test.body, test.authorization), test.status, test.code)
			})
		}
	}
	good := "&client_id=reader&client_secret=secret"
	for name, test := range map[string]struct{ path, form, code string }{
		"no grant":              {oauth.TokenPath, good[1:], "invalid_request"},
		"an empty grant":        {oauth.TokenPath, "grant_type=" + good, "invalid_request"},
		"another grant":         {oauth.TokenPath, "grant_type=password&username=a&password=b" + good, "unsupported_grant_type"},
		"a grant in capitals":   {oauth.TokenPath, "grant_type=CLIENT_CREDENTIALS" + good, "unsupported_grant_type"},
		"an unknown scope":      {oauth.TokenPath, "grant_type=client_credentials&scope=unknown" + good, "invalid_scope"},
		"a scope that it lacks": {oauth.TokenPath, "grant_type=client_credentials&scope=events%3Aread+events%3Awrite" + good, "invalid_scope"},
		"no token to revoke":    {oauth.RevokePath, "token_type_hint=access_token" + good, "invalid_request"},
		"an empty token":        {oauth.RevokePath, "token=" + good, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) { checkRefusal(t, d.post(t, test.path, test.form, ""), 400, test.code) })
	}
	for _, media := range []string{"", "application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded, text/plain", "nonsense"} {
		t.Run("content type "+media, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+oauth.TokenPath, strings.NewReader("grant_type=client_credentials"+good))
			if err != nil {
				t.Fatal(err)
			}
			r.Header["Content-Type"] = []string{media}
			checkRefusal(t, send(t, r), 400, "invalid_request")
		})
	}
	t.Run("two Authorization headers", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+oauth.TokenPath, strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{
			"Content-Type":  {"application/x-www-form-urlencoded"},
			"Authorization": {basic("reader", "secret"), basic("reader", "secret")},
		}
		checkRefusal(t, send(t, r), 400, "invalid_request")
	})
	t.Run("credentials in the URL", func(t *testing.T) {
		checkRefusal(t, d.post(t, oauth.TokenPath+"?client_id=reader&client_secret=secret", "grant_type=client_credentials", ""), 401, "invalid_client")
	})
}

// checkRefusal checks an answer against RFC 6749 §5.2.
func checkRefusal(t *testing.T, got answer, status int, code string) {
	t.Helper()
	members := got.json(t)
	if got.status != status || members["error"] != code {
		t.Errorf("got %d %s, want %d %s", got.status, got.body, status, code)
	}
	description, _ := members["error_description"].(string)
	for _, r := range description {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			t.Errorf("error_description has the character %q", r)
		}
	}
	if description == "" || len(members) != 2 {
		t.Errorf("got %v, want error and error_description", members)
	}
	challenge := got.header.Get("WWW-Authenticate")
	if (status == 401) != strings.HasPrefix(challenge, "Basic realm=") {
		t.Errorf("WWW-Authenticate: got %q with status %d", challenge, status)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Pragma") != "no-cache" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers: got %v", got.header)
	}
}

func TestAcceptedForms(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", odd, access.EventsRead)
	escaped := url.QueryEscape(odd)
	for name, test := range map[string]struct{ body, authorization string }{
		"Basic":                     {"", basic("reader", escaped)},
		"a scheme in lower case":    {"", "basic " + basic("reader", escaped)[6:]},
		"two spaces":                {"", "Basic  " + basic("reader", escaped)[6:]},
		"everything escaped":        {"", basic("%72eader", escaped)},
		"body":                      {"&client_id=reader&client_secret=" + escaped, ""},
		"the id in both":            {"&client_id=reader", basic("reader", escaped)},
		"an empty secret in both":   {"&client_id=&client_secret=", basic("reader", escaped)},
		"an empty scope":            {"&scope=", basic("reader", escaped)},
		"an unknown parameter":      {"&audience=x", basic("reader", escaped)},
		"parameters of other flows": {"&redirect_uri=x&state=y", basic("reader", escaped)},
	} {
		t.Run(name, func(t *testing.T) {
			got := d.post(t, oauth.TokenPath, "grant_type=client_credentials"+test.body, test.authorization)
			if got.status != 200 || got.json(t)["scope"] != "events:read" {
				t.Errorf("got %d %s, want a token for events:read", got.status, got.body)
			}
		})
	}
	t.Run("a charset", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+oauth.TokenPath, strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"Application/X-WWW-Form-Urlencoded; charset=UTF-8"}, "Authorization": {basic("reader", escaped)}}
		if got := send(t, r); got.status != 200 {
			t.Errorf("got %d %s, want 200", got.status, got.body)
		}
	})
}

func TestGuessesAreThrottled(t *testing.T) {
	source := "192.0.2.1"
	d := deploy(t, options{source: func() string { return source }})
	d.client(t, "reader", "secret", access.EventsRead)
	ask := func(path, secret string) answer {
		return d.post(t, path, "grant_type=client_credentials&token=x", basic("reader", secret))
	}
	for i := range 10 { // both endpoints count together: a secret can be guessed at either
		checkRefusal(t, ask([]string{oauth.TokenPath, oauth.RevokePath}[i%2], "wrong"), 401, "invalid_client")
	}
	for _, path := range []string{oauth.TokenPath, oauth.RevokePath} {
		got := ask(path, "secret")
		checkRefusal(t, got, 429, "temporarily_unavailable")
		if got.header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After: got %q, want 60", got.header.Get("Retry-After"))
		}
	}
	source = "192.0.2.2"
	if got := ask(oauth.TokenPath, "secret"); got.status != 200 {
		t.Errorf("from another address: got %d %s, want 200", got.status, got.body)
	}
	if text := d.log.String(); strings.Count(text, "client.guessing") != 1 || !strings.Contains(text, "192.0.2.1") {
		t.Errorf("log: got %q, want one line about the guesses", text)
	}
}

func TestConcurrentSignIns(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", "secret", access.EventsRead)
	d.client(t, "busy", "secret", access.EventsRead)
	atOnce := func(id, secret string) map[int]int {
		statuses, mu, all := map[int]int{}, sync.Mutex{}, sync.WaitGroup{}
		for range 400 {
			all.Go(func() {
				got := d.post(t, oauth.TokenPath, "grant_type=client_credentials", basic(id, secret))
				mu.Lock()
				defer mu.Unlock()
				statuses[got.status]++
			})
		}
		all.Wait()
		return statuses
	}
	if diff := cmp.Diff(map[int]int{401: 10, 429: 390}, atOnce("reader", "a guess")); diff != "" {
		t.Errorf("400 guesses at once (-want +got):\n%s", diff)
	}
	checkRefusal(t, d.post(t, oauth.TokenPath, "grant_type=client_credentials", basic("reader", "secret")), 429, "temporarily_unavailable")
	if diff := cmp.Diff(map[int]int{200: 400}, atOnce("busy", "secret")); diff != "" {
		t.Errorf("400 right secrets at once (-want +got):\n%s", diff)
	}
}

func TestTheSourceIsNotTakenFromAHeader(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", "secret", access.EventsRead)
	var last answer
	for i := range 11 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+oauth.TokenPath, strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", basic("reader", "wrong"))
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"} {
			r.Header.Set(name, "192.0.2."+string(rune('0'+i%10)))
		}
		r.Close = true // another port each time, which must not count either
		last = send(t, r)
	}
	checkRefusal(t, last, 429, "temporarily_unavailable")
}

func TestRevocation(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", "secret", access.EventsRead)
	d.client(t, "other", "secret", access.EventsRead)
	mine, others := d.token(t, "reader", "secret"), d.token(t, "other", "secret")
	revoke := func(token string) answer {
		return d.post(t, oauth.RevokePath, "token_type_hint=refresh_token&token="+url.QueryEscape(token), basic("reader", "secret"))
	}
	good := func(token string) bool {
		_, err := d.verifier.Verify(t.Context(), token)
		return err == nil
	}
	for _, token := range []string{mine, mine, "unknown", mine[:len(mine)-3]} {
		if got := revoke(token); got.status != 200 || strings.TrimSpace(got.body) != "{}" || got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("got %d %q, want 200 and an empty object", got.status, got.body)
		}
	}
	checkRefusal(t, revoke(others), 400, "invalid_grant")
	if good(mine) || !good(others) {
		t.Errorf("got %v, %v, want only its own token revoked", good(mine), good(others))
	}
}

func TestKeySet(t *testing.T) {
	d := deploy(t, options{})
	d.client(t, "reader", "secret", access.EventsRead)
	got := d.get(t, oauth.KeySetPath) // before the first token, which a verifier that caches this set must be able to verify
	if got.status != 200 || got.header.Get("Cache-Control") != "public, max-age=60" {
		t.Fatalf("got %d, Cache-Control %q, want 200 and a minute", got.status, got.header.Get("Cache-Control"))
	}
	keys, _ := got.json(t)["keys"].([]any)
	if len(keys) != 1 {
		t.Fatalf("got %d keys, want 1", len(keys))
	}
	var names []string
	for name := range keys[0].(map[string]any) {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"alg", "crv", "kid", "kty", "use", "x", "y"}; !slices.Equal(names, want) {
		t.Errorf("members: got %v, want %v, nothing private", names, want)
	}
	set, err := jwk.Parse([]byte(got.body))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jws.Verify([]byte(d.token(t, "reader", "secret")), jws.WithKeySet(set)); err != nil {
		t.Errorf("another library cannot verify a token with the key set: %v", err)
	}
}

func TestKeysRotateWithoutAnOutage(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := deploy(t, options{now: func() time.Time { return at }})
	d.client(t, "reader", "secret", access.EventsRead)
	kept, keptAt := d.get(t, oauth.KeySetPath), at // the copy of a verifier that caches it as long as allowed
	kids := map[string]bool{}
	rotated := 0
	for elapsed := time.Duration(0); elapsed < 3*time.Hour; elapsed += 20 * time.Second {
		if elapsed == 30*time.Minute || elapsed == 31*time.Minute || elapsed == 2*time.Hour {
			if _, err := vault.Rotate(t.Context(), d.store, d.local, keypair.TokenSigning, at); err != nil {
				t.Fatal(err)
			}
			rotated++
		}
		token := d.token(t, "reader", "secret")
		if _, err := d.verifier.Verify(t.Context(), token); err != nil {
			t.Fatalf("after %v: a new token is refused: %v", elapsed, err)
		}
		message, err := jws.Parse([]byte(token))
		if err != nil {
			t.Fatal(err)
		}
		kid, _ := message.Signatures()[0].ProtectedHeaders().KeyID()
		kids[kid] = true
		if at.Sub(keptAt) > time.Minute {
			kept, keptAt = d.get(t, oauth.KeySetPath), at
		}
		if !strings.Contains(kept.body, kid) {
			t.Errorf("after %v: a token names a key that is missing in a key set cached for %v", elapsed, at.Sub(keptAt))
		}
		at = at.Add(20 * time.Second)
	}
	if len(kids) != rotated+1 {
		t.Errorf("got tokens of %d keys after %d rotations", len(kids), rotated)
	}
	if got := strings.Count(d.get(t, oauth.KeySetPath).body, `"kid"`); got != 1 {
		t.Errorf("an hour after the last rotation: got %d keys published, want 1", got)
	}
}

func TestMetadata(t *testing.T) {
	d := deploy(t, options{publicURL: true})
	got := d.get(t, oauth.MetadataPath)
	members := got.json(t)
	if got.status != 200 || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %d, %q, want 200, application/json", got.status, got.header.Get("Content-Type"))
	}
	methods := []any{"client_secret_basic", "client_secret_post"}
	scopes, _ := members["scopes_supported"].([]any)
	want := map[string]any{
		"issuer": d.URL, "token_endpoint": d.URL + "/oauth/token", "revocation_endpoint": d.URL + "/oauth/revoke",
		"jwks_uri": d.URL + "/.well-known/jwks.json", "service_documentation": d.URL + "/api/docs",
		"grant_types_supported": []any{"client_credentials"}, "response_types_supported": []any{}, "scopes_supported": scopes,
		"token_endpoint_auth_methods_supported": methods, "revocation_endpoint_auth_methods_supported": methods,
	}
	if diff := cmp.Diff(want, members); diff != "" || len(scopes) != len(access.Scopes()) {
		t.Errorf("%d scopes (-want +got):\n%s", len(scopes), diff)
	}
	t.Run("without a public URL", func(t *testing.T) {
		if got := deploy(t, options{}).get(t, oauth.MetadataPath); got.status != 404 {
			t.Errorf("got %d, want 404", got.status)
		}
	})
}

// broken is a counter that fails.
type broken struct{ err error }

func (b broken) Count(context.Context, string, int64, time.Time) (int64, error) { return 0, b.err }

func TestServerErrors(t *testing.T) {
	away := fault.New(fault.Unavailable, "the \"table\" is away").After(1500 * time.Millisecond)
	for name, test := range map[string]struct {
		err        error
		status     int
		code       string
		retryAfter string
	}{
		"unavailable":                     {away, 503, "temporarily_unavailable", "2"},
		"unavailable for an unknown time": {fault.New(fault.Unavailable, "away"), 503, "temporarily_unavailable", "1"},
		"unexpected":                      {context.DeadlineExceeded, 500, "server_error", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := deploy(t, options{failures: broken{test.err}})
			got := d.post(t, oauth.TokenPath, "grant_type=client_credentials", basic("reader", "secret"))
			checkRefusal(t, got, test.status, test.code)
			if value := got.header.Get("Retry-After"); value != test.retryAfter {
				t.Errorf("Retry-After: got %q, want %q", value, test.retryAfter)
			}
			if strings.Contains(got.body, "table") || strings.Contains(got.body, "deadline") {
				t.Errorf("the answer reveals what failed: %s", got.body)
			}
			if text := d.log.String(); !strings.Contains(text, "oauth.failed") || !strings.Contains(text, "sign a client in") {
				t.Errorf("log: got %q, want the operation that failed", text)
			}
		})
	}
}

// lost has keys that cannot be read.
type lost struct{ err error }

func (l lost) VerificationKeys(context.Context) ([]keypair.Public, error) { return nil, l.err }

func TestKeySetWhileTheStoreIsUnreachable(t *testing.T) {
	d := deploy(t, options{keys: lost{fault.New(fault.Unavailable, "away").After(time.Second)}})
	got := d.get(t, oauth.KeySetPath)
	if got.status != 503 || got.json(t)["error"] != "temporarily_unavailable" || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %d %s, want 503 with Retry-After", got.status, got.body)
	}
	if got.header.Get("Cache-Control") != "" {
		t.Errorf("Cache-Control: got %q, want none: a failure must not be cached", got.header.Get("Cache-Control"))
	}
}

func TestNewPanicsWithoutItsParts(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("got no panic, want one")
		}
	}()
	oauth.New(oauth.Config{Authenticator: &auth.Authenticator{}})
}

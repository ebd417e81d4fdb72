package oauth_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/auth/oauth"
)

// FuzzRequest sends arbitrary headers and bodies to both endpoints. Only the client's secret may be accepted, no request
// may cause a server error, and no answer may repeat what was sent.
func FuzzRequest(f *testing.F) {
	f.Add("grant_type=client_credentials", basic("reader", "secret"))
	f.Add("grant_type=client_credentials&client_id=reader&client_secret=secret&token=x", "")
	f.Add("grant_type=client_credentials&scope=events%3Aread;", "Basic cmVhZGVyOiV6eg==")
	f.Add("grant_type=%00&&==&token=a.b.c", "bAsIc =")
	f.Add("token=eyJhbGciOiJub25lIn0.e30.&client_id=%2e%2e", "Bearer \xff")
	d := deploy(f, options{})
	d.client(f, "reader", "a-secret-that-nobody-guesses", access.EventsRead)
	source := 0
	f.Fuzz(func(t *testing.T, body, header string) {
		for _, path := range []string{oauth.TokenPath, oauth.RevokePath} {
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
			source++ // so that guesses are checked and never throttled
			r.RemoteAddr = fmt.Sprint(source)
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			w := httptest.NewRecorder()
			d.Config.Handler.ServeHTTP(w, r)
			if w.Code != 400 && w.Code != 401 && w.Code != 413 {
				t.Errorf("got %d %s, want a refusal", w.Code, w.Body)
			}
			if !utf8.Valid(w.Body.Bytes()) || len(header) > 20 && strings.Contains(w.Body.String(), header) {
				t.Errorf("got %q, want constant text", w.Body)
			}
		}
	})
}

// FuzzCredentials checks that any id and secret arrive unchanged, in the header and in the body.
func FuzzCredentials(f *testing.F) {
	for _, secret := range []string{odd, "a", "%", "+", " ", "::", "%25", "ÿ", "\x7f"} {
		f.Add("reader", secret)
	}
	f.Add("x:y", "z")
	f.Fuzz(func(t *testing.T, id, secret string) {
		if !auth.WellFormed(id, secret) {
			return
		}
		d := deploy(t, options{})
		d.client(t, id, secret, access.EventsRead)
		form := url.Values{"grant_type": {"client_credentials"}}
		escaped := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
		if got := d.post(t, oauth.TokenPath, form.Encode(), "Basic "+escaped); got.status != 200 {
			t.Errorf("%q %q in the header: got %d %s", id, secret, got.status, got.body)
		}
		form.Set("client_id", id)
		form.Set("client_secret", secret)
		if got := d.post(t, oauth.TokenPath, form.Encode(), ""); got.status != 200 {
			t.Errorf("%q %q in the body: got %d %s", id, secret, got.status, got.body)
		}
	})
}

// TestSecretsAppearOnce makes valid and invalid requests in any order. A secret or a token may appear only in the answer
// that creates it: not in another answer, an error, a log line, or the store.
func TestSecretsAppearOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := deploy(t, options{})
		root := auth.Caller{Scopes: access.AdministratorScopes()}
		var shown []string // all secrets and tokens that answers have contained
		look := func(what, text string) {
			for _, secret := range shown {
				if strings.Contains(text, secret) {
					rt.Fatalf("%s contains a secret or token of an earlier answer: %s", what, text)
				}
			}
		}
		made, secret, err := d.registry.Create(t.Context(), root, "x", []access.Scope{access.ClientsWrite})
		if err != nil {
			rt.Fatal(err)
		}
		tokens, secrets := []string{"a.b.c"}, []string{secret}
		shown = append(shown, secret)
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			id := rapid.SampledFrom([]string{made.ID, made.ID, made.ID, secret, "nobody"}).Draw(rt, "id")
			given := rapid.SampledFrom(append(secrets, "wrong", made.ID)).Draw(rt, "secret")
			token := rapid.SampledFrom(tokens).Draw(rt, "token")
			switch rapid.SampledFrom([]string{"token", "revoke", "add", "remove", "verify", "rename"}).Draw(rt, "operation") {
			case "token":
				scope := rapid.SampledFrom([]string{"", "clients:read", "nothing", secret, token}).Draw(rt, "scope")
				form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
				got := d.post(t, oauth.TokenPath, form.Encode(), basic(id, given))
				look("an answer", got.body)
				if text, ok := got.json(t)["access_token"].(string); ok {
					tokens, shown = append(tokens, text), append(shown, text)
				}
			case "revoke":
				got := d.post(t, oauth.RevokePath, url.Values{"token": {token}, "client_id": {id}, "client_secret": {given}}.Encode(), "")
				look("an answer", got.body)
			case "verify":
				_, err := d.verifier.Verify(t.Context(), token+rapid.SampledFrom([]string{"", "x"}).Draw(rt, "tail"))
				look("an error", fmt.Sprint(err))
			case "add":
				_, added, err := d.registry.AddSecret(t.Context(), root, made.ID)
				look("an error", fmt.Sprint(err))
				if err == nil {
					secrets, shown = append(secrets, added), append(shown, added)
				}
			case "remove":
				err := d.registry.DeleteSecret(t.Context(), root, made.ID, given)
				if given == made.ID {
					look("an error", fmt.Sprint(err))
				}
			case "rename":
				name := strings.Repeat(given, 10)
				_, err := d.registry.Update(t.Context(), root, made.ID, 0, clients.Change{Name: &name, Scopes: &[]access.Scope{access.Scope(given)}})
				look("an error", fmt.Sprint(err))
			}
			look("the log", d.log.String())
			all, _, err := d.store.Clients(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			look("the store", fmt.Sprintf("%+v", all))
		}
	})
}

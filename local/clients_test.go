package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// clientScopes are the scopes that the applications of these tests request. Their client has more.
const clientScopes = "webhooks:read deliveries:read"

// application creates a client, as an administrator does for an application.
func (p *program) application() credentials {
	p.t.Helper()
	made := p.call(http.MethodPost, "/api/v3/oauth_clients", `{"name":"Application","scopes":["webhooks:write","deliveries:read"]}`, http.StatusCreated)
	id, _ := made["id"].(string)
	secret, _ := made["clientSecret"].(string)
	return credentials{id, secret}
}

func TestTheGoClientWorksUnmodified(t *testing.T) {
	p := start(t, "-data", "", "-demo=false")
	app := p.application()
	for name, style := range map[string]oauth2.AuthStyle{
		"detected": oauth2.AuthStyleAutoDetect, "header": oauth2.AuthStyleInHeader, "parameters": oauth2.AuthStyleInParams,
	} {
		t.Run(name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: app.id, ClientSecret: app.secret, TokenURL: p.api + "/oauth/token", Scopes: strings.Fields(clientScopes), AuthStyle: style,
			}
			token, err := config.Token(t.Context())
			check(t, err)
			if token.Type() != "Bearer" || token.Extra("scope") != clientScopes || !token.Valid() {
				t.Errorf("got a %s token for %v, valid: %v; want a valid Bearer token for %s", token.Type(), token.Extra("scope"), token.Valid(), clientScopes)
			}
			client := oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(token))
			if got := status(t, client, p.api+"/api/v3/webhooks"); got != http.StatusOK {
				t.Errorf("with the token: got %d, want 200", got)
			}
			form := url.Values{"token": {token.AccessToken}, "client_id": {app.id}, "client_secret": {app.secret}}
			resp, err := http.PostForm(p.api+"/oauth/revoke", form)
			check(t, err)
			check(t, resp.Body.Close())
			if got := status(t, client, p.api+"/api/v3/webhooks"); got != http.StatusUnauthorized {
				t.Errorf("with the revoked token: got %d, want 401", got)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		for code, config := range map[string]clientcredentials.Config{
			"invalid_client": {ClientID: app.id, ClientSecret: "wrong"},
			"invalid_scope":  {ClientID: app.id, ClientSecret: app.secret, Scopes: []string{"clients:write"}},
		} {
			config.TokenURL = p.api + "/oauth/token"
			_, err := config.Token(t.Context())
			if refusal := new(oauth2.RetrieveError); !errors.As(err, &refusal) || refusal.ErrorCode != code {
				t.Errorf("got %v, want %s", err, code)
			}
		}
	})
}

func status(t *testing.T, client *http.Client, address string) int {
	t.Helper()
	resp, err := client.Get(address)
	check(t, err)
	check(t, resp.Body.Close())
	return resp.StatusCode
}

// TestNodeClientsWorkUnmodified runs small applications with OAuth libraries from npm. Each prints what it got for both
// ways of sending the secret, and how it was refused.
func TestNodeClientsWorkUnmodified(t *testing.T) {
	p := start(t, "-data", "", "-demo=false")
	app := p.application()
	worked := map[string]any{"type": "bearer", "scope": clientScopes, "expires": true, "before": 200.0, "after": "401 invalid_token"}
	for library, refusedAs := range map[string]string{"openid-client": "basic", "simple-oauth2": "invalid_client"} {
		t.Run(library, func(t *testing.T) {
			needs(t, "../node_modules/"+library)
			node := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "clients", library+".mjs"))
			node.Env = append(os.Environ(), "ISSUER="+p.api, "CLIENT_ID="+app.id, "CLIENT_SECRET="+app.secret, "SCOPE="+clientScopes)
			out, err := node.Output()
			if exit := new(exec.ExitError); errors.As(err, &exit) {
				t.Fatalf("%v: %s", err, exit.Stderr)
			}
			check(t, err)
			want := []any{worked, worked, map[string]any{"wrongSecret": refusedAs, "wrongScope": "invalid_scope"}}
			if diff := cmp.Diff(want, lines(t, string(out))); diff != "" {
				t.Errorf("(-want +got) %s", diff)
			}
		})
	}
}

// lines decodes a text that has one JSON document on each line.
func lines(t *testing.T, text string) []any {
	t.Helper()
	var all []any
	for line := range strings.Lines(text) {
		var document any
		if err := json.Unmarshal([]byte(line), &document); err != nil {
			t.Fatal(fmt.Errorf("%w: %s", err, line))
		}
		all = append(all, document)
	}
	return all
}

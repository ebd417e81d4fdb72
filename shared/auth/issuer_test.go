package auth_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
)

// read returns the parts of a token and checks its signature, with the standard library alone.
func read(t *testing.T, token string, key *ecdsa.PublicKey) (header, payload map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("got %d parts, want 3", len(parts))
	}
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for part, into := range map[string]*map[string]any{parts[0]: &header, parts[1]: &payload} {
		if err := json.Unmarshal(decode(part), into); err != nil {
			t.Fatal(err)
		}
	}
	hash, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), decode(parts[2])
	if len(signature) != 64 || !ecdsa.Verify(key, hash[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the signature is not ES256 by this key")
	}
	return header, payload
}

func TestIssue(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.WebhooksWrite, access.EventsRead)
	token, err := w.issuer.Issue(t.Context(), client, "sec_0", "")
	if err != nil {
		t.Fatal(err)
	}
	header, payload := read(t, token.Text, &w.keys.pairs["one"].PublicKey)
	if diff := cmp.Diff(map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": "one"}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	jti, _ := payload["jti"].(string)
	if len(jti) < 22 { // 128 bits
		t.Errorf("jti: got %q, want at least 128 bits", jti)
	}
	now := float64(w.clock.Now().Unix())
	want := map[string]any{
		"iss": issuer, "sub": "reader", "client_id": "reader", "aud": issuer, "scope": "webhooks:write events:read",
		"iat": now, "exp": now + 900, "jti": jti, "sid": "sec_0",
	}
	if diff := cmp.Diff(want, payload); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	client.Revocations = 7
	want["rev"] = float64(7)
	if _, payload := read(t, w.token(t, client, ""), &w.keys.pairs["one"].PublicKey); payload["rev"] != want["rev"] {
		t.Errorf("after 7 revocations: got rev %v, want 7", payload["rev"])
	}
	if _, other := read(t, w.token(t, client, ""), &w.keys.pairs["one"].PublicKey); other["jti"] == jti {
		t.Error("two tokens have the same jti")
	}
}

func TestIssueScopes(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.EventsRead, access.WebhooksWrite, access.SettingsRead)
	for asked, want := range map[string]string{
		"":                                       "settings:read webhooks:write events:read",
		"events:read":                            "events:read",
		"webhooks:read":                          "webhooks:read",
		"webhooks:write":                         "webhooks:write",
		"events:read webhooks:read":              "webhooks:read events:read",
		"events:read events:read":                "events:read",
		" events:read  settings:read ":           "settings:read events:read",
		"webhooks:write webhooks:read":           "webhooks:read webhooks:write",
		" ":                                      "refused",
		"events:write":                           "refused",
		"settings:read clients:read":             "refused",
		"unknown":                                "refused",
		"webhooks":                               "refused",
		"webhooks:":                              "refused",
		"webhooks:admin":                         "refused",
		":read":                                  "refused",
		"WEBHOOKS:READ":                          "refused",
		"events:read\tsettings:read":             "refused",
		"events:read,settings:read":              "refused",
		"events:read\x00":                        "refused",
		strings.Repeat("events:read ", 1000):     "events:read",
		"webhooks:read webhooks:write projects:": "refused",
	} {
		t.Run(asked[:min(len(asked), 40)], func(t *testing.T) {
			token, err := w.issuer.Issue(t.Context(), client, "sec_0", asked)
			if want == "refused" {
				if !errors.Is(err, auth.ErrScope) || token != (auth.Token{}) {
					t.Errorf("got %q, %v, want ErrScope", token.Scope, err)
				}
				return
			}
			if err != nil || token.Scope != want {
				t.Errorf("got %q, %v, want %q", token.Scope, err, want)
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	mine, other := w.client(t, "mine", 1, access.EventsRead), w.client(t, "other", 1, access.EventsRead)
	good := func(token string) bool {
		_, err := w.verifier.Verify(t.Context(), token)
		return err == nil
	}

	t.Run("the client's token, and no other", func(t *testing.T) {
		one, two := w.token(t, mine, ""), w.token(t, mine, "")
		for range 2 {
			if err := w.issuer.Revoke(t.Context(), "mine", one); err != nil {
				t.Error(err)
			}
		}
		if good(one) || !good(two) {
			t.Errorf("got %v, %v, want the first revoked and the second not", good(one), good(two))
		}
	})
	t.Run("another client's token", func(t *testing.T) {
		token := w.token(t, other, "")
		if err := w.issuer.Revoke(t.Context(), "mine", token); !errors.Is(err, auth.ErrForeign) {
			t.Errorf("got %v, want ErrForeign", err)
		}
		if !good(token) {
			t.Error("the other client's token was revoked")
		}
	})
	t.Run("until it expires", func(t *testing.T) {
		token := w.token(t, mine, "")
		if err := w.issuer.Revoke(t.Context(), "mine", token); err != nil {
			t.Fatal(err)
		}
		w.clock.advance(auth.TokenLife - time.Nanosecond)
		if good(token) {
			t.Error("the revoked token is valid again just before it expires")
		}
		w.clock.advance(time.Nanosecond)
		if good(token) {
			t.Error("the revoked token is valid again after it expires")
		}
	})
	t.Run("a text that is not a token", func(t *testing.T) {
		expired, othersExpired := w.token(t, mine, ""), w.token(t, other, "")
		w.clock.advance(auth.TokenLife)
		for _, token := range []string{"junk", "", expired, othersExpired, expired[:len(expired)-4]} {
			if err := w.issuer.Revoke(t.Context(), "mine", token); err != nil {
				t.Errorf("%.10q: got %v, want nil", token, err)
			}
		}
	})
	t.Run("while the keys cannot be read", func(t *testing.T) {
		token := w.token(t, mine, "")
		w.keys.broken.Store(errAway)
		wantKind(t, w.issuer.Revoke(t.Context(), "mine", token), fault.Unavailable)
	})
}

package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/fault"
)

func TestVerify(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.WebhooksRead, access.EventsWrite)
	token := w.token(t, client, "")

	got, err := w.verifier.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got.ClientID != "reader" || got.TokenID == "" || !got.Expires.Equal(w.clock.Now().Add(15*time.Minute)) {
		t.Errorf("got %+v, want the client reader for 15 minutes", got)
	}
	for scope, want := range map[access.Scope]bool{
		access.WebhooksRead: true, access.WebhooksWrite: false,
		access.EventsRead: true, access.EventsWrite: true,
		access.ClientsRead: false, "": false, ":read": false,
	} {
		if got.Allows(scope) != want {
			t.Errorf("Allows(%q): got %v, want %v", scope, !want, want)
		}
	}
}

func TestChangesTakeEffectAtTheNextRequest(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testing.T, *world, access.Client, string)
		want   []access.Scope // nil: refused
	}{
		"nothing changed": {
			func(*testing.T, *world, access.Client, string) {},
			[]access.Scope{access.WebhooksRead, access.WebhooksWrite, access.EventsRead},
		},
		"a moment before the token expires": {
			func(_ *testing.T, w *world, _ access.Client, _ string) { w.clock.advance(15*time.Minute - 1) },
			[]access.Scope{access.WebhooksRead, access.WebhooksWrite, access.EventsRead},
		},
		"the token expires": {
			func(_ *testing.T, w *world, _ access.Client, _ string) { w.clock.advance(15 * time.Minute) }, nil,
		},
		"the token is revoked": {
			func(t *testing.T, w *world, c access.Client, token string) {
				if err := w.issuer.Revoke(t.Context(), c.ID, token); err != nil {
					t.Fatal(err)
				}
			}, nil,
		},
		"the client is deleted": {
			func(t *testing.T, w *world, c access.Client, _ string) { w.remove(t, c.ID) }, nil,
		},
		"the client is deleted and its id is used again": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				w.remove(t, c.ID)
				w.clock.advance(time.Second)
				w.client(t, c.ID, 1, c.Scopes...)
			}, nil,
		},
		"the secret of the token is deleted": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Secrets = c.Secrets[1:]
				w.put(t, &c)
			}, nil,
		},
		"the secret of the token is replaced": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Secrets = []access.Secret{{ID: "sec_2", Hash: c.Secrets[0].Hash, CreatedAt: w.clock.Now()}}
				w.put(t, &c)
			}, nil,
		},
		"the secret of the token expires": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Secrets[0].ExpiresAt = w.clock.Now().Add(time.Minute)
				w.put(t, &c)
				w.clock.advance(time.Minute)
			}, nil,
		},
		"another secret is deleted": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Secrets = c.Secrets[:1]
				w.put(t, &c)
			}, []access.Scope{access.WebhooksRead, access.WebhooksWrite, access.EventsRead},
		},
		"all tokens of the client are revoked": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Revocations++
				w.put(t, &c)
			}, nil,
		},
		"the client loses a scope": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Scopes = []access.Scope{access.WebhooksWrite}
				w.put(t, &c)
			}, []access.Scope{access.WebhooksRead, access.WebhooksWrite},
		},
		"the client keeps read instead of write": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Scopes = []access.Scope{access.WebhooksRead, access.EventsRead}
				w.put(t, &c)
			}, []access.Scope{access.WebhooksRead, access.EventsRead},
		},
		"the client gains a scope": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Scopes = access.AdministratorScopes()
				w.put(t, &c)
			}, []access.Scope{access.WebhooksRead, access.WebhooksWrite, access.EventsRead},
		},
		"the client loses every scope": {
			func(t *testing.T, w *world, c access.Client, _ string) {
				c.Scopes = []access.Scope{access.ProjectsWrite}
				w.put(t, &c)
			}, []access.Scope{},
		},
	} {
		for _, remembered := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", token verified before"}[remembered], func(t *testing.T) {
				w := newWorld(t)
				client := w.client(t, "writer", 2, access.WebhooksWrite, access.EventsRead)
				token := w.token(t, client, "")
				if remembered {
					if _, err := w.verifier.Verify(t.Context(), token); err != nil {
						t.Fatal(err)
					}
				}
				test.change(t, w, client, token)
				caller, err := w.verifier.Verify(t.Context(), token)
				if test.want == nil {
					wantKind(t, err, fault.Unauthenticated)
					return
				}
				if err != nil || !slices.Equal(caller.Scopes, test.want) {
					t.Errorf("got %v, %v, want %v", caller.Scopes, err, test.want)
				}
			})
		}
	}
}

// compact returns a JWS with the given header and payload, and the signature that sign returns for the signing input.
func compact(t testing.TB, header, payload map[string]any, sign func([]byte) []byte) string {
	t.Helper()
	encode := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := encode(header) + "." + encode(payload)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

// es256 signs as in RFC 7518 §3.4. A signature is r and s, with 32 bytes each.
func es256(t testing.TB, key *ecdsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		hash := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, key, hash[:])
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
}

func with(m map[string]any, name string, value any) map[string]any {
	m = maps.Clone(m)
	if m[name] = value; value == nil {
		delete(m, name)
	}
	return m
}

func TestVerifyRefusesForgedTokens(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.WebhooksRead)
	header := map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": "one"}
	payload := map[string]any{
		"iss": issuer, "sub": "reader", "client_id": "reader", "aud": issuer, "jti": "x", "scope": "webhooks:read",
		"iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Minute).Unix(),
	}
	ours := es256(t, w.keys.pairs["one"])
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := w.keys.pairs["one"].PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	genuine := w.token(t, client, "")
	parts := strings.Split(genuine, ".")
	// Without this check, every case below could be refused for the wrong reason.
	if _, err := w.verifier.Verify(t.Context(), compact(t, header, payload, ours)); err != nil {
		t.Fatalf("a token made by hand: got %v, want a valid token", err)
	}

	for name, token := range map[string]string{
		"nothing":                "",
		"junk":                   "junk",
		"dots":                   "..",
		"two parts":              parts[0] + "." + parts[1],
		"four parts":             genuine + "." + parts[2],
		"a space before":         " " + genuine,
		"a cut signature":        genuine[:len(genuine)-2],
		"no signature":           parts[0] + "." + parts[1] + ".",
		"another token's claims": parts[0] + "." + strings.Split(compact(t, header, with(payload, "sub", "root"), ours), ".")[1] + "." + parts[2],
		"padding":                genuine + "==",
		"a line break":           parts[0] + "." + parts[1] + "\n." + parts[2],
		"stray bits":             strayBits(genuine),
		"JSON serialization":     `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"very long":              strings.Repeat("A", 1<<20),
		"long and signed":        compact(t, header, with(payload, "more", strings.Repeat("A", 8<<10)), ours),
		"alg none":               compact(t, with(header, "alg", "none"), payload, func([]byte) []byte { return nil }),
		"HMAC with the public key": compact(t, with(header, "alg", "HS256"), payload, func(input []byte) []byte {
			mac := hmac.New(sha256.New, public)
			mac.Write(input)
			return mac.Sum(nil)
		}),
		"a stranger's key":             compact(t, header, payload, es256(t, stranger)),
		"the key of another id":        compact(t, with(header, "kid", "two"), payload, ours),
		"an unknown key":               compact(t, with(header, "kid", "three"), payload, ours),
		"no key id":                    compact(t, with(header, "kid", nil), payload, ours),
		"a key in the token":           compact(t, with(with(header, "kid", nil), "jwk", map[string]any{"kty": "EC"}), payload, ours),
		"an ID token":                  compact(t, with(header, "typ", "JWT"), payload, ours),
		"no type":                      compact(t, with(header, "typ", nil), payload, ours),
		"an unknown critical header":   compact(t, with(with(header, "crit", []string{"x"}), "x", 1), payload, ours),
		"another issuer":               compact(t, header, with(payload, "iss", issuer+".evil.example"), ours),
		"no issuer":                    compact(t, header, with(payload, "iss", nil), ours),
		"another audience":             compact(t, header, with(payload, "aud", "https://other.example.com"), ours),
		"no expiry":                    compact(t, header, with(payload, "exp", nil), ours),
		"an expiry that is a text":     compact(t, header, with(payload, "exp", "never"), ours),
		"no client":                    compact(t, header, with(payload, "client_id", nil), ours),
		"an unknown secret":            compact(t, header, with(payload, "sid", "sec_9"), ours),
		"a secret id that is a number": compact(t, header, with(payload, "sid", 7), ours),
		"more revocations than made":   compact(t, header, with(payload, "rev", 1), ours),
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // a refusal must not be remembered as anything else
				caller, err := w.verifier.Verify(t.Context(), token)
				wantKind(t, err, fault.Unauthenticated)
				if caller.ClientID != "" || caller.Scopes != nil {
					t.Errorf("got %+v, want an error", caller)
				}
				if err != nil && len(token) > 2 && strings.Contains(err.Error(), token) {
					t.Error("the error repeats the token")
				}
			}
		})
	}
}

// TestVerifyBoundsTheLifeOfSignedTokens has tokens that are signed with an accepted key. An attacker who obtains
// or plants a key must not be able to make tokens that live longer than TokenLife.
func TestVerifyBoundsTheLifeOfSignedTokens(t *testing.T) {
	w := newWorld(t)
	w.client(t, "reader", 1, access.WebhooksRead)
	w.clock.advance(time.Hour)
	now := w.clock.Now().Unix()
	claims := map[string]any{"iss": issuer, "sub": "reader", "client_id": "reader", "aud": issuer, "jti": "x", "scope": "webhooks:read"}
	header := map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": "one"}
	for name, test := range map[string]struct {
		issued, expires, notBefore any
		good                       bool
	}{
		"15 minutes":                       {now, now + 900, nil, true},
		"15 minutes and a second":          {now, now + 901, nil, false},
		"a day":                            {now, now + 86400, nil, false},
		"the last second of 15 minutes":    {now - 899, now + 1, nil, true},
		"15 minutes by a clock 30 s ahead": {now + 30, now + 930, nil, true},
		"15 minutes by a clock 31 s ahead": {now + 31, now + 931, nil, false},
		"a second in a year":               {now + 31536000, now + 31536001, nil, false},
		"the last second of 64 bits":       {math.MaxInt64 - 1, math.MaxInt64, nil, false},
		"all of 64 bits":                   {math.MinInt64, math.MaxInt64, nil, false},
		"issued before 1970":               {-1, now + 60, nil, false},
		"issued at 0":                      {0, now + 60, nil, false},
		"no iat":                           {nil, now + 60, nil, false},
		"an iat of null":                   {json.RawMessage("null"), now + 60, nil, false},
		"no exp":                           {now, nil, nil, false},
		"expires when issued":              {now, now, nil, false},
		"expires before issued":            {now, now - 1, nil, false},
		"a negative exp":                   {now, -1, nil, false},
		"an exp beyond 64 bits":            {now, json.RawMessage("18446744073709551616"), nil, false},
		"an exp of 300 digits":             {now, json.RawMessage("1e300"), nil, false},
		"not before now":                   {now, now + 900, now, true},
		"not before a minute from now":     {now, now + 900, now + 60, false},
		"not before the last second":       {now, now + 900, math.MaxInt64, false},
	} {
		t.Run(name, func(t *testing.T) {
			token := compact(t, header, with(with(with(claims, "iat", test.issued), "exp", test.expires), "nbf", test.notBefore), es256(t, w.keys.pairs["one"]))
			for range 2 { // remembered, the second time
				_, err := w.verifier.Verify(t.Context(), token)
				if !test.good {
					wantKind(t, err, fault.Unauthenticated)
				} else if err != nil {
					t.Errorf("got %v, want a valid token", err)
				}
			}
		})
	}
}

// TestVerifyAcceptsTokensWithoutASecret has a token from the time when tokens did not name a secret.
func TestVerifyAcceptsTokensWithoutASecret(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 2, access.WebhooksRead)
	now := w.clock.Now().Unix()
	token := compact(t, map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": "one"}, map[string]any{
		"iss": issuer, "sub": "reader", "client_id": "reader", "aud": issuer, "jti": "x", "scope": "webhooks:read", "iat": now, "exp": now + 900,
	}, es256(t, w.keys.pairs["one"]))
	verify := func() error {
		_, err := w.verifier.Verify(t.Context(), token)
		return err
	}
	if err := verify(); err != nil {
		t.Fatalf("got %v, want a valid token", err)
	}
	client.Secrets = client.Secrets[1:]
	w.put(t, &client)
	if err := verify(); err != nil {
		t.Errorf("after a secret was deleted: got %v, want a valid token, which does not name its secret", err)
	}
	client.Revocations++
	w.put(t, &client)
	wantKind(t, verify(), fault.Unauthenticated)
}

// strayBits changes the unused bits of the last letter. A signature has 64 bytes in 86 letters.
func strayBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[last^1])
}

func TestVerifyReads(t *testing.T) {
	w := newWorld(t)
	token := w.token(t, w.client(t, "reader", 1, access.WebhooksRead), "")
	for i := range 3 {
		if _, err := w.verifier.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		clients, states, asked := w.store.clients.Load(), w.store.states.Load(), w.keys.asked.Load()
		if n := int64(i + 1); clients != n || states != n || asked != 1 {
			t.Errorf("after %d calls: got %d clients, %d revocations, %d keys read, want %d, %d, 1", n, clients, states, asked, n, n)
		}
	}
}

func TestVerifyWhileTheStoreIsUnreachable(t *testing.T) {
	for _, failing := range []string{"Client", "State"} {
		t.Run(failing, func(t *testing.T) {
			w := newWorld(t)
			token := w.token(t, w.client(t, "reader", 1, access.WebhooksRead), "")
			w.store.failing = failing
			_, err := w.verifier.Verify(t.Context(), token)
			wantKind(t, err, fault.Unavailable)
		})
	}
	t.Run("keys", func(t *testing.T) {
		w := newWorld(t)
		token := w.token(t, w.client(t, "reader", 1, access.WebhooksRead), "")
		w.keys.broken.Store(errAway)
		_, err := w.verifier.Verify(t.Context(), token)
		wantKind(t, err, fault.Unavailable)
		w.keys.broken.Store(nil)
		if _, err := w.verifier.Verify(t.Context(), token); err != nil {
			t.Errorf("once the keys are back: got %v, want a caller", err)
		}
	})
}

func TestVerifyAcrossAKeyRotation(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.WebhooksRead)
	before := w.token(t, client, "")
	w.keys.signing = "two"
	after := w.token(t, client, "")
	for name, token := range map[string]string{"signed before": before, "signed after": after} {
		if _, err := w.verifier.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: got %v, want a caller", name, err)
		}
	}
}

func TestVerifyForgetsUnusedTokens(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.WebhooksRead)
	first := w.token(t, client, "")
	verify := func(token string) {
		if _, err := w.verifier.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	const half = 1024 // tokens are remembered while no more than this many others came between
	others := func(n int) {
		for range n {
			verify(w.token(t, client, ""))
		}
	}
	verify(first)
	for range 3 {
		others(half)
		asked := w.keys.asked.Load()
		if verify(first); w.keys.asked.Load() != asked {
			t.Error("a token in use was forgotten")
		}
	}
	others(2*half + 1)
	asked := w.keys.asked.Load()
	if verify(first); w.keys.asked.Load() != asked+1 {
		t.Error("an unused token is still remembered; the memory must be bounded")
	}
}

func TestVerifyConcurrently(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 1, access.WebhooksRead)
	tokens := make([]string, 20)
	for i := range tokens {
		tokens[i] = w.token(t, client, "")
	}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if _, err := w.verifier.Verify(t.Context(), tokens[i%len(tokens)]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// BenchmarkVerify measures the cost of a call without its two reads from the store.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	token := w.token(b, w.client(b, "reader", 1, access.AdministratorScopes()...), "")
	reads := func() {
		if _, err := w.store.DB.Client(b.Context(), "reader"); err != nil {
			b.Fatal(err)
		}
		if _, err := w.store.DB.State(b.Context(), "revoked/x"); !fault.Is(err, fault.NotFound) {
			b.Fatal(err)
		}
	}
	var verifying, reading time.Duration
	for b.Loop() { // in turns, so that both meet the same weather
		start := time.Now()
		if _, err := w.verifier.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		reads()
		verifying += middle.Sub(start)
		reading += time.Since(middle)
	}
	b.ReportMetric(float64(verifying)/float64(reading), "x-two-reads")
}

func TestNewPanicsWithoutItsParts(t *testing.T) {
	for name, make := range map[string]func(){
		"Verifier":      func() { auth.NewVerifier(auth.VerifierConfig{Issuer: issuer}) },
		"Issuer":        func() { auth.NewIssuer(auth.IssuerConfig{}) },
		"Authenticator": func() { auth.NewAuthenticator(auth.AuthenticatorConfig{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic, want one")
				}
			}()
			make()
		})
	}
}

package signing_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
	"pgregory.net/rapid"

	"nepenthes/shared/signing"
)

func TestVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Secret, PublicKey, ID, Body, Signature string
		Timestamp                                    int64
	}
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 3 {
		t.Fatalf("got %d vectors, want 3", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			secret := parse(t, v.Secret)
			if got := signing.Sign(v.ID, v.Timestamp, []byte(v.Body), []signing.Secret{secret}); got != v.Signature {
				t.Errorf("got %q, want %q", got, v.Signature)
			}
			if got := secret.PublicKey(); got != v.PublicKey {
				t.Errorf("got public key %q, want %q", got, v.PublicKey)
			}
		})
	}
}

// receiver verifies a request as one kind of receiver does. It returns nil if it accepts the request.
type receiver func(id string, timestamp int64, body []byte, signature string) error

// receivers returns every independent verifier for the secret.
func receivers(t testing.TB, secret signing.Secret) map[string]receiver {
	t.Helper()
	if secret.Kind() == signing.Ed25519 {
		return map[string]receiver{"crypto/ed25519": byPublicKey(t, secret.PublicKey())}
	}
	text := secret.Text()
	if !strings.HasPrefix(text, "whsec_") {
		// For such a secret, the libraries must be configured with its base64.
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	one, err := standard.NewWebhook(text)
	if err != nil {
		t.Fatal(err)
	}
	two, err := svix.NewWebhook(text)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]receiver{
		"standard-webhooks": byHeaders(one.VerifyIgnoringTimestamp),
		"svix":              byHeaders(two.VerifyIgnoringTimestamp),
	}
}

// byHeaders returns a receiver that calls a library with the headers of the request.
func byHeaders(verify func([]byte, http.Header) error) receiver {
	return func(id string, timestamp int64, body []byte, signature string) error {
		return verify(body, http.Header{
			"Webhook-Id":        {id},
			"Webhook-Timestamp": {strconv.FormatInt(timestamp, 10)},
			"Webhook-Signature": {signature},
		})
	}
}

// byPublicKey returns a receiver that verifies ed25519 signatures with the standard library.
func byPublicKey(t testing.TB, text string) receiver {
	t.Helper()
	public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whpk_"))
	if err != nil || len(public) != ed25519.PublicKeySize {
		t.Fatalf("got public key %q: %v", text, err)
	}
	return func(id string, timestamp int64, body []byte, signature string) error {
		signed := fmt.Appendf(nil, "%s.%d.%s", id, timestamp, body)
		for one := range strings.SplitSeq(signature, " ") {
			encoded, ok := strings.CutPrefix(one, "v1a,")
			if sig, err := base64.StdEncoding.DecodeString(encoded); ok && err == nil && ed25519.Verify(public, signed, sig) {
				return nil
			}
		}
		return fmt.Errorf("none of %q verifies", signature)
	}
}

// rotations returns lists of secrets that are valid at the same time during a rotation, newest first.
func rotations(t testing.TB) map[string][]signing.Secret {
	text, old, new := parse(t, "an old plain text"), signing.Generate(), signing.Generate()
	one, two := signing.GenerateEd25519(), signing.GenerateEd25519()
	return map[string][]signing.Secret{
		"a text":                        {text},
		"a key":                         {old},
		"text followed by key":          {old, text},
		"key followed by key":           {new, old},
		"key followed by text":          {text, new},
		"a pair":                        {one},
		"pair followed by pair":         {two, one},
		"key followed by pair":          {one, old},
		"pair followed by key":          {old, one},
		"two keys and two pairs, mixed": {new, two, old, one},
		"four at once":                  {new, old, text, signing.Generate()},
		"a pair between keys":           {new, one, text},
	}
}

func TestReceiversAcceptEveryRotation(t *testing.T) {
	const id, timestamp = "dlv_AZnP0", int64(1767351600)
	body := []byte(`{"action":"work_package:updated","n":9007199254740993,"s":"\ud800 é"}`)
	altered := append(bytes.Clone(body[:len(body)-1]), ']')
	for name, secrets := range rotations(t) {
		t.Run(name, func(t *testing.T) {
			signature := signing.Sign(id, timestamp, body, secrets)
			for _, secret := range secrets {
				for library, accepts := range receivers(t, secret) {
					if err := accepts(id, timestamp, body, signature); err != nil {
						t.Errorf("%s: got %v, want the request accepted", library, err)
					}
					for what, err := range map[string]error{
						"a changed byte":   accepts(id, timestamp, altered, signature),
						"an added byte":    accepts(id, timestamp, append(bytes.Clone(body), ' '), signature),
						"another id":       accepts(id+"x", timestamp, body, signature),
						"a second later":   accepts(id, timestamp+1, body, signature),
						"no signature":     accepts(id, timestamp, body, "v1,"),
						"other signatures": accepts(id, timestamp, body, signing.Sign(id, timestamp, body, []signing.Secret{signing.Generate(), signing.GenerateEd25519()})),
					} {
						if err == nil {
							t.Errorf("%s: got a request with %s accepted, want it refused", library, what)
						}
					}
				}
			}
			for library, accepts := range receivers(t, signing.Generate()) {
				if accepts(id, timestamp, body, signature) == nil {
					t.Errorf("%s: got a request accepted with another secret, want it refused", library)
				}
			}
		})
	}
}

func TestOrderOfSignatures(t *testing.T) {
	const id, timestamp = "dlv_1", int64(7)
	body := []byte("body")
	k2, p2, k1, p1 := signing.Generate(), signing.GenerateEd25519(), signing.Generate(), signing.GenerateEd25519()
	signedBy := func(secret signing.Secret) string {
		return signing.Sign(id, timestamp, body, []signing.Secret{secret})
	}
	got := signing.Sign(id, timestamp, body, []signing.Secret{p2, k2, p1, k1})
	want := strings.Join([]string{signedBy(k2), signedBy(k1), signedBy(p2), signedBy(p1)}, " ")
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := signing.Sign(id, timestamp, body, nil); got != "" {
		t.Errorf("got %q without secrets, want none", got)
	}
}

// TestSignFollowsTheFormula compares signatures of arbitrary ids, times, bodies and secrets with the formula.
func TestSignFollowsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "id")
		timestamp := rapid.Int64().Draw(t, "timestamp")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		text := rapid.StringN(8, 32, 128).Filter(func(s string) bool {
			return len(s) >= 8 && !strings.HasPrefix(s, "whsec_") && !strings.HasPrefix(s, "whsk_")
		}).Draw(t, "secret")
		secret, err := signing.Restore(text) // accepts texts that Parse refuses
		if err != nil {
			t.Fatalf("Restore(%q): %v", text, err)
		}
		mac := hmac.New(sha256.New, []byte(text))
		fmt.Fprintf(mac, "%s.%d.%s", id, timestamp, body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for range 2 { // the second time uses the MAC of the first
			if got := signing.Sign(id, timestamp, body, []signing.Secret{secret}); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

func TestSignConcurrently(t *testing.T) {
	secrets := []signing.Secret{signing.Generate(), signing.GenerateEd25519()}
	bodies, want := make([][]byte, 8), make([]string, 8)
	for i := range bodies {
		bodies[i] = bytes.Repeat([]byte{byte(i)}, 1+i*100_000) // from 1 byte to more than keptMessage
		want[i] = signing.Sign("id", int64(i), bodies[i], secrets)
	}
	var wg sync.WaitGroup
	for i := range bodies {
		wg.Go(func() {
			for range 20 {
				if got := signing.Sign("id", int64(i), bodies[i], secrets); got != want[i] {
					t.Errorf("body %d: got %q, want %q", i, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestSignDoesNotCopyTheBody(t *testing.T) {
	body := make([]byte, 256<<10)
	secrets := []signing.Secret{signing.Generate(), signing.Generate()}
	var before, after runtime.MemStats
	const times = 100
	runtime.ReadMemStats(&before)
	for range times {
		signing.Sign("dlv_1", 1767351600, body, secrets)
	}
	runtime.ReadMemStats(&after)
	if got := int(after.TotalAlloc-before.TotalAlloc) / times; got > len(body)/16 {
		t.Errorf("got %d bytes allocated for a body of %d, want no copy of the body", got, len(body))
	}
}

func TestLegacy(t *testing.T) {
	for _, c := range []struct{ name, secret, body, want string }{
		{"text", "key key key", "The quick brown fox", "sha1=1d2a79f30a92d939d6dcbdfa1bb8bf32200848b6"},
		{"a secret with a prefix", whsec(24), `{"a":1}`, "sha1=e73ab69c75be99b1264844322a8c17d154d0d3bf"},
		{"an empty body", "key key key", "", "sha1=13ac8780591506568f91d91683a314df5052df2f"},
		{"a key pair has no signature", pair, "body", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := signing.Legacy(parse(t, c.secret), []byte(c.body)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// BenchmarkSign prints the cost of Sign as a multiple of the cost of the algorithm alone over the same bytes.
func BenchmarkSign(b *testing.B) {
	body := make([]byte, 1<<10)
	for _, c := range []struct {
		name   string
		secret signing.Secret
		bare   func()
	}{
		{"hmac", signing.Generate(), bareHMAC(body)},
		{"ed25519", signing.GenerateEd25519(), bareEd25519(body)},
	} {
		b.Run(c.name, func(b *testing.B) {
			secrets := []signing.Secret{c.secret}
			b.ReportAllocs()
			for b.Loop() {
				signing.Sign("dlv_AZnP0", 1767351600, body, secrets)
			}
			elapsed := b.Elapsed()
			begun := time.Now()
			for range b.N {
				c.bare()
			}
			b.ReportMetric(float64(elapsed)/float64(time.Since(begun)), "×bare")
		})
	}
}

func bareHMAC(body []byte) func() {
	key := make([]byte, 32)
	return func() {
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		mac.Sum(nil)
	}
}

func bareEd25519(body []byte) func() {
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	return func() { ed25519.Sign(private, body) }
}

package vault_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
	"nepenthes/shared/webhook"
)

// place is the info with which most tests seal.
var place = webhook.SecretInfo("wh_01JGXYZ", "sec_01JGABC")

const secret = "whsec_the secret itself"

// room is a store with a sealer and an opener, as if each were in its own process.
type room struct {
	store  *table
	keys   *counting
	clock  *clock
	sealer *vault.Sealer
	opener *vault.Opener
}

func newRoom(t testing.TB) *room {
	t.Helper()
	r := &room{store: new(table), keys: inMemory(t), clock: newClock()}
	r.sealer, r.opener = r.newSealer(t), r.newOpener(t)
	return r
}

func (r *room) newSealer(t testing.TB) *vault.Sealer {
	t.Helper()
	return vault.NewSealer(vault.SealerConfig{Pairs: r.store, Maker: r.keys, Now: r.clock.now})
}

func (r *room) newOpener(t testing.TB) *vault.Opener {
	t.Helper()
	return vault.NewOpener(vault.OpenerConfig{Pairs: r.store, Unwrapper: r.keys})
}

func (r *room) rotate(t testing.TB) keypair.Pair {
	t.Helper()
	return ok(vault.Rotate(t.Context(), r.store, r.keys, keypair.WebhookSecrets, r.clock.now()))(t)
}

func (r *room) seal(t testing.TB) []byte {
	t.Helper()
	return ok(r.sealer.Seal(t.Context(), []byte(secret), place))(t)
}

// checkOpens checks that opener returns the secret.
func checkOpens(t testing.TB, opener *vault.Opener, sealed []byte) {
	t.Helper()
	got, err := opener.Open(t.Context(), sealed, place)
	if err != nil || string(got) != secret {
		t.Errorf("got %q, %v, want the secret", got, err)
	}
}

// checkRefuses checks that opener returns an error that does not contain the secret.
func checkRefuses(t testing.TB, opener *vault.Opener, sealed []byte, info webhook.SealInfo) {
	t.Helper()
	got, err := opener.Open(t.Context(), sealed, info)
	if err == nil || got != nil {
		t.Errorf("got %q, %v, want a refusal", got, err)
	} else if strings.Contains(err.Error(), secret) {
		t.Errorf("got error %q, which contains the secret", err)
	}
}

func TestASealedSecretOpens(t *testing.T) {
	r := newRoom(t)
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(rt, "secret")
		owner, name := rapid.StringN(1, -1, -1).Draw(rt, "webhook"), rapid.StringN(1, -1, -1).Draw(rt, "name")
		info := webhook.SecretInfo(owner, name)
		if rapid.Bool().Draw(rt, "header") {
			info = webhook.HeaderInfo(owner, "https://receiver.example/", name)
		}
		sealed, err := r.sealer.Seal(t.Context(), plain, info)
		if err != nil {
			rt.Fatal(err)
		}
		opened, err := r.opener.Open(t.Context(), sealed, info)
		if err != nil || !bytes.Equal(opened, plain) {
			rt.Fatalf("got %q, %v, want %q", opened, err, plain)
		}
	})
}

func TestTheSameSecretSealsDifferently(t *testing.T) {
	r := newRoom(t)
	one, two := r.seal(t), r.seal(t)
	if bytes.Equal(one, two) {
		t.Error("got the same bytes twice")
	}
	if bytes.Contains(one, []byte(secret)) {
		t.Error("got the secret in the clear")
	}
}

func TestASealedSecretStaysInItsPlace(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	checkOpens(t, r.opener, sealed)
	for name, info := range map[string]webhook.SealInfo{
		"another webhook":         webhook.SecretInfo("wh_01JGXYY", "sec_01JGABC"),
		"another secret":          webhook.SecretInfo("wh_01JGXYZ", "sec_01JGABD"),
		"the other order":         webhook.SecretInfo("sec_01JGABC", "wh_01JGXYZ"),
		"another boundary":        webhook.SecretInfo("wh_01JGXYZs", "ec_01JGABC"),
		"in another case":         webhook.SecretInfo("wh_01jgxyz", "sec_01JGABC"),
		"a header with that name": webhook.HeaderInfo("wh_01JGXYZ", "https://receiver.example/", "sec_01JGABC"),
		"no webhook":              webhook.SecretInfo("", "sec_01JGABC"),
		"no name":                 webhook.SecretInfo("wh_01JGXYZ", ""),
		"nothing":                 {},
		"a header without a URL":  webhook.HeaderInfo("wh_01JGXYZ", "", "sec_01JGABC"),
	} {
		t.Run(name, func(t *testing.T) { checkRefuses(t, r.opener, sealed, info) })
	}
}

func TestASealedHeaderStaysAtItsOrigin(t *testing.T) {
	r := newRoom(t)
	const url = "https://receiver.example/hooks"
	sealed := ok(r.sealer.Seal(t.Context(), []byte(secret), webhook.HeaderInfo("wh_1", url, "X-Team")))(t)
	for _, same := range []string{url, "https://receiver.example/other?x=1", "https://receiver.example:443/hooks"} {
		got, err := r.opener.Open(t.Context(), sealed, webhook.HeaderInfo("wh_1", same, "x-TEAM"))
		if err != nil || string(got) != secret {
			t.Errorf("%s: got %q, %v, want the value", same, got, err)
		}
	}
	for name, info := range map[string]webhook.SealInfo{
		"another host":          webhook.HeaderInfo("wh_1", "https://thief.example/hooks", "x-team"),
		"a longer host":         webhook.HeaderInfo("wh_1", "https://receiver.example.thief.example/hooks", "x-team"),
		"a host as user":        webhook.HeaderInfo("wh_1", "https://receiver.example@thief.example/hooks", "x-team"),
		"another port":          webhook.HeaderInfo("wh_1", "https://receiver.example:8443/hooks", "x-team"),
		"another scheme":        webhook.HeaderInfo("wh_1", "http://receiver.example:443/hooks", "x-team"),
		"a URL without host":    webhook.HeaderInfo("wh_1", "https:///hooks", "x-team"),
		"a URL without scheme":  webhook.HeaderInfo("wh_1", "//receiver.example/hooks", "x-team"),
		"not a URL":             webhook.HeaderInfo("wh_1", "https://[receiver.example/", "x-team"),
		"another name":          webhook.HeaderInfo("wh_1", url, "x-teams"),
		"another webhook":       webhook.HeaderInfo("wh_2", url, "x-team"),
		"a secret of that name": webhook.SecretInfo("wh_1", "x-team"),
	} {
		t.Run(name, func(t *testing.T) { checkRefuses(t, r.opener, sealed, info) })
	}
	t.Run("a value is not sealed without an origin", func(t *testing.T) {
		if sealed, err := r.sealer.Seal(t.Context(), []byte(secret), webhook.HeaderInfo("wh_1", "ftp://receiver.example/", "x-team")); err == nil {
			t.Errorf("got %x, want a refusal", sealed)
		}
	})
}

// sealFirst seals as the first release did: in version 1, bound to the webhook and a name.
func (r *room) sealFirst(t testing.TB, webhookID, name string) []byte {
	t.Helper()
	r.seal(t) // makes the pair
	public := ok(r.store.pairs[0].Public())(t)
	key := ok(hpke.NewDHKEMPublicKey(ok(public.Key.ECDH())(t)))(t)
	var info []byte
	for _, part := range []string{"webhook-secrets", webhookID, name} {
		info = append(append(info, byte(len(part))), part...)
	}
	box := ok(hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, []byte(secret)))(t)
	return append(append([]byte{1, byte(len(public.ID))}, public.ID...), box...)
}

func TestTheFirstVersionStillOpens(t *testing.T) {
	r := newRoom(t)
	sealed := r.sealFirst(t, "wh_1", "x-team")
	got, err := r.opener.Open(t.Context(), sealed, webhook.HeaderInfo("wh_1", "https://anywhere.example/", "X-Team"))
	if err != nil || string(got) != secret {
		t.Errorf("got %q, %v, want the value", got, err)
	}
	checkRefuses(t, r.opener, sealed, webhook.HeaderInfo("wh_1", "https://anywhere.example/", "x-teams"))
	checkRefuses(t, r.opener, sealed, webhook.HeaderInfo("wh_2", "https://anywhere.example/", "x-team"))
}

// TestAValueOpensOnlyInItsVersion: an attacker who can write rows can change the version of a sealed value.
func TestAValueOpensOnlyInItsVersion(t *testing.T) {
	r := newRoom(t)
	header := webhook.HeaderInfo("wh_1", "https://receiver.example/", "x-team")
	now := ok(r.sealer.Seal(t.Context(), []byte(secret), header))(t)
	if now[0] != 2 {
		t.Errorf("sealed in version %d, want 2", now[0])
	}
	for name, sealed := range map[string][]byte{"the current version": now, "the first version": r.sealFirst(t, "wh_1", "x-team"), "a secret": r.seal(t)} {
		for version := range 256 {
			altered := bytes.Clone(sealed)
			if altered[0] = byte(version); altered[0] == sealed[0] {
				continue
			}
			for _, info := range []webhook.SealInfo{header, place, webhook.SecretInfo("wh_1", "x-team")} {
				if _, err := r.opener.Open(t.Context(), altered, info); err == nil {
					t.Errorf("%s opens as version %d", name, version)
				}
			}
		}
	}
}

// FuzzOpen calls Open with values that may be in a row.
func FuzzOpen(f *testing.F) {
	r := newRoom(f)
	whole, first := r.seal(f), r.sealFirst(f, "wh_01JGXYZ", "sec_01JGABC")
	f.Add(whole)
	f.Add(first)
	f.Add(whole[:2])
	f.Add([]byte{2, 255})
	f.Add([]byte(nil))
	good := map[string]bool{string(whole): true, string(first): true}
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if got, err := r.opener.Open(t.Context(), sealed, place); (err == nil) != good[string(sealed)] || err == nil && string(got) != secret {
			t.Errorf("%x: got %q, %v", sealed, got, err)
		}
	})
}

func TestAnAlteredValueIsRefused(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 0x20
		checkRefuses(t, r.opener, altered, place)
		checkRefuses(t, r.opener, sealed[:i], place)
	}
	checkRefuses(t, r.opener, append(bytes.Clone(sealed), 0), place)
	checkRefuses(t, r.opener, []byte(secret), place)
	checkRefuses(t, r.opener, []byte{1, 255}, place)
	checkOpens(t, r.opener, sealed)
}

func TestACopiedDatabaseOpensNothing(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	thief := vault.NewOpener(vault.OpenerConfig{Pairs: r.store, Unwrapper: inMemory(t)})
	checkRefuses(t, thief, sealed, place)
}

func TestAPairOfTheOtherPurposeOpensNothing(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	r.store.pairs[0].Purpose = keypair.TokenSigning // as if the row had been changed
	checkRefuses(t, r.newOpener(t), sealed, place)
}

func TestADamagedPairIsRefused(t *testing.T) {
	damages := map[string]func(*keypair.Pair, keypair.Pair){
		"its private half is somebody else's": func(p *keypair.Pair, other keypair.Pair) { p.Wrapped = other.Wrapped },
		"its private half was altered":        func(p *keypair.Pair, _ keypair.Pair) { p.Wrapped = append(bytes.Clone(p.Wrapped), 1) },
		"its private half is missing":         func(p *keypair.Pair, _ keypair.Pair) { p.Wrapped = nil },
		"its public half is somebody else's":  func(p *keypair.Pair, other keypair.Pair) { p.PublicKey = other.PublicKey },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			sealed := r.seal(t)
			other := r.rotate(t)
			damage(&r.store.pairs[0], other)
			checkRefuses(t, r.newOpener(t), sealed, place)
		})
	}
	t.Run("a sealer does not use an exchanged public half", func(t *testing.T) {
		r := newRoom(t)
		r.rotate(t)
		other := ok(keypair.New(keypair.WebhookSecrets, r.rotate(t).PublicKey, nil, r.clock.now()))(t)
		r.store.pairs = r.store.pairs[:1]
		r.store.pairs[0].PublicKey = other.PublicKey
		if sealed, err := r.newSealer(t).Seal(t.Context(), []byte(secret), place); err == nil {
			t.Errorf("got %x, want a refusal", sealed)
		}
	})
}

// makerOnly has only the methods that a sealer gets.
type makerOnly struct{ vault.Maker }

func TestAWriterCannotOpen(t *testing.T) {
	r := newRoom(t)
	// The compiler proves that a type without Unwrap is enough. The count proves that a sealer does not call Unwrap if
	// there is one.
	vault.NewSealer(vault.SealerConfig{Pairs: r.store, Maker: makerOnly{r.keys}})
	r.seal(t)
	r.rotate(t)
	r.clock.pass(time.Hour)
	r.seal(t)
	if got := r.keys.unwrapped.Load(); got != 0 {
		t.Errorf("got %d calls of Unwrap, want none", got)
	}
	sealer := reflect.TypeFor[*vault.Sealer]()
	if sealer.NumMethod() != 1 || sealer.Method(0).Name != "Seal" {
		t.Errorf("got %d methods of the sealer, want only Seal", sealer.NumMethod())
	}
}

// BenchmarkOpen prints the time of an Open as a multiple of a bare key agreement on P-256.
func BenchmarkOpen(b *testing.B) {
	r := newRoom(b)
	sealed := r.seal(b)
	mine, theirs := ok(ecdh.P256().GenerateKey(rand.Reader))(b), ok(ecdh.P256().GenerateKey(rand.Reader))(b)
	for b.Loop() {
		if _, err := r.opener.Open(b.Context(), sealed, place); err != nil {
			b.Fatal(err)
		}
	}
	ours := b.Elapsed()
	begun := time.Now()
	for range b.N {
		ok(mine.ECDH(theirs.PublicKey()))(b)
	}
	b.ReportMetric(float64(ours)/float64(time.Since(begun)), "×agreement")
}

func ExampleSealer() {
	ctx := context.Background()
	keys, err := vault.OpenLocal("") // or vault.NewKMS
	if err != nil {
		panic(err)
	}
	store := new(table) // or a store of package sqlite or dynamo
	sealer := vault.NewSealer(vault.SealerConfig{Pairs: store, Maker: keys})
	opener := vault.NewOpener(vault.OpenerConfig{Pairs: store, Unwrapper: keys})
	place := webhook.HeaderInfo("wh_1", "https://receiver.example/hooks", "Authorization")
	sealed, err := sealer.Seal(ctx, []byte("Bearer 123"), place)
	if err != nil {
		panic(err)
	}
	opened, err := opener.Open(ctx, sealed, place)
	fmt.Println(string(opened), err)
	_, err = opener.Open(ctx, sealed, webhook.HeaderInfo("wh_1", "https://thief.example/", "Authorization"))
	fmt.Println(err)
	// Output:
	// Bearer 123 <nil>
	// open a sealed secret: the value was altered, was sealed for another place, or is not a sealed value
}

package vault_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
)

// place is what a secret is sealed for in most tests.
var place = []string{"wh_01JGXYZ", "sec_01JGABC"}

const secret = "whsec_the secret itself"

// room is a store with a sealer and an opener, each in a process of its own.
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
	return ok(vault.NewSealer(vault.SealerConfig{Pairs: r.store, Maker: r.keys, Now: r.clock.now}))(t)
}

func (r *room) newOpener(t testing.TB) *vault.Opener {
	t.Helper()
	return ok(vault.NewOpener(vault.OpenerConfig{Pairs: r.store, Unwrapper: r.keys}))(t)
}

func (r *room) rotate(t testing.TB) keypair.Pair {
	t.Helper()
	return ok(vault.Rotate(t.Context(), r.store, r.keys, keypair.WebhookSecrets, r.clock.now()))(t)
}

func (r *room) seal(t testing.TB) []byte {
	t.Helper()
	return ok(r.sealer.Seal(t.Context(), []byte(secret), place...))(t)
}

// checkOpens wants the secret back.
func checkOpens(t testing.TB, opener *vault.Opener, sealed []byte) {
	t.Helper()
	got, err := opener.Open(t.Context(), sealed, place...)
	if err != nil || string(got) != secret {
		t.Errorf("got %q, %v, want the secret", got, err)
	}
}

// checkRefuses wants an error that tells nothing of the secret.
func checkRefuses(t testing.TB, opener *vault.Opener, sealed []byte, info ...string) {
	t.Helper()
	got, err := opener.Open(t.Context(), sealed, info...)
	if err == nil || got != nil {
		t.Errorf("got %q, %v, want a refusal", got, err)
	} else if strings.Contains(err.Error(), secret) {
		t.Errorf("got %q, which tells the secret", err)
	}
}

func TestWhatIsSealedOpensAgain(t *testing.T) {
	r := newRoom(t)
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(rt, "secret")
		info := rapid.SliceOfN(rapid.String(), 0, 4).Draw(rt, "info")
		sealed, err := r.sealer.Seal(t.Context(), plain, info...)
		if err != nil {
			rt.Fatal(err)
		}
		opened, err := r.opener.Open(t.Context(), sealed, info...)
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
	for name, info := range map[string][]string{
		"another webhook":          {"wh_01JGXYY", place[1]},
		"another secret":           {place[0], "sec_01JGABD"},
		"a header":                 {place[0], "authorization"},
		"the other order":          {place[1], place[0]},
		"nothing":                  nil,
		"a part less":              {place[0]},
		"a part more":              {place[0], place[1], ""},
		"in one":                   {place[0] + place[1]},
		"in one, with a separator": {place[0] + "\x00" + place[1]},
		"cut elsewhere":            {place[0] + place[1][:3], place[1][3:]},
		"in another case":          {strings.ToLower(place[0]), place[1]},
	} {
		t.Run(name, func(t *testing.T) { checkRefuses(t, r.opener, sealed, info...) })
	}
}

func TestAnAlteredValueIsRefused(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 0x20
		checkRefuses(t, r.opener, altered, place...)
		checkRefuses(t, r.opener, sealed[:i], place...)
	}
	checkRefuses(t, r.opener, append(bytes.Clone(sealed), 0), place...)
	checkRefuses(t, r.opener, []byte(secret), place...)
	checkRefuses(t, r.opener, []byte{1, 255}, place...)
	checkOpens(t, r.opener, sealed)
}

func TestACopiedDatabaseOpensNothing(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	thief := ok(vault.NewOpener(vault.OpenerConfig{Pairs: r.store, Unwrapper: inMemory(t)}))(t)
	checkRefuses(t, thief, sealed, place...)
}

func TestAPairOfTheOtherPurposeOpensNothing(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	r.store.pairs[0].Purpose = keypair.TokenSigning // as if it had been written there
	checkRefuses(t, r.newOpener(t), sealed, place...)
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
			checkRefuses(t, r.newOpener(t), sealed, place...)
		})
	}
	t.Run("a sealer does not use a public half that was swapped", func(t *testing.T) {
		r := newRoom(t)
		r.rotate(t)
		other := ok(keypair.New(keypair.WebhookSecrets, r.rotate(t).PublicKey, nil, r.clock.now()))(t)
		r.store.pairs = r.store.pairs[:1]
		r.store.pairs[0].PublicKey = other.PublicKey
		if sealed, err := r.newSealer(t).Seal(t.Context(), []byte(secret), place...); err == nil {
			t.Errorf("got %x, want a refusal", sealed)
		}
	})
}

// makerOnly is all that a sealer is ever given.
type makerOnly struct{ vault.Maker }

func TestAWriterCannotOpen(t *testing.T) {
	r := newRoom(t)
	// That a type without Unwrap is enough is the compiler's proof; that a richer one is not abused, the count's.
	ok(vault.NewSealer(vault.SealerConfig{Pairs: r.store, Maker: makerOnly{r.keys}}))(t)
	r.seal(t)
	r.rotate(t)
	r.clock.pass(time.Hour)
	r.seal(t)
	if got := r.keys.unwrapped.Load(); got != 0 {
		t.Errorf("got %d calls of Unwrap, want none", got)
	}
	sealer := reflect.TypeFor[*vault.Sealer]()
	if sealer.NumMethod() != 1 || sealer.Method(0).Name != "Seal" {
		t.Errorf("got %d methods of the sealer, want Seal alone", sealer.NumMethod())
	}
}

// BenchmarkOpen prints how many bare key agreements on P-256 an opening costs.
func BenchmarkOpen(b *testing.B) {
	r := newRoom(b)
	sealed := r.seal(b)
	mine, theirs := ok(ecdh.P256().GenerateKey(rand.Reader))(b), ok(ecdh.P256().GenerateKey(rand.Reader))(b)
	for b.Loop() {
		if _, err := r.opener.Open(b.Context(), sealed, place...); err != nil {
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
	store := new(table) // or that of package sqlite or dynamo
	sealer, err := vault.NewSealer(vault.SealerConfig{Pairs: store, Maker: keys})
	if err != nil {
		panic(err)
	}
	opener, err := vault.NewOpener(vault.OpenerConfig{Pairs: store, Unwrapper: keys})
	if err != nil {
		panic(err)
	}
	sealed, err := sealer.Seal(ctx, []byte("Bearer 123"), "wh_1", "authorization")
	if err != nil {
		panic(err)
	}
	opened, err := opener.Open(ctx, sealed, "wh_1", "authorization")
	fmt.Println(string(opened), err)
	_, err = opener.Open(ctx, sealed, "wh_2", "authorization")
	fmt.Println(err)
	// Output:
	// Bearer 123 <nil>
	// open a sealed secret: the sealed value was altered, was sealed for another place, or is none
}

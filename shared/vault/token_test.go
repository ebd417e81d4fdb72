package vault_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
)

// mint is a store with a signer and a verifier, as if each were in its own process.
type mint struct {
	store    *table
	keys     *counting
	clock    *clock
	signer   *vault.Signer
	verifier *vault.Verifier
}

func newMint(t testing.TB) *mint {
	t.Helper()
	m := &mint{store: new(table), keys: inMemory(t), clock: newClock()}
	m.signer = vault.NewSigner(vault.SignerConfig{Pairs: m.store, Maker: m.keys, Unwrapper: m.keys, Now: m.clock.now})
	m.verifier = vault.NewVerifier(vault.VerifierConfig{Pairs: m.store, Now: m.clock.now})
	return m
}

func (m *mint) rotate(t testing.TB) keypair.Pair {
	t.Helper()
	return ok(vault.Rotate(t.Context(), m.store, m.keys, keypair.TokenSigning, m.clock.now()))(t)
}

// token is the id of a key and a signature with that key.
type token struct {
	key       string
	signature []byte
}

var claims = sha256.Sum256([]byte("claims"))

func (m *mint) sign(t testing.TB) token {
	t.Helper()
	id, key, err := m.signer.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token{id, ok(ecdsa.SignASN1(rand.Reader, key, claims[:]))(t)}
}

// verify returns nil for a token that is accepted.
func (m *mint) verify(t testing.TB, tok token) error {
	t.Helper()
	key, err := m.verifier.VerificationKey(t.Context(), tok.key)
	if err != nil {
		return err
	}
	if !ecdsa.VerifyASN1(key, claims[:], tok.signature) {
		return errors.New("the signature is wrong")
	}
	return nil
}

// ids returns the ids of the accepted keys.
func (m *mint) ids(t testing.TB) []string {
	t.Helper()
	var ids []string
	for _, public := range ok(m.verifier.VerificationKeys(t.Context()))(t) {
		ids = append(ids, public.ID)
	}
	return ids
}

func TestTheFirstTokenIsAcceptedAtOnce(t *testing.T) {
	m := newMint(t)
	if got := m.ids(t); len(got) != 0 {
		t.Errorf("got %v before the first token, want no key", got)
	}
	// A stranger uses an invented id before there is a key. That must not delay the first token.
	if err := m.verify(t, token{key: "key_nonsense"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want NotFound", err)
	}
	if err := m.verify(t, m.sign(t)); err != nil {
		t.Errorf("the first token: %v", err)
	}
	if got := m.keys.made.Load(); got != 1 {
		t.Errorf("got %d pairs made, want 1", got)
	}
}

func TestRotationOfTokenKeysHasNoOutage(t *testing.T) {
	m := newMint(t)
	const lifetime = 15 * time.Minute
	type live struct {
		token
		until time.Time
	}
	var tokens []live
	used := map[string]bool{}
	// For three hours there is a token every 20 seconds and a rotation every half hour. Every token is accepted until
	// it expires.
	for step := range 3 * 60 * 3 {
		if step%90 == 50 {
			m.rotate(t)
		}
		tok := m.sign(t)
		used[tok.key] = true
		tokens = append(tokens, live{tok, m.clock.now().Add(lifetime)})
		for len(tokens) > 0 && tokens[0].until.Before(m.clock.now()) {
			tokens = tokens[1:]
		}
		for _, one := range []live{tokens[0], tokens[len(tokens)-1]} {
			if err := m.verify(t, one.token); err != nil {
				t.Fatalf("step %d: a token that expires at %v: %v", step, one.until, err)
			}
		}
		m.clock.pass(20 * time.Second)
	}
	if got, want := len(used), len(m.store.pairs); got != want || want != 7 {
		t.Errorf("got %d keys that signed of %d, want all 7", got, want)
	}
	if got, want := m.keys.unwrapped.Load(), int64(len(used)); got != want {
		t.Errorf("got %d calls of Unwrap, want %d", got, want)
	}
}

func TestANewKeyIsPublishedBeforeItSigns(t *testing.T) {
	m := newMint(t)
	old := m.sign(t).key
	m.clock.pass(time.Hour)
	m.sign(t)
	pair := m.rotate(t)
	if got := m.ids(t); len(got) != 2 || got[0] != pair.ID || got[1] != old {
		t.Errorf("got keys %v, want the new %s and the old %s", got, pair.ID, old)
	}
	m.clock.pass(vault.SignAfter - time.Millisecond)
	fresh := vault.NewSigner(vault.SignerConfig{Pairs: m.store, Maker: m.keys, Unwrapper: m.keys, Now: m.clock.now})
	if got, _, err := fresh.SigningKey(t.Context()); got != old || err != nil {
		t.Errorf("got %s, %v a moment before SignAfter, want the old key %s", got, err, old)
	}
	m.clock.pass(time.Millisecond)
	if got, _, err := fresh.SigningKey(t.Context()); got != pair.ID || err != nil {
		t.Errorf("got %s, %v, want the new key %s", got, err, pair.ID)
	}
}

func TestAnOldKeyIsAcceptedForAnHour(t *testing.T) {
	m := newMint(t)
	old := m.sign(t)
	m.clock.pass(24 * time.Hour)
	if err := m.verify(t, old); err != nil {
		t.Errorf("a day later, without a successor: %v", err)
	}
	pair := m.rotate(t)
	m.clock.pass(vault.VerifyFor - time.Millisecond)
	if err := m.verify(t, old); err != nil {
		t.Errorf("within the hour: %v", err)
	}
	m.clock.pass(time.Millisecond)
	if err := m.verify(t, old); !fault.Is(err, fault.NotFound) {
		t.Errorf("after the hour: got %v, want NotFound", err)
	}
	if got := m.ids(t); len(got) != 1 || got[0] != pair.ID {
		t.Errorf("got keys %v, want only %s", got, pair.ID)
	}
}

func TestUnknownKeyIDsCostOneRead(t *testing.T) {
	m := newMint(t)
	m.sign(t)
	m.ids(t)
	m.clock.pass(30 * time.Second)
	reads := m.store.reads.Load()
	for range 1000 {
		if err := m.verify(t, token{key: "key_stranger"}); !fault.Is(err, fault.NotFound) {
			t.Fatalf("got %v, want NotFound", err)
		}
	}
	if got := m.store.reads.Load() - reads; got != 1 {
		t.Errorf("got %d reads of the store for 1000 unknown keys at once, want 1", got)
	}
}

func TestTokenKeysFail(t *testing.T) {
	m := newMint(t)
	broken := errors.New("broken")
	m.store.failWith(broken)
	if _, _, err := m.signer.SigningKey(t.Context()); !errors.Is(err, broken) {
		t.Errorf("signer: got %v, want the store's error", err)
	}
	if _, err := m.verifier.VerificationKey(t.Context(), "key_1"); !errors.Is(err, broken) {
		t.Errorf("verifier: got %v, want the store's error", err)
	}
	if _, err := m.verifier.VerificationKeys(t.Context()); !errors.Is(err, broken) {
		t.Errorf("list: got %v, want the store's error", err)
	}
}

func TestADamagedTokenKeyIsRefused(t *testing.T) {
	m := newMint(t)
	m.rotate(t)
	m.store.pairs[0].PublicKey = []byte("damaged")
	if _, _, err := m.signer.SigningKey(t.Context()); err == nil {
		t.Error("got a key of a damaged pair")
	}
	if _, err := m.verifier.VerificationKeys(t.Context()); err == nil {
		t.Error("got the public half of a damaged pair")
	}
	m = newMint(t)
	m.rotate(t)
	m.store.pairs[0].Wrapped = m.rotate(t).Wrapped
	if _, _, err := m.signer.SigningKey(t.Context()); err == nil {
		t.Error("got a private key that does not belong to the public key")
	}
}

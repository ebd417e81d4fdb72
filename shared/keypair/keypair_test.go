package keypair_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"nepenthes/shared/keypair"
)

func encode(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func generate(t *testing.T, curve elliptic.Curve) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func TestNew(t *testing.T) {
	public := generate(t, elliptic.P256())
	made := time.Date(2026, 1, 2, 3, 4, 5, 678_912_345, time.FixedZone("", 3600))
	pair, err := keypair.New(keypair.TokenSigning, encode(t, public), []byte("wrapped"), made)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("Public returns the public half", func(t *testing.T) {
		got, err := pair.Public()
		if err != nil {
			t.Fatal(err)
		}
		if !got.Key.Equal(public) || got.ID != pair.ID || !got.CreatedAt.Equal(pair.CreatedAt) {
			t.Errorf("got %+v, want the public half of %s", got, pair.ID)
		}
	})
	t.Run("the time survives a store that keeps milliseconds", func(t *testing.T) {
		if got, want := pair.CreatedAt, time.Date(2026, 1, 2, 2, 4, 5, 678_000_000, time.UTC); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("the id depends on the key alone", func(t *testing.T) {
		same, err := keypair.New(keypair.TokenSigning, encode(t, public), nil, time.Now())
		if err != nil || same.ID != pair.ID {
			t.Errorf("got %q, %v, want %q", same.ID, err, pair.ID)
		}
		other, err := keypair.New(keypair.TokenSigning, encode(t, generate(t, elliptic.P256())), nil, made)
		if err != nil || other.ID == pair.ID {
			t.Errorf("got %q, %v, want another id than that of the first key", other.ID, err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, public := range map[string][]byte{
		"nothing":       nil,
		"nonsense":      []byte("nonsense"),
		"another curve": encode(t, generate(t, elliptic.P384())),
		"an RSA key":    encode(t, &rsaKey.PublicKey),
	} {
		t.Run(name, func(t *testing.T) {
			if pair, err := keypair.New(keypair.WebhookSecrets, public, nil, time.Now()); err == nil {
				t.Errorf("got %+v, want an error", pair)
			}
		})
	}
}

func TestPublicRefusesADamagedRecord(t *testing.T) {
	pair, err := keypair.New(keypair.WebhookSecrets, encode(t, generate(t, elliptic.P256())), nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the key of another pair", func(t *testing.T) {
		swapped := pair
		swapped.PublicKey = encode(t, generate(t, elliptic.P256()))
		if public, err := swapped.Public(); err == nil {
			t.Errorf("got %+v, want an error", public)
		}
	})
	t.Run("no key", func(t *testing.T) {
		if public, err := (keypair.Pair{ID: pair.ID}).Public(); err == nil {
			t.Errorf("got %+v, want an error", public)
		}
	})
}

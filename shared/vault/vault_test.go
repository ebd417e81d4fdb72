package vault_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
	"nepenthes/shared/vault"
)

// table is the part of a store that the vault uses.
type table struct {
	mu    sync.Mutex
	pairs []keypair.Pair
	reads atomic.Int64
	fail  atomic.Pointer[error] // the error of every call; nil if calls succeed

	before func() // every read calls it first, unless it is nil
}

func (s *table) KeyPairs(_ context.Context, purpose string) ([]keypair.Pair, error) {
	s.reads.Add(1)
	if s.before != nil {
		s.before()
	}
	if fail := s.fail.Load(); fail != nil {
		return nil, *fail
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of(purpose), nil
}

func (s *table) of(purpose string) []keypair.Pair {
	var pairs []keypair.Pair
	for _, pair := range s.pairs {
		if pair.Purpose == purpose {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

func (s *table) PutKeyPair(_ context.Context, pair keypair.Pair, after string) error {
	if fail := s.fail.Load(); fail != nil {
		return *fail
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := ""
	if pairs := s.of(pair.Purpose); len(pairs) > 0 {
		newest = pairs[len(pairs)-1].ID
	}
	if newest != after {
		return fault.New(fault.UpdateConflict, "There is a newer pair.")
	}
	s.pairs = append(s.pairs, pair)
	return nil
}

// failWith makes every later call return err. If err is nil, calls succeed again.
func (s *table) failWith(err error) {
	if err == nil {
		s.fail.Store(nil)
		return
	}
	s.fail.Store(&err)
}

// counting counts the calls of a Maker and Unwrapper. It can hold them back or make them fail.
type counting struct {
	*vault.Local
	made, unwrapped atomic.Int64
	before          func() error // both call it first, unless it is nil
}

func (c *counting) Make(ctx context.Context, purpose string) (publicKey, wrapped []byte, err error) {
	c.made.Add(1)
	if c.before != nil {
		if err := c.before(); err != nil {
			return nil, nil, err
		}
	}
	return c.Local.Make(ctx, purpose)
}

func (c *counting) Unwrap(ctx context.Context, purpose string, wrapped []byte) ([]byte, error) {
	c.unwrapped.Add(1)
	if c.before != nil {
		if err := c.before(); err != nil {
			return nil, err
		}
	}
	return c.Local.Unwrap(ctx, purpose, wrapped)
}

// clock is a clock that a test moves.
type clock struct{ nanoseconds atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.nanoseconds.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.nanoseconds.Load()) }

func (c *clock) pass(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// ok returns a function that returns value, or ends the test if there is an error.
func ok[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func inMemory(t testing.TB) *counting {
	t.Helper()
	return &counting{Local: ok(vault.OpenLocal(""))(t)}
}

func TestRotate(t *testing.T) {
	store, keys := new(table), inMemory(t)
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	rotate := func(now time.Time) keypair.Pair {
		return ok(vault.Rotate(t.Context(), store, keys, keypair.TokenSigning, now))(t)
	}
	first := rotate(noon)
	t.Run("the first pair", func(t *testing.T) {
		if first.CreatedAt != noon || first.Purpose != keypair.TokenSigning {
			t.Errorf("got %s made %v for %q", first.ID, first.CreatedAt, first.Purpose)
		}
	})
	t.Run("a slow clock does not put a pair before its predecessor", func(t *testing.T) {
		second := rotate(noon.Add(-time.Hour))
		if !second.CreatedAt.After(first.CreatedAt) || second.ID == first.ID {
			t.Errorf("got %s made %v, want after %v", second.ID, second.CreatedAt, first.CreatedAt)
		}
	})
	t.Run("the other purpose has no pair", func(t *testing.T) {
		if got := ok(store.KeyPairs(t.Context(), keypair.WebhookSecrets))(t); len(got) != 0 {
			t.Errorf("got %d pairs, want none", len(got))
		}
	})
	t.Run("nothing is added when the store or the maker fails", func(t *testing.T) {
		broken := errors.New("broken")
		store.failWith(broken)
		if _, err := vault.Rotate(t.Context(), store, keys, keypair.TokenSigning, noon); !errors.Is(err, broken) {
			t.Errorf("got %v, want the store's error", err)
		}
		store.failWith(nil)
		keys.before = func() error { return broken }
		if _, err := vault.Rotate(t.Context(), store, keys, keypair.TokenSigning, noon); !errors.Is(err, broken) {
			t.Errorf("got %v, want the maker's error", err)
		}
		if got := len(store.pairs); got != 2 {
			t.Errorf("got %d pairs, want 2", got)
		}
	})
}

func TestProcessesThatRotateTogetherAddOnePair(t *testing.T) {
	const processes = 8
	store, keys := new(table), inMemory(t)
	// All processes have read the store and begun to make a pair before one continues.
	var all sync.WaitGroup
	all.Add(processes)
	keys.before = func() error { all.Done(); all.Wait(); return nil }
	newest := make([]string, processes)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			pair, err := vault.Rotate(t.Context(), store, keys, keypair.WebhookSecrets, time.Now())
			if err != nil {
				t.Error(err)
			}
			newest[i] = pair.ID
		})
	}
	wg.Wait()
	if len(store.pairs) != 1 {
		t.Fatalf("got %d pairs, want 1", len(store.pairs))
	}
	if got := slices.Compact(newest); len(got) != 1 || got[0] != store.pairs[0].ID {
		t.Errorf("got %v, want every caller to get %s", got, store.pairs[0].ID)
	}
}

func TestConstructorsNameAMissingField(t *testing.T) {
	store, keys := new(table), inMemory(t)
	for want, construct := range map[string]func(){
		"vault.SealerConfig: Pairs is missing":     func() { vault.NewSealer(vault.SealerConfig{Maker: keys}) },
		"vault.SealerConfig: Maker is missing":     func() { vault.NewSealer(vault.SealerConfig{Pairs: store}) },
		"vault.OpenerConfig: Pairs is missing":     func() { vault.NewOpener(vault.OpenerConfig{Unwrapper: keys}) },
		"vault.OpenerConfig: Unwrapper is missing": func() { vault.NewOpener(vault.OpenerConfig{Pairs: store}) },
		"vault.SignerConfig: Pairs is missing":     func() { vault.NewSigner(vault.SignerConfig{Maker: keys, Unwrapper: keys}) },
		"vault.SignerConfig: Maker is missing":     func() { vault.NewSigner(vault.SignerConfig{Pairs: store, Unwrapper: keys}) },
		"vault.SignerConfig: Unwrapper is missing": func() { vault.NewSigner(vault.SignerConfig{Pairs: store, Maker: keys}) },
		"vault.VerifierConfig: Pairs is missing":   func() { vault.NewVerifier(vault.VerifierConfig{}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("got panic %v, want %q", got, want)
				}
			}()
			construct()
		})
	}
}

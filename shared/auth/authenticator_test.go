package auth_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
)

const home = "192.0.2.1"

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	client := w.client(t, "reader", 2, access.WebhooksRead)
	client.Secrets[1].ExpiresAt = w.clock.Now().Add(time.Hour)
	w.put(t, &client)
	w.client(t, "secretless", 0, access.WebhooksRead)

	for name, test := range map[string]struct{ id, secret, want string }{
		"the first secret":     {"reader", "reader-0", "sec_0"},
		"the second secret":    {"reader", "reader-1", "sec_1"},
		"a wrong secret":       {"reader", "reader-2", ""},
		"no secret":            {"reader", "", ""},
		"its hash":             {"reader", string(client.Secrets[0].Hash[:]), ""},
		"another case":         {"reader", "READER-0", ""},
		"a space behind":       {"reader", "reader-0 ", ""},
		"another client's":     {"secretless", "reader-0", ""},
		"a client without any": {"secretless", "", ""},
		"an unknown client":    {"nobody", "reader-0", ""},
		"no client":            {"", "reader-0", ""},
		"a path":               {"../reader", "reader-0", ""},
		"a line":               {"reader\n", "reader-0", ""},
		"a long id":            {strings.Repeat("r", 1<<16), "reader-0", ""},
		"a long secret":        {"reader", strings.Repeat("r", 1<<16), ""},
		"no text":              {"reader\xff", "reader-0\xff", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, secretID, err := w.authenticator.SignIn(t.Context(), test.id, test.secret, name)
			if test.want == "" {
				wantKind(t, err, fault.Unauthenticated)
				if got.ID != "" || secretID != "" {
					t.Errorf("got %+v, %q, want nobody", got, secretID)
				}
				return
			}
			if err != nil || got.ID != test.id || secretID != test.want {
				t.Errorf("got %q, %q, %v, want %q, %q", got.ID, secretID, err, test.id, test.want)
			}
		})
	}
	t.Run("an expired secret", func(t *testing.T) {
		w.clock.advance(time.Hour)
		_, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-1", home)
		wantKind(t, err, fault.Unauthenticated)
	})
	t.Run("a wrong secret and an unknown client are told in the same words", func(t *testing.T) {
		_, _, wrong := w.authenticator.SignIn(t.Context(), "reader", "a-wrong-secret", home)
		_, _, unknown := w.authenticator.SignIn(t.Context(), "nobody", "a-wrong-secret", home)
		if wrong.Error() != unknown.Error() {
			t.Errorf("got %q and %q, want the same", wrong, unknown)
		}
		if strings.Contains(wrong.Error(), "a-wrong-secret") || strings.Contains(wrong.Error(), "reader") {
			t.Errorf("the error repeats what was sent: %v", wrong)
		}
	})
}

func TestSignInReads(t *testing.T) {
	w := newWorld(t)
	w.client(t, "reader", 1, access.WebhooksRead)
	if _, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home); err != nil {
		t.Fatal(err)
	}
	if clients, counts := w.store.clients.Load(), w.store.counts.Load(); clients != 1 || counts != 1 {
		t.Errorf("got %d clients and %d counters read, want 1 and 1", clients, counts)
	}
}

// guess signs in with a wrong secret n times and gives the kinds of fault, in order.
func (w *world) guess(t *testing.T, id, source string, n int) (kinds []fault.Kind) {
	t.Helper()
	for i := range n {
		_, _, err := w.authenticator.SignIn(t.Context(), id, fmt.Sprint("guess", i), source)
		if err == nil {
			t.Fatal("a guess was right")
		}
		kinds = append(kinds, fault.From(err).Kind)
	}
	return kinds
}

func TestGuessingIsSlowed(t *testing.T) {
	for _, id := range []string{"reader", "nobody"} {
		t.Run(id, func(t *testing.T) {
			w := newWorld(t)
			w.client(t, "reader", 1, access.WebhooksRead)
			for i, kind := range w.guess(t, id, home, 20) {
				want := fault.Unauthenticated
				if i >= 10 {
					want = fault.TooManyRequests
				}
				if kind != want {
					t.Errorf("guess %d: got %v, want %v", i+1, kind, want)
				}
			}
		})
	}

	w := newWorld(t)
	w.client(t, "reader", 1, access.WebhooksRead)
	w.client(t, "writer", 1, access.WebhooksWrite)
	w.clock.advance(678 * time.Millisecond) // stores expire in whole seconds: the wait must be enough all the same
	w.guess(t, "reader", home, 10)
	signIn := func(id, source string) error {
		_, _, err := w.authenticator.SignIn(t.Context(), id, id+"-0", source)
		return err
	}
	t.Run("the right secret, from there", func(t *testing.T) {
		err := signIn("reader", home)
		wantKind(t, err, fault.TooManyRequests)
		if got := fault.From(err).RetryAfter; got <= 0 || got > time.Minute {
			t.Errorf("RetryAfter: got %v, want up to a minute", got)
		}
	})
	t.Run("the right secret, from another address", func(t *testing.T) {
		if err := signIn("reader", "192.0.2.11"); err != nil {
			t.Error(err)
		}
	})
	t.Run("another client, from there", func(t *testing.T) {
		if err := signIn("writer", home); err != nil {
			t.Error(err)
		}
	})
	t.Run("id and address are not run together", func(t *testing.T) {
		w.client(t, "reader"+home[:1], 1, access.WebhooksRead)
		if err := signIn("reader"+home[:1], home[1:]); err != nil {
			t.Error(err)
		}
	})
	t.Run("the right secret, from there, after the wait that was asked for", func(t *testing.T) {
		w.clock.advance(fault.From(signIn("reader", home)).RetryAfter)
		if err := signIn("reader", home); err != nil {
			t.Error(err)
		}
	})
}

func TestSuccessesAreNoFailures(t *testing.T) {
	w := newWorld(t)
	w.client(t, "reader", 1, access.WebhooksRead)
	w.guess(t, "reader", home, 9)
	for range 20 {
		if _, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home); err != nil {
			t.Fatal(err)
		}
	}
	kinds := w.guess(t, "reader", home, 2)
	if kinds[0] != fault.Unauthenticated || kinds[1] != fault.TooManyRequests {
		t.Errorf("got %v, want the tenth failure counted and the eleventh turned away", kinds)
	}
}

func TestGuessesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.client(t, "reader", 1, access.WebhooksRead)
	w.store.looking = &sync.WaitGroup{}
	w.store.looking.Add(100) // the worst case: everyone looks before anyone has failed
	var wrong, slowed atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			_, _, err := w.authenticator.SignIn(t.Context(), "reader", fmt.Sprint("guess", i), home)
			switch fault.From(err).Kind {
			case fault.Unauthenticated:
				wrong.Add(1)
			case fault.TooManyRequests:
				slowed.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() != 10 || slowed.Load() != 90 {
		t.Errorf("got %d wrong and %d slowed, want 10 and 90", wrong.Load(), slowed.Load())
	}
}

func TestSignInWhileTheStoreIsAway(t *testing.T) {
	for failing, secret := range map[string]string{"Client": "reader-0", "Count": "reader-0", "Count a failure": "wrong"} {
		t.Run(failing, func(t *testing.T) {
			w := newWorld(t)
			w.client(t, "reader", 1, access.WebhooksRead)
			w.store.failing = failing
			_, _, err := w.authenticator.SignIn(t.Context(), "reader", secret, home)
			wantKind(t, err, fault.Unavailable)
		})
	}
}

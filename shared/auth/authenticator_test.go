package auth_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
		"the first secret":         {"reader", "reader-0", "sec_0"},
		"the second secret":        {"reader", "reader-1", "sec_1"},
		"a wrong secret":           {"reader", "reader-2", ""},
		"no secret":                {"reader", "", ""},
		"the hash":                 {"reader", string(client.Secrets[0].Hash[:]), ""},
		"another letter case":      {"reader", "READER-0", ""},
		"a space at the end":       {"reader", "reader-0 ", ""},
		"another client's secret":  {"secretless", "reader-0", ""},
		"a client without secrets": {"secretless", "", ""},
		"an unknown client":        {"nobody", "reader-0", ""},
		"no client":                {"", "reader-0", ""},
		"a path":                   {"../reader", "reader-0", ""},
		"a line end in the id":     {"reader\n", "reader-0", ""},
		"a long id":                {strings.Repeat("r", 1<<16), "reader-0", ""},
		"a long secret":            {"reader", strings.Repeat("r", 1<<16), ""},
		"invalid UTF-8":            {"reader\xff", "reader-0\xff", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, secretID, err := w.authenticator.SignIn(t.Context(), test.id, test.secret, name)
			if test.want == "" {
				wantKind(t, err, fault.Unauthenticated)
				if got.ID != "" || secretID != "" {
					t.Errorf("got %+v, %q, want an error", got, secretID)
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
	t.Run("a wrong secret and an unknown client give the same error", func(t *testing.T) {
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
	if clients, counts := w.store.clients.Load(), w.store.counts.Load(); clients != 1 || counts != 2 {
		t.Errorf("got %d clients read and %d counts, want 1, and 2: one before and one after", clients, counts)
	}
}

// guess signs in with a wrong secret n times and returns the kinds of the faults, in order.
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

func TestGuessesAreThrottled(t *testing.T) {
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
	t.Run("the right secret, from the same address", func(t *testing.T) {
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
	t.Run("another client, from the same address", func(t *testing.T) {
		if err := signIn("writer", home); err != nil {
			t.Error(err)
		}
	})
	t.Run("another id and address with the same concatenation", func(t *testing.T) {
		w.client(t, "reader"+home[:1], 1, access.WebhooksRead)
		if err := signIn("reader"+home[:1], home[1:]); err != nil {
			t.Error(err)
		}
	})
	t.Run("the right secret, from the same address, after RetryAfter", func(t *testing.T) {
		w.clock.advance(fault.From(signIn("reader", home)).RetryAfter)
		if err := signIn("reader", home); err != nil {
			t.Error(err)
		}
	})
}

func TestSuccessesDoNotCount(t *testing.T) {
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
		t.Errorf("got %v, want the tenth failure counted and the eleventh sign-in refused", kinds)
	}
}

// atOnce makes concurrent sign-ins, in the order of the secrets. Each begins when all earlier ones are blocked. No secret
// is compared before the time held has passed since the last one began.
type atOnce struct {
	*world
	all   sync.WaitGroup
	mu    sync.Mutex
	kinds map[string]map[fault.Kind]int // by secret
}

func signInAtOnce(t *testing.T, held time.Duration, prepare func(*world), secrets ...string) map[string]map[fault.Kind]int {
	t.Helper()
	a := &atOnce{world: newWorldAt(t, time.Now), kinds: map[string]map[fault.Kind]int{}}
	a.client(t, "reader", 1, access.WebhooksRead)
	if prepare != nil {
		prepare(a.world)
	}
	a.store.held = make(chan struct{})
	for _, secret := range secrets {
		a.all.Go(func() { a.signIn(t.Context(), secret) })
		synctest.Wait()
	}
	time.Sleep(held)
	close(a.store.held)
	a.all.Wait()
	return a.kinds
}

func (a *atOnce) signIn(ctx context.Context, secret string) {
	kind := signedIn
	if _, _, err := a.authenticator.SignIn(ctx, "reader", secret, home); err != nil {
		kind = fault.From(err).Kind
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kinds[secret] == nil {
		a.kinds[secret] = map[fault.Kind]int{}
	}
	a.kinds[secret][kind]++
}

// signedIn stands for success. No sign-in in these tests fails with this kind.
const signedIn = fault.Internal

func TestConcurrentSignIns(t *testing.T) {
	const right, wrong = "reader-0", "a guess"
	repeat := func(n int, secret string) []string { return slices.Repeat([]string{secret}, n) }
	type kinds = map[string]map[fault.Kind]int
	for name, test := range map[string]struct {
		secrets []string
		held    time.Duration
		want    kinds
	}{
		"400 guesses, the right secret last": {
			append(repeat(400, wrong), right), 500 * time.Millisecond,
			kinds{wrong: {fault.Unauthenticated: 10, fault.TooManyRequests: 390}, right: {fault.TooManyRequests: 1}},
		},
		"400 guesses, the right secret among the first ten": {
			slices.Concat(repeat(9, wrong), repeat(1, right), repeat(391, wrong)), 500 * time.Millisecond,
			kinds{wrong: {fault.Unauthenticated: 10, fault.TooManyRequests: 390}, right: {signedIn: 1}},
		},
		"400 right secrets": {repeat(400, right), 500 * time.Millisecond, kinds{right: {signedIn: 400}}},
		"400 right secrets, decided after others gave up waiting": {
			repeat(400, right), 3 * time.Second, kinds{right: {signedIn: 400}},
		},
		"9 guesses among 391 right secrets": {
			slices.Concat(repeat(200, right), repeat(9, wrong), repeat(191, right)), 500 * time.Millisecond,
			kinds{wrong: {fault.Unauthenticated: 9}, right: {signedIn: 391}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if diff := cmp.Diff(test.want, signInAtOnce(t, test.held, nil, test.secrets...)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFailuresAfterConcurrentSignInsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		signInAtOnce(t, 500*time.Millisecond, func(made *world) { w = made }, slices.Repeat([]string{"reader-0"}, 100)...)
		kinds := w.guess(t, "reader", home, 11)
		if kinds[9] != fault.Unauthenticated || kinds[10] != fault.TooManyRequests {
			t.Errorf("got %v, want ten failures and then a refusal", kinds)
		}
	})
}

// TestSignInAfterACrash has ten sign-ins whose processes died before deciding them.
func TestSignInAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldAt(t, time.Now)
		w.client(t, "reader", 1, access.WebhooksRead)
		dying, die := context.WithCancel(t.Context())
		w.store.dying = dying
		for range 10 {
			go func() { _, _, _ = w.authenticator.SignIn(t.Context(), "reader", "reader-0", home) }()
		}
		synctest.Wait()
		w.store.dying = nil
		began := time.Now()
		if _, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home); err != nil {
			t.Errorf("got %v, want the right secret accepted", err)
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("the sign-in took %v, want a second", waited)
		}
		time.Sleep(time.Minute)
		began = time.Now()
		if _, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home); err != nil || time.Since(began) != 0 {
			t.Errorf("a minute later: got %v after %v, want success at once", err, time.Since(began))
		}
		die()
	})
}

func TestSourcesThatAreCountedTogether(t *testing.T) {
	for name, test := range map[string]struct {
		one, other string
		same       bool
	}{
		"the same address":           {"192.0.2.1", "192.0.2.1", true},
		"two IPv4 addresses":         {"192.0.2.1", "192.0.2.2", false},
		"an IPv4 address in IPv6":    {"192.0.2.1", "::ffff:192.0.2.1", true},
		"two IPv4 addresses in IPv6": {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		"a /64 of IPv6":              {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		"two spellings of a /64":     {"2001:db8:1:2::1", "2001:0DB8:1:2:0::9", true},
		"the next /64":               {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"link-local addresses":       {"fe80::1%eth0", "fe80::2%eth0", true},
		"the same invalid address":   {"a", "a", true},
		"two invalid addresses":      {"a", "b", false},
		"no address and an address":  {"", "192.0.2.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.client(t, "reader", 1, access.WebhooksRead)
			w.guess(t, "reader", test.one, 10)
			_, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", test.other)
			if refused := fault.Is(err, fault.TooManyRequests); refused != test.same {
				t.Errorf("got %v from %s after failures from %s", err, test.other, test.one)
			}
		})
	}
}

func TestSignInWhileTheStoreIsUnreachable(t *testing.T) {
	for failing, secret := range map[string]string{"Client": "reader-0", "Count": "reader-0", "Count a failure": "wrong"} {
		t.Run(failing, func(t *testing.T) {
			w := newWorld(t)
			w.client(t, "reader", 1, access.WebhooksRead)
			w.store.failing = failing
			_, _, err := w.authenticator.SignIn(t.Context(), "reader", secret, home)
			wantKind(t, err, fault.Unavailable)
		})
	}
	t.Run("a right secret whose count cannot be taken back", func(t *testing.T) {
		w := newWorld(t)
		w.client(t, "reader", 1, access.WebhooksRead)
		w.store.failing = "Take back"
		if _, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home); err != nil {
			t.Error(err)
		}
	})
	t.Run("a client that cannot be read does not count as a failure", func(t *testing.T) {
		w := newWorld(t)
		w.client(t, "reader", 1, access.WebhooksRead)
		w.store.failing = "Client"
		for range 30 {
			_, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home)
			wantKind(t, err, fault.Unavailable)
		}
		w.store.failing = ""
		if _, _, err := w.authenticator.SignIn(t.Context(), "reader", "reader-0", home); err != nil {
			t.Error(err)
		}
	})
}

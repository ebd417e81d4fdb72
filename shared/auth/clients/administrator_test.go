package clients_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/fault"
	"nepenthes/shared/sqlite"
)

// source is a secret that can be rotated, as Secrets Manager keeps it.
type source struct {
	mu         sync.Mutex
	id, secret string
	err        error
	reads      atomic.Int64
}

func (s *source) read(context.Context) (id, secret string, err error) {
	s.reads.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id, s.secret, s.err
}

func (s *source) set(id, secret string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.secret, s.err = id, secret, err
}

// deployment is a store, a source, and functions that use both.
type deployment struct {
	clock  *clock
	store  *sqlite.DB
	source *source
}

func newDeployment(t *testing.T) *deployment {
	return &deployment{newClock(), openStore(t), &source{id: "administrator", secret: "first"}}
}

// function returns what one function has in memory.
func (d *deployment) function() *clients.Administrator {
	return clients.NewAdministrator(clients.AdministratorConfig{Store: d.store, Secret: d.source.read, Now: d.clock.Now})
}

func (d *deployment) registry() *clients.Registry {
	return clients.New(clients.Config{Store: d.store, Now: d.clock.Now})
}

// opens reports whether a secret opens the client as a function sees it.
func (d *deployment) opens(t *testing.T, a *clients.Administrator, secret string) bool {
	t.Helper()
	c, err := a.Client(t.Context(), "administrator")
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	for _, s := range c.Secrets {
		if s.Hash == sha256.Sum256([]byte(secret)) && s.Live(d.clock.Now()) {
			return true
		}
	}
	return false
}

func TestTheFirstAdministratorIsMadeOnDemand(t *testing.T) {
	d := newDeployment(t)
	a := d.function()
	if _, err := a.Client(t.Context(), "somebody"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("another client: got %v, want NotFound", err)
	}
	if all, _, _ := d.store.Clients(t.Context()); len(all) != 0 {
		t.Fatalf("got %d clients before anyone asked, want none", len(all))
	}
	if !d.opens(t, a, "first") {
		t.Fatal("the secret does not open the administrator")
	}
	c := get(t, d.registry(), "administrator")
	for _, scope := range access.Scopes() {
		if !access.Allows(c.Scopes, scope) {
			t.Errorf("the administrator does not hold %s", scope)
		}
	}
	if !d.opens(t, a, "first") || get(t, d.registry(), "administrator").LockVersion != 1 {
		t.Error("a second request changed the administrator")
	}
}

func TestTheFirstAdministratorIsMadeOnce(t *testing.T) {
	d := newDeployment(t)
	var all sync.WaitGroup
	for range 20 {
		a := d.function()
		all.Go(func() {
			if !d.opens(t, a, "first") {
				t.Error("the secret does not open the administrator")
			}
		})
	}
	all.Wait()
	if c := get(t, d.registry(), "administrator"); c.LockVersion != 1 || len(c.Secrets) != 1 {
		t.Errorf("got version %d with %d secrets, want one write", c.LockVersion, len(c.Secrets))
	}
}

func TestTheAdministratorFollowsItsSecret(t *testing.T) {
	d := newDeployment(t)
	a, b := d.function(), d.function()
	if !d.opens(t, a, "first") || !d.opens(t, b, "first") {
		t.Fatal("the secret does not open the administrator")
	}
	_, own, err := d.registry().AddSecret(t.Context(), root, "administrator")
	if err != nil {
		t.Fatal(err)
	}
	d.source.set("administrator", "second", nil)
	d.clock.advance(30 * time.Second)
	c := d.function() // starts after the rotation, so it reads the new value at once
	if !d.opens(t, c, "second") {
		t.Error("a new function does not know the new secret")
	}
	// The others remember the old value, but must not put it back.
	if d.opens(t, a, "first") || !d.opens(t, a, "second") || !d.opens(t, b, "second") || !d.opens(t, c, "second") {
		t.Error("a function that remembers the old secret put it back")
	}
	d.source.set("administrator", "third", nil)
	d.clock.advance(time.Minute)
	for name, f := range map[string]*clients.Administrator{"a": a, "b": b, "c": c} {
		if d.opens(t, f, "second") || !d.opens(t, f, "third") {
			t.Errorf("%s: a minute later the old secret is accepted or the new one is not", name)
		}
		if !d.opens(t, f, own) {
			t.Errorf("%s: the secret that was added through the API is gone", name)
		}
	}
}

// late is a store in which a client changes after it was read.
type late struct {
	clients.Store
	before access.Client
}

func (l late) Client(context.Context, string) (access.Client, error) { return l.before, nil }

func TestChangesThroughTheAPIAreKept(t *testing.T) {
	t.Run("the administrator was deleted", func(t *testing.T) {
		d := newDeployment(t)
		a := d.function()
		d.opens(t, a, "first")
		r := d.registry()
		create(t, r, access.ClientsWrite)
		if err := r.Delete(t.Context(), root, "administrator", 0); err != nil {
			t.Fatal(err)
		}
		d.clock.advance(time.Hour)
		for _, f := range []*clients.Administrator{a, d.function()} {
			if _, err := f.Client(t.Context(), "administrator"); !fault.Is(err, fault.NotFound) {
				t.Errorf("got %v, want NotFound", err)
			}
		}
	})
	t.Run("the secret was removed", func(t *testing.T) {
		d := newDeployment(t)
		a := d.function()
		d.opens(t, a, "first")
		r := d.registry()
		_, own, err := r.AddSecret(t.Context(), root, "administrator")
		if err != nil {
			t.Fatal(err)
		}
		first := get(t, r, "administrator").Secrets[0]
		if err := r.DeleteSecret(t.Context(), root, "administrator", first.ID); err != nil {
			t.Fatal(err)
		}
		d.source.set("administrator", "second", nil)
		d.clock.advance(time.Hour)
		if d.opens(t, a, "first") || d.opens(t, a, "second") || !d.opens(t, a, own) {
			t.Error("a secret from the source opens the administrator again, or the secret from the API does not")
		}
	})
	t.Run("the secret is removed at the same moment", func(t *testing.T) {
		d := newDeployment(t)
		d.opens(t, d.function(), "first")
		before := get(t, d.registry(), "administrator")
		after := before
		after.Secrets = []access.Secret{{ID: "sec_own", Hash: sha256.Sum256([]byte("own"))}}
		put(t, d.store, &after)
		d.source.set("administrator", "second", nil)
		a := clients.NewAdministrator(clients.AdministratorConfig{Store: late{d.store, before}, Secret: d.source.read, Now: d.clock.Now})
		if d.opens(t, a, "second") || !d.opens(t, d.function(), "own") {
			t.Error("the removed secret was added again")
		}
	})
	t.Run("the scopes and the name were changed", func(t *testing.T) {
		d := newDeployment(t)
		d.opens(t, d.function(), "first")
		name := "Operations"
		change := clients.Change{Name: &name, Scopes: &[]access.Scope{access.ClientsWrite}}
		if _, err := d.registry().Update(t.Context(), root, "administrator", 0, change); err != nil {
			t.Fatal(err)
		}
		d.source.set("administrator", "second", nil)
		if !d.opens(t, d.function(), "second") {
			t.Error("the new secret does not open the administrator")
		}
		if c := get(t, d.registry(), "administrator"); c.Name != name || len(c.Scopes) != 1 {
			t.Errorf("got name %q and scopes %v, want both kept", c.Name, c.Scopes)
		}
	})
	t.Run("no other client can administer", func(t *testing.T) { // after a change by hand in the table
		d := newDeployment(t)
		put(t, d.store, &access.Client{ID: "reader", Scopes: []access.Scope{access.ClientsRead}})
		if !d.opens(t, d.function(), "first") {
			t.Error("the administrator was not created")
		}
	})
}

func TestTheSourceIsReadRarely(t *testing.T) {
	t.Run("not for other clients", func(t *testing.T) {
		d := newDeployment(t)
		put(t, d.store, &access.Client{ID: "reader"})
		if _, err := d.function().Client(t.Context(), "reader"); err != nil {
			t.Fatal(err)
		}
		if got := d.source.reads.Load(); got != 0 {
			t.Errorf("got %d reads, want 0", got)
		}
	})
	for name, err := range map[string]error{"once for many unknown ids": nil, "once for many unknown ids while it is unreachable": errors.New("unreachable")} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			d.source.set("administrator", "first", err)
			a := d.function()
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					if _, got := a.Client(t.Context(), "somebody"); fault.Is(got, fault.NotFound) != (err == nil) {
						t.Errorf("got %v", got)
					}
				})
			}
			all.Wait()
			if got := d.source.reads.Load(); got != 1 {
				t.Errorf("got %d reads, want 1", got)
			}
			d.source.set("administrator", "first", nil)
			d.clock.advance(time.Second)
			if err != nil && !d.opens(t, a, "first") {
				t.Error("the source is not read again a second after its failure")
			}
		})
	}
	t.Run("again after a request was cancelled", func(t *testing.T) {
		d := newDeployment(t)
		gone, cancel := context.WithCancel(t.Context())
		a := clients.NewAdministrator(clients.AdministratorConfig{
			Store: d.store, Now: d.clock.Now,
			Secret: func(ctx context.Context) (string, string, error) {
				cancel() // while the source is read
				return "administrator", "first", ctx.Err()
			},
		})
		if _, err := a.Client(gone, "administrator"); err == nil {
			t.Error("got no error for the cancelled request")
		}
		if !d.opens(t, a, "first") {
			t.Error("the next request does not get the administrator")
		}
	})
}

func TestAnInvalidSource(t *testing.T) {
	for name, given := range map[string][2]string{
		"no id":             {"", "secret"},
		"no secret":         {"administrator", ""},
		"an id with spaces": {"the administrator", "secret"},
		"a path":            {"../administrator", "secret"},
		"a slash":           {"a/b", "secret"},
		"two lines":         {"administrator", "top\nsecret"},
		"a long secret":     {"administrator", strings.Repeat("s", 513)},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			d.source.set(given[0], given[1], nil)
			a := d.function()
			_, err := a.Client(t.Context(), "administrator")
			if err == nil || fault.Is(err, fault.NotFound) {
				t.Errorf("got %v, want an error of the service", err)
			}
			for _, err := range []error{err, a.Ensure(t.Context(), given[0], given[1])} {
				if err == nil || given[1] != "" && strings.Contains(err.Error(), given[1]) && given[1] != "secret" {
					t.Errorf("got %v, want an error without the secret", err)
				}
			}
			if all, _, _ := d.store.Clients(t.Context()); len(all) != 0 {
				t.Errorf("got %d clients, want none", len(all))
			}
		})
	}
}

func TestEnsure(t *testing.T) {
	d := newDeployment(t)
	a := clients.NewAdministrator(clients.AdministratorConfig{Store: d.store, Now: d.clock.Now}) // as in package local, without a source
	ensure := func(secret string) access.Client {
		t.Helper()
		if err := a.Ensure(t.Context(), "administrator", secret); err != nil {
			t.Fatal(err)
		}
		return get(t, d.registry(), "administrator")
	}
	if c := ensure("one"); len(c.Secrets) != 1 || !c.CanAdminister(d.clock.Now()) {
		t.Errorf("got %+v, want a new administrator", c)
	}
	first := ensure("one")
	if first.LockVersion != 1 {
		t.Error("the same secret again changed the administrator")
	}
	if c := ensure("two words: ä"[:10]); len(c.Secrets) != 1 || c.Secrets[0].ID == first.Secrets[0].ID || !d.opens(t, a, "two words:") || d.opens(t, a, "one") {
		t.Error("another secret did not replace the previous one from Ensure")
	}
	_, own, err := d.registry().AddSecret(t.Context(), root, "administrator")
	if err != nil {
		t.Fatal(err)
	}
	if ensure("three"); !d.opens(t, a, own) || !d.opens(t, a, "three") || d.opens(t, a, "two words:") {
		t.Error("the secret from the API was replaced, or the previous one from Ensure was not")
	}
	t.Run("a client that was created through the API", func(t *testing.T) {
		c := create(t, d.registry(), access.WebhooksRead)
		_, second, err := d.registry().AddSecret(t.Context(), root, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Ensure(t.Context(), c.ID, "given"); err != nil {
			t.Fatal(err)
		}
		got := get(t, d.registry(), c.ID)
		if len(got.Secrets) != 2 || got.Secrets[0].Hash != sha256.Sum256([]byte(second)) || got.Secrets[1].Hash != sha256.Sum256([]byte("given")) {
			t.Errorf("got %d secrets, want the younger of two and the given one", len(got.Secrets))
		}
		if len(got.Scopes) != 1 {
			t.Errorf("got %v, want the scopes kept", got.Scopes)
		}
	})
}

func TestMake(t *testing.T) {
	d := newDeployment(t)
	a := clients.NewAdministrator(clients.AdministratorConfig{Store: d.store, Now: d.clock.Now})
	secret, made, err := a.Make(t.Context(), "administrator")
	if err != nil || !made || !d.opens(t, a, secret) {
		t.Fatalf("got %v, %v, want an administrator", made, err)
	}
	again, made, err := a.Make(t.Context(), "administrator")
	if err != nil || made || again != "" || !d.opens(t, a, secret) {
		t.Errorf("a second time: got %v, %v, want nothing to happen", made, err)
	}
	if _, made, err := a.Make(t.Context(), "another"); made || err != nil {
		t.Errorf("another id: got %v, %v, want nothing to happen", made, err)
	}
}

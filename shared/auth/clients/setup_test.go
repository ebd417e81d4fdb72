package clients_test

import (
	"crypto/sha256"
	"sync/atomic"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/fault"
	"nepenthes/shared/sqlite"
)

// clock is a clock that tests set.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) Now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

func openStore(t testing.TB) *sqlite.DB {
	t.Helper()
	store, err := sqlite.Open("", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// root is a caller that holds every scope.
var root = auth.Caller{ClientID: "root", Scopes: access.AdministratorScopes()}

// newRegistry returns a registry whose store has one client, "root", which holds every scope.
func newRegistry(t testing.TB) *clients.Registry {
	t.Helper()
	r := clients.New(clients.Config{Store: openStore(t), Now: newClock().Now})
	put(t, r.Store, &access.Client{
		ID: "root", Name: "Root", Scopes: access.AdministratorScopes(),
		Secrets: []access.Secret{{ID: "sec_root", Hash: sha256.Sum256([]byte("root's"))}},
	})
	return r
}

// put stores a client without checking the version of the list.
func put(t testing.TB, store clients.Store, c *access.Client) {
	t.Helper()
	_, list, err := store.Clients(t.Context())
	if err == nil {
		err = store.PutClient(t.Context(), c, list)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func create(t testing.TB, r *clients.Registry, scopes ...access.Scope) access.Client {
	t.Helper()
	c, _, err := r.Create(t.Context(), root, "Some client", scopes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t testing.TB, r *clients.Registry, id string) access.Client {
	t.Helper()
	c, err := r.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantKind checks the kind of a fault; fault.Internal stands for no error at all.
func wantKind(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if want == fault.Internal && err == nil {
		return
	}
	if err == nil || fault.From(err).Kind != want {
		t.Errorf("got %v, want a fault of kind %v", err, want)
	}
}

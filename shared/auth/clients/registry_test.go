package clients_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"nepenthes/shared/access"
	"nepenthes/shared/auth"
	"nepenthes/shared/auth/clients"
	"nepenthes/shared/fault"
)

func TestCreate(t *testing.T) {
	r := newRegistry(t)
	made, secret, err := r.Create(t.Context(), root, "  Bu\u0308ro ", []access.Scope{access.EventsRead, access.WebhooksWrite, access.EventsRead})
	if err != nil {
		t.Fatal(err)
	}
	want := access.Client{
		Name: "B\u00fcro", Scopes: []access.Scope{access.WebhooksWrite, access.EventsRead},
		Secrets:     []access.Secret{{Hash: sha256.Sum256([]byte(secret)), CreatedAt: r.Now()}},
		LockVersion: 1, CreatedAt: r.Now(), UpdatedAt: r.Now(),
	}
	names := cmpopts.IgnoreFields(access.Client{}, "ID")
	if diff := cmp.Diff(want, made, names, cmpopts.IgnoreFields(access.Secret{}, "ID")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(made, get(t, r, made.ID), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("stored (-made +got):\n%s", diff)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(raw) != 32 {
		t.Errorf("the secret: got %d bytes, %v, want 256 bits in base64url", len(raw), err)
	}
	again, secretAgain, err := r.Create(t.Context(), root, "Büro", want.Scopes)
	if err != nil || again.ID == made.ID || secretAgain == secret {
		t.Errorf("a second client with the same name: got %q, %v, want another client with another secret", again.ID, err)
	}
}

func TestCreateRefuses(t *testing.T) {
	long := strings.Repeat("ü", 255)
	reader := auth.Caller{Scopes: []access.Scope{access.ClientsWrite, access.WebhooksRead}}
	for name, test := range map[string]struct {
		caller     auth.Caller
		name       string
		scopes     []access.Scope
		want       fault.Kind
		attributes []string
	}{
		"the longest name":                  {root, long, []access.Scope{access.EventsRead}, fault.Internal, nil},
		"scopes that the caller holds":      {reader, "x", []access.Scope{access.WebhooksRead, access.ClientsRead}, fault.Internal, nil},
		"a longer name":                     {root, long + "ü", []access.Scope{access.EventsRead}, fault.PropertyConstraintViolation, []string{"name"}},
		"no name":                           {root, " \t\n", []access.Scope{access.EventsRead}, fault.PropertyConstraintViolation, []string{"name"}},
		"invalid UTF-8":                     {root, "\xff", []access.Scope{access.EventsRead}, fault.PropertyConstraintViolation, []string{"name"}},
		"no scope":                          {root, "x", nil, fault.PropertyConstraintViolation, []string{"scopes"}},
		"an unknown scope":                  {root, "x", []access.Scope{access.EventsRead, "events:delete"}, fault.PropertyConstraintViolation, []string{"scopes"}},
		"two faults":                        {root, "", []access.Scope{""}, fault.MultipleErrors, []string{"name", "scopes"}},
		"a scope that the caller lacks":     {reader, "x", []access.Scope{access.EventsRead}, fault.MissingPermission, nil},
		"write where the caller holds read": {reader, "x", []access.Scope{access.WebhooksWrite}, fault.MissingPermission, nil},
		"missing permission and faults":     {reader, "", []access.Scope{access.EventsRead, "?"}, fault.MissingPermission, nil},
		"a caller without scopes":           {auth.Caller{}, "x", []access.Scope{access.ClientsRead}, fault.MissingPermission, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(t)
			c, secret, err := r.Create(t.Context(), test.caller, test.name, test.scopes)
			wantKind(t, err, test.want)
			if err == nil {
				return
			}
			var attributes []string
			for _, d := range fault.From(err).Details {
				attributes = append(attributes, d.Attribute)
			}
			if !slices.Equal(attributes, test.attributes) {
				t.Errorf("attributes: got %v, want %v", attributes, test.attributes)
			}
			if all, _ := r.List(t.Context()); len(all) != 1 || c.ID != "" || secret != "" {
				t.Errorf("got %d clients, %q, want nothing created", len(all), c.ID)
			}
		})
	}
}

func TestMissingPermissionNamesTheScope(t *testing.T) {
	r := newRegistry(t)
	caller := auth.Caller{Scopes: []access.Scope{access.ClientsWrite, access.WebhooksWrite}}
	_, _, err := r.Create(t.Context(), caller, "x", []access.Scope{access.WebhooksRead, access.DeliveriesRead})
	wantKind(t, err, fault.MissingPermission)
	if text := fault.From(err).Message; !strings.Contains(text, "deliveries:read") || strings.Contains(text, "webhooks") {
		t.Errorf("got %q, want it to name deliveries:read", text)
	}
}

// changes are all ways to change a client.
var changes = map[string]func(context.Context, *clients.Registry, auth.Caller, access.Client) error{
	"rename": func(ctx context.Context, r *clients.Registry, who auth.Caller, c access.Client) error {
		name := "Another name"
		_, err := r.Update(ctx, who, c.ID, 0, clients.Change{Name: &name})
		return err
	},
	"take a scope": func(ctx context.Context, r *clients.Registry, who auth.Caller, c access.Client) error {
		_, err := r.Update(ctx, who, c.ID, 0, clients.Change{Scopes: &[]access.Scope{access.WebhooksRead}})
		return err
	},
	"add a secret": func(ctx context.Context, r *clients.Registry, who auth.Caller, c access.Client) error {
		_, _, err := r.AddSecret(ctx, who, c.ID)
		return err
	},
	"delete a secret": func(ctx context.Context, r *clients.Registry, who auth.Caller, c access.Client) error {
		return r.DeleteSecret(ctx, who, c.ID, c.Secrets[0].ID)
	},
	"revoke": func(ctx context.Context, r *clients.Registry, who auth.Caller, c access.Client) error {
		return r.Revoke(ctx, who, c.ID)
	},
	"delete": func(ctx context.Context, r *clients.Registry, who auth.Caller, c access.Client) error {
		return r.Delete(ctx, who, c.ID, 0)
	},
}

func TestWhichClientsACallerMayChange(t *testing.T) {
	for name, test := range map[string]struct {
		caller, client []access.Scope
		want           fault.Kind
	}{
		"with the same scopes":       {[]access.Scope{access.ClientsWrite, access.WebhooksWrite}, []access.Scope{access.WebhooksWrite}, fault.Internal},
		"with fewer scopes":          {[]access.Scope{access.ClientsWrite, access.WebhooksWrite}, []access.Scope{access.WebhooksRead}, fault.Internal},
		"with another scope":         {[]access.Scope{access.ClientsWrite, access.WebhooksWrite}, []access.Scope{access.WebhooksRead, access.EventsRead}, fault.MissingPermission},
		"with write instead of read": {[]access.Scope{access.ClientsWrite, access.WebhooksRead}, []access.Scope{access.WebhooksWrite}, fault.MissingPermission},
	} {
		for change, do := range changes {
			t.Run(change+" of a client "+name, func(t *testing.T) {
				r := newRegistry(t)
				before := create(t, r, test.client...)
				err := do(t.Context(), r, auth.Caller{Scopes: test.caller}, before)
				wantKind(t, err, test.want)
				if after, getErr := r.Get(t.Context(), before.ID); err != nil && (getErr != nil || after.LockVersion != before.LockVersion) {
					t.Errorf("got %+v, %v, want the client unchanged", after, getErr)
				}
			})
		}
	}
	t.Run("an unknown client", func(t *testing.T) {
		for change, do := range changes {
			err := do(t.Context(), newRegistry(t), root, access.Client{ID: "app_unknown", Secrets: []access.Secret{{}}})
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: got %v, want NotFound", change, err)
			}
		}
	})
}

func TestUpdate(t *testing.T) {
	name, long := " New ", strings.Repeat("x", 256)
	some := []access.Scope{access.EventsRead, access.SettingsRead}
	for title, test := range map[string]struct {
		change      clients.Change
		lockVersion int64
		want        fault.Kind
		name        string
		scopes      []access.Scope
	}{
		"nothing":                {clients.Change{}, 0, fault.Internal, "Some client", []access.Scope{access.WebhooksWrite}},
		"the name":               {clients.Change{Name: &name}, 0, fault.Internal, "New", []access.Scope{access.WebhooksWrite}},
		"the scopes":             {clients.Change{Scopes: &some}, 1, fault.Internal, "Some client", []access.Scope{access.SettingsRead, access.EventsRead}},
		"an older version":       {clients.Change{Name: &long}, 7, fault.UpdateConflict, "Some client", []access.Scope{access.WebhooksWrite}},
		"a long name":            {clients.Change{Name: &long}, 0, fault.PropertyConstraintViolation, "Some client", []access.Scope{access.WebhooksWrite}},
		"no scope":               {clients.Change{Scopes: &[]access.Scope{}}, 0, fault.PropertyConstraintViolation, "Some client", []access.Scope{access.WebhooksWrite}},
		"two invalid attributes": {clients.Change{Name: &long, Scopes: &[]access.Scope{"x"}}, 1, fault.MultipleErrors, "Some client", []access.Scope{access.WebhooksWrite}},
	} {
		t.Run(title, func(t *testing.T) {
			r := newRegistry(t)
			before := create(t, r, access.WebhooksWrite)
			got, err := r.Update(t.Context(), root, before.ID, test.lockVersion, test.change)
			wantKind(t, err, test.want)
			after := get(t, r, before.ID)
			if after.Name != test.name || !slices.Equal(after.Scopes, test.scopes) {
				t.Errorf("got %q with %v, want %q with %v", after.Name, after.Scopes, test.name, test.scopes)
			}
			version := int64(2)
			if title == "nothing" {
				version = 1
			}
			if err == nil && (got.LockVersion != version || after.LockVersion != version) {
				t.Errorf("lockVersion: got %d, %d stored, want %d", got.LockVersion, after.LockVersion, version)
			}
			if err != nil && (got.ID != "" || after.LockVersion != 1) {
				t.Errorf("got %+v, want nothing written", after)
			}
		})
	}
	t.Run("a scope that the caller lacks", func(t *testing.T) {
		r := newRegistry(t)
		c := create(t, r, access.WebhooksRead)
		caller := auth.Caller{Scopes: []access.Scope{access.ClientsWrite, access.WebhooksRead}}
		_, err := r.Update(t.Context(), caller, c.ID, 0, clients.Change{Scopes: &[]access.Scope{access.WebhooksRead, access.WebhooksWrite}})
		wantKind(t, err, fault.MissingPermission)
	})
}

func TestSecrets(t *testing.T) {
	r := newRegistry(t)
	c := create(t, r, access.WebhooksRead)
	changed, secret, err := r.AddSecret(t.Context(), root, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := get(t, r, c.ID); !reflect.DeepEqual(changed, want) {
		t.Errorf("got %+v, want the client as it is stored: %+v", changed, want)
	}
	added := changed.Secrets[1]
	if added.Hash != sha256.Sum256([]byte(secret)) || added.ID == c.Secrets[0].ID {
		t.Errorf("got %+v, want another secret", added)
	}
	if _, secret, err := r.AddSecret(t.Context(), root, c.ID); !fault.Is(err, fault.InvalidState) || secret != "" {
		t.Errorf("a third secret: got %v, want InvalidState", err)
	}
	wantKind(t, r.DeleteSecret(t.Context(), root, c.ID, "sec_unknown"), fault.NotFound)
	if err := r.DeleteSecret(t.Context(), root, c.ID, c.Secrets[0].ID); err != nil {
		t.Fatal(err)
	}
	wantKind(t, r.DeleteSecret(t.Context(), root, c.ID, c.Secrets[0].ID), fault.NotFound)
	if got := get(t, r, c.ID).Secrets; len(got) != 1 || got[0].ID != added.ID {
		t.Errorf("got %+v, want only %s left", got, added.ID)
	}
	if err := r.DeleteSecret(t.Context(), root, c.ID, added.ID); err != nil {
		t.Errorf("the last secret of a client that administers nothing: %v", err)
	}
	t.Run("an expired secret does not count", func(t *testing.T) {
		c := get(t, r, c.ID)
		c.Secrets = []access.Secret{{ID: "sec_old", ExpiresAt: r.Now()}, {ID: "sec_live", ExpiresAt: r.Now().Add(1)}}
		put(t, r.Store, &c)
		if _, _, err := r.AddSecret(t.Context(), root, c.ID); err != nil {
			t.Fatal(err)
		}
		if got := get(t, r, c.ID).Secrets; len(got) != 2 || got[0].ID != "sec_live" {
			t.Errorf("got %+v, want the live secret and the new one", got)
		}
	})
}

func TestRevoke(t *testing.T) {
	r := newRegistry(t)
	c := create(t, r, access.WebhooksRead)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if err := r.Revoke(t.Context(), root, c.ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	first := get(t, r, c.ID) // a store makes concurrent equal writes only once
	if first.Revocations < 1 || first.LockVersion != 1+first.Revocations || len(first.Secrets) != 1 || len(first.Scopes) != 1 {
		t.Errorf("got %+v, want as many versions as revocations, and nothing else changed", first)
	}
	if err := r.Revoke(t.Context(), root, c.ID); err != nil {
		t.Fatal(err)
	}
	if got := get(t, r, c.ID).Revocations; got != first.Revocations+1 {
		t.Errorf("after another one: got %d revocations, want %d", got, first.Revocations+1)
	}
	if err := r.Revoke(t.Context(), root, "root"); err != nil {
		t.Errorf("the last administrator, which can get a new token: %v", err)
	}
}

func TestTheLastAdministrator(t *testing.T) {
	last := map[string]func(context.Context, *clients.Registry) error{
		"is not deleted": func(ctx context.Context, r *clients.Registry) error { return r.Delete(ctx, root, "root", 0) },
		"does not lose clients:write": func(ctx context.Context, r *clients.Registry) error {
			_, err := r.Update(ctx, root, "root", 0, clients.Change{Scopes: &[]access.Scope{access.ClientsRead, access.WebhooksWrite}})
			return err
		},
		"does not lose its last secret": func(ctx context.Context, r *clients.Registry) error {
			return r.DeleteSecret(ctx, root, "root", "sec_root")
		},
	}
	for name, do := range last {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(t)
			create(t, r, access.ClientsRead, access.WebhooksWrite) // cannot administer
			wantKind(t, do(t.Context(), r), fault.InvalidState)
			if get(t, r, "root").LockVersion != 1 {
				t.Error("the client was changed")
			}
		})
		t.Run(name+" unless another can administer", func(t *testing.T) {
			r := newRegistry(t)
			create(t, r, access.ClientsWrite)
			if err := do(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
		t.Run(name+" if the other one has no secret", func(t *testing.T) {
			r := newRegistry(t)
			c := create(t, r, access.ClientsWrite)
			if err := r.DeleteSecret(t.Context(), root, c.ID, c.Secrets[0].ID); err != nil {
				t.Fatal(err)
			}
			wantKind(t, do(t.Context(), r), fault.InvalidState)
		})
	}
	t.Run("may lose all other scopes", func(t *testing.T) {
		r := newRegistry(t)
		if _, err := r.Update(t.Context(), root, "root", 0, clients.Change{Scopes: &[]access.Scope{access.ClientsWrite}}); err != nil {
			t.Error(err)
		}
	})
	t.Run("matters less than a stale version", func(t *testing.T) {
		wantKind(t, newRegistry(t).Delete(t.Context(), root, "root", 7), fault.UpdateConflict)
	})
}

func TestConcurrentChangesLeaveAnAdministrator(t *testing.T) {
	for change, do := range changes {
		if change == "rename" || change == "add a secret" || change == "revoke" {
			continue
		}
		t.Run(change, func(t *testing.T) {
			for range 20 {
				r := newRegistry(t)
				both := []access.Client{get(t, r, "root"), create(t, r, access.ClientsWrite)}
				var done atomic.Int64
				var all sync.WaitGroup
				for _, c := range both {
					all.Go(func() {
						switch err := do(t.Context(), r, root, c); {
						case err == nil:
							done.Add(1)
						case !fault.Is(err, fault.InvalidState):
							t.Errorf("got %v, want InvalidState", err)
						}
					})
				}
				all.Wait()
				if done.Load() != 1 {
					t.Fatalf("got %d of 2 changes made, want 1", done.Load())
				}
			}
		})
	}
}

func TestConcurrentChanges(t *testing.T) {
	r := newRegistry(t)
	c := create(t, r, access.WebhooksRead)
	var secrets atomic.Int64
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, _, err := r.Create(t.Context(), root, "x", []access.Scope{access.EventsRead}); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, _, err := r.AddSecret(t.Context(), root, c.ID); err == nil {
				secrets.Add(1)
			} else if !fault.Is(err, fault.InvalidState) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, err := r.List(t.Context())
	if err != nil || len(list) != 32 || secrets.Load() != 1 {
		t.Errorf("got %d clients, %d secrets added, %v, want 32 and 1", len(list), secrets.Load(), err)
	}
}

// unlucky is a store whose list changes before every write.
type unlucky struct{ clients.Store }

func (unlucky) PutClient(context.Context, *access.Client, int64) error {
	return fault.New(fault.UpdateConflict, "Somebody was faster.")
}

func TestRepeatedConflictsEnd(t *testing.T) {
	store := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		r := clients.New(clients.Config{Store: unlucky{listless{store}}})
		start := time.Now()
		_, _, err := r.Create(t.Context(), root, "x", []access.Scope{access.EventsRead})
		wantKind(t, err, fault.Unavailable)
		if took := time.Since(start); took < 4*time.Second || took > 6*time.Second || fault.From(err).RetryAfter <= 0 {
			t.Errorf("got %v after %v, want a Retry-After after 5 s", err, took)
		}
	})
}

// listless is a store without clients. It answers inside a synctest bubble, which a database cannot.
type listless struct{ clients.Store }

func (listless) Clients(context.Context) ([]access.Client, int64, error) { return nil, 0, nil }

// away is a store that is unreachable.
type away struct{ clients.Store }

var errAway = fault.New(fault.Unavailable, "The store is away.")

func (away) Clients(context.Context) ([]access.Client, int64, error) { return nil, 0, errAway }

func TestAnUnreachableStore(t *testing.T) {
	r := clients.New(clients.Config{Store: away{}})
	for change, do := range changes {
		if err := do(t.Context(), r, root, access.Client{ID: "root", Secrets: []access.Secret{{}}}); !errors.Is(err, errAway) {
			t.Errorf("%s: got %v, want the store's fault", change, err)
		}
	}
	_, _, err := r.Create(t.Context(), root, "x", []access.Scope{access.EventsRead})
	wantKind(t, err, fault.Unavailable)
}

func TestNewPanicsWithoutItsParts(t *testing.T) {
	for name, make := range map[string]func(){
		"New":              func() { clients.New(clients.Config{}) },
		"NewAdministrator": func() { clients.NewAdministrator(clients.AdministratorConfig{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic, want one")
				}
			}()
			make()
		})
	}
}

// TestRulesHoldForAnySequence has various callers make arbitrary changes to any client. After each change, some client
// can administer, no client has more than two live secrets, and the caller has granted no scope that it does not hold.
func TestRulesHoldForAnySequence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRegistry(t)
		scopes := rapid.SliceOfNDistinct(rapid.SampledFrom(access.Scopes()), 0, 5, rapid.ID)
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			all, err := r.List(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			who := auth.Caller{Scopes: rapid.SampledFrom(all).Draw(rt, "caller").Scopes}
			whom := rapid.SampledFrom(all).Draw(rt, "client")
			asked := scopes.Draw(rt, "scopes")
			switch rapid.SampledFrom([]string{"create", "update", "add", "remove", "delete"}).Draw(rt, "operation") {
			case "create":
				_, _, err = r.Create(t.Context(), who, "x", asked)
			case "update":
				_, err = r.Update(t.Context(), who, whom.ID, 0, clients.Change{Scopes: &asked})
			case "add":
				_, _, err = r.AddSecret(t.Context(), who, whom.ID)
			case "remove":
				if len(whom.Secrets) > 0 {
					err = r.DeleteSecret(t.Context(), who, whom.ID, whom.Secrets[0].ID)
				}
			case "delete":
				err = r.Delete(t.Context(), who, whom.ID, whom.LockVersion)
			}
			checkRules(rt, r, who, all, err)
		}
	})
}

func checkRules(rt *rapid.T, r *clients.Registry, who auth.Caller, before []access.Client, err error) {
	after, listErr := r.List(context.Background())
	if listErr != nil {
		rt.Fatal(listErr)
	}
	if !slices.ContainsFunc(after, func(c access.Client) bool { return c.CanAdminister(r.Now()) }) {
		rt.Fatal("no client can administer any more")
	}
	if err != nil && !cmp.Equal(before, after) {
		rt.Fatalf("a change was made although it was refused with %v", err)
	}
	for _, c := range after {
		i := slices.IndexFunc(before, func(b access.Client) bool { return b.ID == c.ID })
		if i >= 0 && before[i].LockVersion == c.LockVersion {
			continue
		}
		for _, s := range c.Scopes {
			if !who.Allows(s) {
				rt.Fatalf("a caller with %v granted %s", who.Scopes, s)
			}
		}
		if len(c.Secrets) > 2 || len(c.Scopes) == 0 {
			rt.Fatalf("got %d secrets and scopes %v", len(c.Secrets), c.Scopes)
		}
	}
	for _, b := range before {
		gone := !slices.ContainsFunc(after, func(c access.Client) bool { return c.ID == b.ID && c.LockVersion == b.LockVersion })
		for _, s := range b.Scopes {
			if gone && !who.Allows(s) {
				rt.Fatalf("a caller with %v changed a client with %s", who.Scopes, s)
			}
		}
	}
}

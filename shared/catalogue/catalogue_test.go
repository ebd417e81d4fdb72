package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"nepenthes/shared/catalogue"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/settings"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

// counting is a store that counts its reads and can be made to fail or to wait.
type counting struct {
	*sqlite.DB
	versions, loads, reads atomic.Int64
	gap                    bool
	before                 func() error                // called before each read of the version; may be nil
	many                   func(func(webhook.Webhook)) // lists webhooks instead of the store; may be nil
}

func (c *counting) CatalogueVersion(ctx context.Context) (int64, error) {
	c.versions.Add(1)
	if c.before != nil {
		if err := c.before(); err != nil {
			return 0, err
		}
	}
	return c.DB.CatalogueVersion(ctx)
}

func (c *counting) Webhooks(ctx context.Context, take func(webhook.Webhook)) error {
	c.loads.Add(1)
	if c.many != nil {
		c.many(take)
		return nil
	}
	return c.DB.Webhooks(ctx, take)
}

func (c *counting) Webhook(ctx context.Context, id string) (webhook.Webhook, error) {
	c.reads.Add(1)
	return c.DB.Webhook(ctx, id)
}

func (c *counting) Changes(ctx context.Context, after int64) ([]store.Change, error) {
	if c.gap {
		return nil, store.ErrGap
	}
	return c.DB.Changes(ctx, after)
}

func open(t testing.TB) *counting {
	t.Helper()
	db, err := sqlite.Open("", sqlite.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return &counting{DB: db}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *counting, w webhook.Webhook) webhook.Webhook {
	t.Helper()
	must(t, s.PutWebhook(t.Context(), &w))
	return w
}

func fresh() webhook.Webhook {
	w := webhook.Webhook{
		ID: id.New(id.Webhook, time.Now()), Enabled: true,
		Subscription: webhook.Subscription{Events: []string{"*"}, Projects: webhook.Projects{All: true}},
	}
	w.Name = w.ID
	return w
}

func matches(t testing.TB, c *catalogue.Catalogue) []string {
	t.Helper()
	found, err := c.Match(t.Context(), "user:created", "")
	must(t, err)
	var ids []string
	for _, w := range found {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestChangesAreSeenAtOnce(t *testing.T) {
	s := open(t)
	c := catalogue.New(s)
	if got := matches(t, c); len(got) != 0 {
		t.Fatalf("got matches %v from an empty store, want none", got)
	}
	w := put(t, s, fresh())
	if got := matches(t, c); len(got) != 1 {
		t.Fatal("a webhook that was just created was not matched")
	}
	w.Disable(webhook.Manual, time.Now())
	w = put(t, s, w)
	if got := matches(t, c); len(got) != 0 {
		t.Fatal("a webhook that was just disabled was matched")
	}
	if got, err := c.Webhook(t.Context(), w.ID); err != nil || got.LockVersion != w.LockVersion {
		t.Fatalf("got webhook %+v and error %v, want version %d", got, err, w.LockVersion)
	}
	must(t, s.DeleteWebhook(t.Context(), w.ID, 0))
	if _, err := c.Webhook(t.Context(), w.ID); !fault.Is(err, fault.NotFound) {
		t.Fatalf("got error %v for a deleted webhook, want NotFound", err)
	}
	set := settings.Defaults()
	set.MaxPageSize = 7
	must(t, s.PutSettings(t.Context(), &set))
	if got, err := c.Settings(t.Context()); err != nil || got.MaxPageSize != 7 {
		t.Fatalf("got settings %+v and error %v, want a page size of 7", got, err)
	}
	if n := s.loads.Load(); n != 1 {
		t.Errorf("the catalogue was loaded %d times, want once", n)
	}
}

func TestAGapReloadsTheCatalogue(t *testing.T) {
	s := open(t)
	c := catalogue.New(s)
	matches(t, c)
	s.gap = true
	put(t, s, fresh())
	if got := matches(t, c); len(got) != 1 || s.loads.Load() != 2 {
		t.Errorf("got %d matches after %d loads, want 1 after 2", len(got), s.loads.Load())
	}
}

// After a gap in the change log, unchanged webhooks keep their memory, and changed ones are matched in their new version.
func TestAGapKeepsUnchangedWebhooks(t *testing.T) {
	s := open(t)
	c := catalogue.New(s)
	same, changed, deleted := put(t, s, fresh()), put(t, s, fresh()), put(t, s, fresh())
	matches(t, c)
	before, err := c.Webhook(t.Context(), same.ID)
	must(t, err)
	changed.Subscription.Events = []string{"time_entry:*"}
	put(t, s, changed)
	must(t, s.DeleteWebhook(t.Context(), deleted.ID, 0))
	added := put(t, s, fresh())
	s.gap = true
	if got := matches(t, c); !slices.Equal(got, []string{same.ID, added.ID}) || s.loads.Load() != 2 {
		t.Errorf("got %q after %d loads, want %q and %q after 2", got, s.loads.Load(), same.ID, added.ID)
	}
	if after, err := c.Webhook(t.Context(), same.ID); err != nil || after != before {
		t.Errorf("the unchanged webhook was replaced in memory; error %v", err)
	}
}

// A process that uses only settings does not read webhooks.
func TestTheCatalogueReadsOnlyWhatIsUsed(t *testing.T) {
	s := open(t)
	c := catalogue.New(s)
	readSettings := func() {
		t.Helper()
		if _, err := c.Settings(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w := put(t, s, fresh())
	readSettings()
	w.Description = "changed"
	w = put(t, s, w)
	readSettings()
	s.gap = true
	put(t, s, fresh())
	readSettings()
	if s.loads.Load() != 0 || s.reads.Load() != 0 {
		t.Errorf("reading settings read all webhooks %d times and one webhook %d times, want never", s.loads.Load(), s.reads.Load())
	}
	s.gap = false
	if all, err := c.All(t.Context()); err != nil || len(all) != 2 || all[0].Description != "changed" {
		t.Errorf("got %v and error %v, want two webhooks, the first one changed", all, err)
	}
	if got := matches(t, c); len(got) != 2 || s.loads.Load() != 1 {
		t.Errorf("got %d matches after %d loads, want 2 after 1", len(got), s.loads.Load())
	}
}

func TestFailuresAreReturnedButNotKept(t *testing.T) {
	s := open(t)
	c := catalogue.New(s)
	s.before = func() error { return errors.New("no") }
	if _, err := c.Settings(t.Context()); err == nil {
		t.Error("got no error, want the failure of the store")
	}
	s.before = func() error { panic("broken") }
	if _, err := c.Settings(t.Context()); err == nil {
		t.Error("got no error, want the panic of the store")
	}
	s.before = nil
	if _, err := c.Settings(t.Context()); err != nil {
		t.Errorf("got %v after the store had recovered", err)
	}
}

// Concurrent calls share a read, which begins after all of these calls.
func TestConcurrentCallsShareReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := sqlite.Open("", sqlite.Options{})
		must(t, err)
		s := &counting{DB: db, before: func() error { time.Sleep(time.Second); return nil }}
		c := catalogue.New(s)
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() { matches(t, c) })
		}
		calls.Wait()
		if n := s.versions.Load(); n > 2 {
			t.Errorf("100 calls cost %d reads, want at most 2", n)
		}
		// A call during a read waits for the next read, so that it sees every write before the call.
		matched := make(chan []string)
		go matches(t, c)
		time.Sleep(time.Second / 2)
		w := put(t, s, fresh())
		go func() { matched <- matches(t, c) }()
		if got := <-matched; len(got) != 1 || got[0] != w.ID {
			t.Errorf("got %v, want the webhook that was created before the call", got)
		}
		// A call whose context ends does not wait any longer.
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		go matches(t, c)
		synctest.Wait()
		if _, err := c.Settings(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
		}
		time.Sleep(time.Minute)
		must(t, db.Close())
	})
}

// The catalogue equals the store after any sequence of changes.
func TestTheCatalogueEqualsTheStore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db, err := sqlite.Open("", sqlite.Options{})
		must(t, err)
		defer db.Close()
		s := &counting{DB: db}
		c := catalogue.New(s)
		var present []webhook.Webhook
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			s.gap = rapid.IntRange(0, 5).Draw(rt, "gap") == 0
			switch at := rapid.IntRange(-1, len(present)-1).Draw(rt, "which"); {
			case at < 0:
				present = append(present, put(t, s, fresh()))
			case rapid.Bool().Draw(rt, "delete"):
				must(t, s.DeleteWebhook(t.Context(), present[at].ID, 0))
				present = append(present[:at], present[at+1:]...)
			default:
				w := present[at]
				w.Enabled = !w.Enabled
				w.Description = fmt.Sprint(w.LockVersion)
				present[at] = put(t, s, w)
			}
			if rapid.Bool().Draw(rt, "change again") {
				continue // so that the catalogue follows several changes at once
			}
			all, err := c.All(t.Context())
			must(t, err)
			if len(all) != len(present) {
				rt.Fatalf("got %d webhooks, want %d", len(all), len(present))
			}
			enabled := 0
			for i, w := range present {
				if all[i].ID != w.ID || all[i].LockVersion != w.LockVersion {
					rt.Fatalf("webhook %d: got %s version %d, want %s version %d", i, all[i].ID, all[i].LockVersion, w.ID, w.LockVersion)
				}
				if w.Enabled {
					enabled++
				}
			}
			if rapid.Bool().Draw(rt, "match") {
				if got := matches(t, c); len(got) != enabled {
					rt.Fatalf("got %d matches, want %d", len(got), enabled)
				}
			}
		}
	})
}

package sqlite_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	zombie "zombiezen.com/go/sqlite"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/record"
	"nepenthes/shared/settings"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/store"
	"nepenthes/shared/storetest"
)

var _ store.Store = (*sqlite.DB)(nil)

func TestStore(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		storetest.Test(t, func(t *testing.T, now func() time.Time) store.Store {
			return openStore(t, "", now)
		})
	})
	t.Run("in a file", func(t *testing.T) {
		storetest.Test(t, func(t *testing.T, now func() time.Time) store.Store {
			return openStore(t, t.TempDir(), now)
		})
	})
}

// openStore opens a database with the clock now, or time.Now if it is nil, and closes it when the test ends.
func openStore(t testing.TB, folder string, now func() time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(folder, sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// newEvent returns an event that was received just now and is kept for a day.
func newEvent(eventID string) record.Event {
	now := time.Now().Truncate(time.Millisecond)
	return record.Event{
		Event: events.Event{
			ID: eventID, Source: events.DefaultSource, Type: "user:created", OccurredAt: now.Format(time.RFC3339),
			Data: []byte(`{"id":1}`),
		},
		ReceivedAt: now, ExpiresAt: now.Add(24 * time.Hour), Trigger: delivery.TriggerSchedule,
	}
}

// putDelivery stores a delivery and returns its row.
func putDelivery(t testing.TB, db *sqlite.DB, d delivery.Delivery, ended *delivery.Attempt) delivery.Delivery {
	t.Helper()
	now, won, err := db.PutDelivery(t.Context(), d, ended)
	if err != nil || !won {
		t.Fatalf("got won %v, error %v", won, err)
	}
	return now
}

func TestChangesAreTrimmed(t *testing.T) {
	db := openStore(t, "", nil)
	const made, kept = 10_050, 10_000
	var s settings.Settings
	for range made {
		if err := db.PutSettings(t.Context(), &s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Changes(t.Context(), made-kept-1); !errors.Is(err, store.ErrGap) {
		t.Errorf("got error %v, want store.ErrGap", err)
	}
	changes, err := db.Changes(t.Context(), made-kept)
	if err != nil || len(changes) != kept {
		t.Errorf("got %d changes and error %v, want %d", len(changes), err, kept)
	}
	if version, err := db.CatalogueVersion(t.Context()); err != nil || version != made {
		t.Errorf("got version %d and error %v, want %d", version, err, made)
	}
}

func TestPagesReadALimitedNumberOfRows(t *testing.T) {
	db := openStore(t, "", nil)
	hook := id.New(id.Webhook, time.Now())
	for i := range 2500 {
		e := newEvent("evt_" + strconv.Itoa(i))
		putDelivery(t, db, e.Delivery(hook), nil)
	}
	q := store.Query{Webhook: hook, State: delivery.Skipped, Limit: 10}
	for page, more := range []bool{true, true, false} {
		got, err := db.Deliveries(t.Context(), q)
		if err != nil || len(got.Deliveries) != 0 || (got.More != nil) != more {
			t.Fatalf("page %d: got %+v and error %v, want an empty page with more %v", page, got, err, more)
		}
		if more {
			q.From = *got.More
		}
	}
}

func TestRestartEndsLeases(t *testing.T) {
	folder := t.TempDir()
	e := newEvent("evt_1")
	d := e.Delivery(id.New(id.Webhook, time.Now()))
	if err := d.Claim(id.New(id.Attempt, time.Now()), delivery.TriggerSchedule, time.Now()); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(folder, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	claimed := putDelivery(t, db, d, nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db = openStore(t, folder, nil)
	d, err = db.Delivery(t.Context(), d.Key)
	if err != nil {
		t.Fatal(err)
	}
	if verdict, trigger := d.Judge(time.Now()); verdict != delivery.Go || trigger != delivery.TriggerSchedule {
		t.Errorf("got verdict %v by %q, want Go by %q", verdict, trigger, delivery.TriggerSchedule)
	}
	if d.Lease == nil || d.Lease.Attempt != claimed.Lease.Attempt {
		t.Errorf("got lease %+v, want the ended lease of %s", d.Lease, claimed.Lease.Attempt)
	}
	if _, won, err := db.PutDelivery(t.Context(), d, nil); err != nil || !won {
		t.Errorf("a write under the version that was read: got won %v and error %v", won, err)
	}
}

// TestPurge fills every table with rows, most of which expire, and checks which rows are left on disk.
func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openStore(t, "", nil)
		hook := id.New(id.Webhook, time.Now())
		for i := range 250 {
			key := strconv.Itoa(i)
			e := newEvent(key)
			if i == 0 {
				e.ExpiresAt = e.ExpiresAt.AddDate(1, 0, 0)
			}
			if _, _, _, err := db.PutEvent(t.Context(), e, []string{hook}); err != nil {
				t.Fatal(err)
			}
			d := e.Delivery(hook)
			d = putDelivery(t, db, d, &delivery.Attempt{Number: 1})
			putDelivery(t, db, d, &delivery.Attempt{Number: 2})
			if err := db.PutState(t.Context(), key, nil, e.ExpiresAt); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Count(t.Context(), key, 1, e.ExpiresAt); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(14 * 24 * time.Hour)
		for table, want := range map[string]int{"events": 1, "deliveries": 1, "attempts": 2, "state": 1, "counters": 1} {
			if got := rows(t, db, table); got != want {
				t.Errorf("got %d rows in %s, want %d", got, table, want)
			}
		}
	})
}

func rows(t *testing.T, db *sqlite.DB, table string) (n int) {
	t.Helper()
	err := sqlite.Read(db, t.Context(), func(conn *zombie.Conn) error {
		stmt := conn.Prep("SELECT count(*) FROM " + table)
		_, err := stmt.Step()
		n = stmt.ColumnInt(0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestQueriesUseIndexes asks SQLite for the plan of each query. A query that reads a whole table, or sorts rows that an
// index has in order, would pass other tests but be too slow after a year.
func TestQueriesUseIndexes(t *testing.T) {
	db := openStore(t, "", nil)
	for i, query := range sqlite.Queries() {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			for _, step := range queryPlan(t, db, query) {
				if strings.HasPrefix(step, "SCAN") && !strings.HasPrefix(step, "SCALAR") || strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("got %q for %s", step, query)
				}
			}
		})
	}
}

func queryPlan(t *testing.T, db *sqlite.DB, query string) (steps []string) {
	t.Helper()
	err := sqlite.Read(db, t.Context(), func(conn *zombie.Conn) error {
		stmt := conn.Prep("EXPLAIN QUERY PLAN " + query)
		for {
			if more, err := stmt.Step(); err != nil || !more {
				return err
			}
			steps = append(steps, stmt.GetText("detail"))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	db, err := sqlite.Open("", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, e := settings.Defaults(), newEvent("evt_1")
	_, _, _, eventErr := db.PutEvent(t.Context(), e, nil)
	_, _, deliveryErr := db.PutDelivery(t.Context(), e.Delivery(id.New(id.Webhook, time.Now())), nil)
	_, readErr := db.Settings(t.Context())
	for name, err := range map[string]error{
		"PutSettings": db.PutSettings(t.Context(), &s), "PutEvent": eventErr, "PutDelivery": deliveryErr, "Settings": readErr,
	} {
		if !fault.Is(err, fault.Unavailable) || fault.From(err).RetryAfter == 0 {
			t.Errorf("%s: got error %v, want Unavailable with a RetryAfter", name, err)
		}
	}
	if s.LockVersion != 0 {
		t.Errorf("settings that were not stored: got version %d, want 0", s.LockVersion)
	}
}

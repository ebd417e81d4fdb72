package sqlite_test

import (
	"testing"
	"time"

	"nepenthes/shared/conformance"
	"nepenthes/shared/sqlite"
)

var _ conformance.Store = (*sqlite.DB)(nil)

func TestStore(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		conformance.TestStore(t, func(t *testing.T, now func() time.Time) conformance.Store {
			return openDB(t, "", now)
		})
	})
	t.Run("in a file", func(t *testing.T) {
		conformance.TestStore(t, func(t *testing.T, now func() time.Time) conformance.Store {
			return openDB(t, t.TempDir(), now)
		})
	})
}

// openDB opens a database that goes by now, and closes it when the test ends.
func openDB(t testing.TB, folder string, now func() time.Time) *sqlite.DB {
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

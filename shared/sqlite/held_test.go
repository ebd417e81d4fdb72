package sqlite_test

import (
	"testing"

	"nepenthes/shared/delivery"
	"nepenthes/shared/sqlite"
)

// TestMigrationToVersion2 opens a file whose schema is that of version 1, as the first release wrote it.
func TestMigrationToVersion2(t *testing.T) {
	folder := t.TempDir()
	use(t, folder)
	alter(t, folder, "DROP TABLE release_jobs", "DROP INDEX deliveries_held", "DROP INDEX deliveries_dead",
		"CREATE INDEX deliveries_dead ON deliveries (received_ms, event, webhook) WHERE state = 'dead' AND origin <> 'ping'",
		"PRAGMA user_version = 1")
	db := mustOpen(t, folder, sqlite.Options{})
	jobs, err := db.ReleaseJobs(t.Context())
	compare(t, jobs, err, nil)
	e := newEvent("evt_1")
	d := e.Delivery("wh_1")
	d.State, d.Reason = delivery.Held, delivery.Paused
	d = putDelivery(t, db, d, nil)
	held, _, err := db.Held(t.Context(), "wh_1", delivery.Key{}, 10)
	compare(t, held, err, []delivery.Delivery{d})
	if got := queryNumber(t, folder, "PRAGMA user_version"); got != 2 {
		t.Errorf("got schema version %d, want 2", got)
	}
}

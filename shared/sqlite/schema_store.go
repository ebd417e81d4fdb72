package sqlite

import (
	"time"

	"nepenthes/shared/store"

	"zombiezen.com/go/sqlite"
)

// storeSchema is version 1 of the tables of the store. Times are Unix nanoseconds, and NULL is the zero time; only
// received_ms is in milliseconds. Most writes go to events and deliveries, which are tables with a rowid: their rows
// are appended although the keys are random, which costs half as much as a table ordered by key. Rows have columns, so
// that a person can look into the file. Packing the columns into one value would save too little.
const storeSchema = `
-- Settings, webhooks, projects and clients, as JSON: few, read whole, and compared whole.
CREATE TABLE config (
	kind    TEXT NOT NULL,
	id      TEXT NOT NULL,
	version INTEGER NOT NULL,
	name    TEXT,                                -- folded; only where it must be unique
	value   TEXT NOT NULL,
	PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX config_name ON config (kind, name) WHERE name IS NOT NULL;

-- The catalogue's change log; its greatest version is the catalogue's.
CREATE TABLE changes (
	version INTEGER PRIMARY KEY,
	webhook TEXT NOT NULL                        -- empty: the settings
);

CREATE TABLE key_pairs (
	number     INTEGER PRIMARY KEY,              -- in the order in which they were added
	purpose    TEXT NOT NULL,
	id         TEXT NOT NULL UNIQUE,
	public_key BLOB NOT NULL,
	wrapped    BLOB NOT NULL,
	created_at INTEGER
);
CREATE INDEX key_pairs_purpose ON key_pairs (purpose, number);

CREATE TABLE events (
	key         BLOB NOT NULL UNIQUE,            -- events.Key
	source      TEXT NOT NULL,
	id          TEXT NOT NULL,
	type        TEXT NOT NULL,
	occurred_at TEXT NOT NULL,                   -- as the producer wrote it
	project     TEXT NOT NULL,                   -- JSON, empty: none
	actor       TEXT NOT NULL,                   -- JSON, empty: nobody
	trigger     TEXT NOT NULL,
	trace_id    TEXT NOT NULL,
	received_ms INTEGER NOT NULL,
	expires_at  INTEGER NOT NULL,
	match_count INTEGER NOT NULL,
	data        BLOB NOT NULL,
	plan        BLOB NOT NULL                    -- the ULIDs of the webhooks; the last column is read only when asked for
);
CREATE INDEX events_expire ON events (expires_at);

CREATE TABLE deliveries (
	number          INTEGER PRIMARY KEY,
	webhook         TEXT NOT NULL,
	received_ms     INTEGER NOT NULL,
	event           BLOB NOT NULL,               -- events.Key
	version         INTEGER NOT NULL,
	expires_at      INTEGER NOT NULL,
	event_id        TEXT NOT NULL,
	event_source    TEXT NOT NULL,
	event_type      TEXT NOT NULL,
	origin          TEXT NOT NULL,
	state           TEXT NOT NULL,
	reason          TEXT NOT NULL,
	attempt_count   INTEGER NOT NULL,
	scheduled       INTEGER NOT NULL,
	next_attempt_at INTEGER,
	lease_attempt   TEXT,                        -- NULL: nobody holds it
	lease_trigger   TEXT,
	lease_until     INTEGER,
	owed_trigger    TEXT,                        -- NULL: nothing is owed
	owed_at         INTEGER,
	sweep_at        INTEGER,
	rings           INTEGER NOT NULL,
	finished_at     INTEGER,
	last_number     INTEGER,                     -- NULL: no attempt yet
	last_outcome    TEXT,
	last_started_at INTEGER,
	last_total      INTEGER,                     -- nanoseconds
	last_status     INTEGER,
	last_error      TEXT,
	UNIQUE (webhook, received_ms, event)
);
CREATE INDEX deliveries_due ON deliveries (sweep_at) WHERE sweep_at IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (received_ms, event, webhook) WHERE state = 'dead' AND origin <> 'ping';
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX deliveries_expire ON deliveries (expires_at);

CREATE TABLE attempts (
	delivery      INTEGER NOT NULL,              -- deliveries.number
	number        INTEGER NOT NULL,
	id            TEXT NOT NULL,
	trigger       TEXT NOT NULL,
	outcome       TEXT NOT NULL,
	started_at    INTEGER,
	url           TEXT NOT NULL,
	format        TEXT NOT NULL,
	signed        INTEGER NOT NULL,
	legacy        INTEGER NOT NULL,
	header_names  TEXT NOT NULL,                 -- JSON
	dns           INTEGER NOT NULL,              -- nanoseconds, -1: did not happen
	connect       INTEGER NOT NULL,
	tls           INTEGER NOT NULL,
	first_byte    INTEGER NOT NULL,
	total         INTEGER NOT NULL,
	error_class   TEXT NOT NULL,
	error_message TEXT NOT NULL,
	status        INTEGER,                       -- NULL: no answer
	headers       TEXT,                          -- JSON, see latin1
	body          BLOB,
	truncated     INTEGER,
	PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

CREATE TABLE state (
	key        TEXT PRIMARY KEY,
	value      BLOB NOT NULL,
	expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX state_expire ON state (expires_at);

CREATE TABLE counters (
	key        TEXT PRIMARY KEY,
	count      INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX counters_expire ON counters (expires_at);
`

// endLeases ends every lease in the file. It runs in the transaction of Open. The holders of the leases are dead,
// because only one process uses the folder. The claims stay, so that each attempt is made again under the same trigger.
func endLeases(conn *sqlite.Conn) error {
	if err := execute(conn.Prep(endAllLeases)); err != nil {
		return err
	}
	return execute(conn.Prep(`UPDATE release_jobs SET lease_until = NULL`))
}

const endAllLeases = `UPDATE deliveries SET lease_until = NULL WHERE lease_until IS NOT NULL`

// purgePortion is the largest number of rows that one call of purge deletes from each table, so that no operation waits
// long behind it.
const purgePortion = 100

// purges delete the rows that have expired at ?1, at most ?2 rows of each table. Attempts are deleted with their
// delivery.
var purges = []string{
	`DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE expires_at <= ?1 LIMIT ?2)`,
	`DELETE FROM attempts WHERE delivery IN (SELECT number FROM deliveries WHERE expires_at <= ?1 ORDER BY expires_at, number LIMIT ?2)`,
	`DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE expires_at <= ?1 ORDER BY expires_at, number LIMIT ?2)`,
	`DELETE FROM state WHERE key IN (SELECT key FROM state WHERE expires_at <= ?1 LIMIT ?2)`,
	`DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_at <= ?1 LIMIT ?2)`,
}

// purge deletes up to purgePortion expired rows of each table. more reports whether there may be others. purge runs
// regularly, in its own transaction. Reads do not depend on it.
func purge(conn *sqlite.Conn, now time.Time) (more bool, err error) {
	for _, query := range purges {
		stmt := conn.Prep(query)
		stmt.BindInt64(1, store.UnixNano(now))
		stmt.BindInt64(2, purgePortion)
		if err := execute(stmt); err != nil {
			return false, err
		}
		more = more || conn.Changes() == purgePortion
	}
	return more, nil
}

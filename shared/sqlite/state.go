package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
)

// PutState implements store.State.
func (db *DB) PutState(ctx context.Context, key string, value []byte, expires time.Time) (err error) {
	defer fault.Wrap(&err, "store state")
	return db.write(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, `INSERT OR REPLACE INTO state (key, value, expires_at) VALUES (?, ?, ?)`)
		return execute(p.text(key).bytes(value).instant(expires).stmt)
	})
}

// AddState implements store.State.
func (db *DB) AddState(ctx context.Context, key string, value []byte, expires time.Time) (err error) {
	defer fault.Wrap(&err, "add state")
	return db.write(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, `INSERT INTO state (key, value, expires_at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
			SET value = excluded.value, expires_at = excluded.expires_at WHERE state.expires_at <= ?`)
		p.text(key).bytes(value).instant(expires).instant(db.now())
		if err := execute(p.stmt); err != nil {
			return err
		}
		if conn.Changes() == 0 {
			return fault.New(fault.UpdateConflict, "The key exists already.")
		}
		return nil
	})
}

// State implements store.State.
func (db *DB) State(ctx context.Context, key string) (value []byte, err error) {
	defer fault.Wrap(&err, "read state")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, `SELECT value FROM state WHERE key = ? AND expires_at > ?`).text(key).instant(db.now())
		found, err := first(p.stmt, func(row *columns) error {
			value = row.bytes()
			return nil
		})
		if err == nil && !found {
			err = fault.New(fault.NotFound, "The key does not exist or has expired.")
		}
		return err
	})
	return value, err
}

// DropState implements store.State.
func (db *DB) DropState(ctx context.Context, key string) (err error) {
	defer fault.Wrap(&err, "drop state")
	return db.write(ctx, func(conn *sqlite.Conn) error {
		return execute(bind(conn, `DELETE FROM state WHERE key = ?`).text(key).stmt)
	})
}

// Count implements store.State.
func (db *DB) Count(ctx context.Context, key string, by int64, expires time.Time) (count int64, err error) {
	defer fault.Wrap(&err, "count")
	// One statement creates a counter, adds to it, or restarts it if it has expired.
	run, query := db.write, `INSERT INTO counters (key, expires_at, count) VALUES (?1, ?3, ?4) ON CONFLICT (key) DO UPDATE SET
		count = iif(expires_at <= ?2, excluded.count, count + excluded.count),
		expires_at = iif(expires_at <= ?2, excluded.expires_at, expires_at) RETURNING count`
	switch {
	case by == 0:
		run, query = db.read, `SELECT count FROM counters WHERE key = ?1 AND expires_at > ?2`
	case by < 0:
		query = `UPDATE counters SET count = count + ?3 WHERE key = ?1 AND expires_at > ?2 RETURNING count`
	}
	err = run(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, query).text(key).instant(db.now())
		if by > 0 {
			p.instant(expires)
		}
		if by != 0 {
			p.number(by)
		}
		_, err := first(p.stmt, func(row *columns) error {
			count = row.number()
			return nil
		})
		return err
	})
	return count, err
}

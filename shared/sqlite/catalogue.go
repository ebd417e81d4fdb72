package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/store"
)

// changesKept is the number of entries of the change log that are kept. A thousand would do, because readers follow the
// log once per batch.
const changesKept = 10_000

// CatalogueVersion implements store.Catalogue.
func (db *DB) CatalogueVersion(ctx context.Context) (version int64, err error) {
	defer fault.Wrap(&err, "read the catalogue's version")
	return db.version.get(struct{}{}, func() (version int64, err error) {
		err = db.read(ctx, func(conn *sqlite.Conn) error {
			version, err = catalogueVersion(conn)
			return err
		})
		return version, err
	})
}

// Changes implements store.Catalogue.
func (db *DB) Changes(ctx context.Context, after int64) (changes []store.Change, err error) {
	defer fault.Wrap(&err, "read the catalogue's changes after version %d", after)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		current, err := catalogueVersion(conn)
		if err != nil {
			return err
		}
		p := bind(conn, `SELECT version, webhook FROM changes WHERE version > ? ORDER BY version`).number(after)
		err = each(p.stmt, func(row *columns) error {
			changes = append(changes, store.Change{Version: row.number(), Webhook: row.text()})
			return nil
		})
		if err == nil && int64(len(changes)) != current-after { // this also holds if after is newer than the file
			changes, err = nil, store.ErrGap
		}
		return err
	})
	return changes, err
}

// logChange raises the version of the catalogue and records what changed: a webhook, or the settings if webhookID is
// "". It must run in the transaction of the change.
func logChange(conn *sqlite.Conn, webhookID string) error {
	if err := execute(bind(conn, `INSERT INTO changes (webhook) VALUES (?)`).text(webhookID).stmt); err != nil {
		return err
	}
	p := bind(conn, `DELETE FROM changes WHERE version <= ?`).number(conn.LastInsertRowID() - changesKept)
	return execute(p.stmt)
}

// catalogueVersion returns the newest version in the change log, or 0 if the log is empty.
func catalogueVersion(conn *sqlite.Conn) (version int64, err error) {
	_, err = first(conn.Prep(`SELECT max(version) FROM changes`), func(row *columns) error {
		version = row.number()
		return nil
	})
	return version, err
}

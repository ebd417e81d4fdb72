package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/keypair"
)

// KeyPairs implements store.Store.
func (db *DB) KeyPairs(ctx context.Context, purpose string) (pairs []keypair.Pair, err error) {
	defer fault.Wrap(&err, "list key pairs for %s", purpose)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, `SELECT id, public_key, wrapped, created_at FROM key_pairs WHERE purpose = ? ORDER BY number`)
		return each(p.text(purpose).stmt, func(row *columns) error {
			pairs = append(pairs, keypair.Pair{
				ID: row.text(), Purpose: purpose, PublicKey: row.bytes(), Wrapped: row.bytes(), CreatedAt: row.time(),
			})
			return nil
		})
	})
	return pairs, err
}

// PutKeyPair implements store.Store.
func (db *DB) PutKeyPair(ctx context.Context, pair keypair.Pair, after string) (err error) {
	defer fault.Wrap(&err, "store key pair %s for %s", pair.ID, pair.Purpose)
	return db.write(ctx, func(conn *sqlite.Conn) error {
		var newest string
		p := bind(conn, `SELECT id FROM key_pairs WHERE purpose = ? ORDER BY number DESC LIMIT 1`).text(pair.Purpose)
		_, err := first(p.stmt, func(row *columns) error {
			newest = row.text()
			return nil
		})
		switch {
		case err != nil:
			return err
		case newest == pair.ID: // a repetition of a write whose response was lost
			return nil
		case newest != after:
			return fault.New(fault.UpdateConflict, "Another process has added a key pair.").
				With("Read the pairs again.")
		}
		p = bind(conn, `INSERT INTO key_pairs (purpose, id, public_key, wrapped, created_at) VALUES (?, ?, ?, ?, ?)`)
		return execute(p.text(pair.Purpose).text(pair.ID).bytes(pair.PublicKey).bytes(pair.Wrapped).time(pair.CreatedAt).stmt)
	})
}

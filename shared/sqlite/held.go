package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
)

// heldSchema adds to version 1 of the tables what pauses of webhooks need. A delivery that a person dropped needs no
// person any more, so the list of dead deliveries leaves it out.
const heldSchema = `
CREATE TABLE release_jobs (
	webhook         TEXT PRIMARY KEY,
	version         INTEGER NOT NULL,
	lease_until     INTEGER,
	receiving_since INTEGER,                     -- NULL: not seen yet
	paced_until     INTEGER
) WITHOUT ROWID;
CREATE INDEX deliveries_held ON deliveries (webhook, received_ms, event) WHERE state = 'held';
DROP INDEX deliveries_dead;
CREATE INDEX deliveries_dead ON deliveries (received_ms, event, webhook)
	WHERE state = 'dead' AND origin <> 'ping' AND reason <> 'dropped';
`

// fromHeld reads the held deliveries of a webhook from their index. SQLite would otherwise be free to read all deliveries
// of the webhook.
const fromHeld = ` FROM deliveries INDEXED BY deliveries_held WHERE webhook = ?1 AND state = 'held' AND expires_at > ?2`

const (
	listHeld = `SELECT ` + deliveryKey + `, ` + deliveryColumns + fromHeld + `
		AND (received_ms, event) > (?3, ?4) ORDER BY received_ms, event LIMIT ?5`
	findHeld = `SELECT 1` + fromHeld + ` LIMIT ?3`
)

// Held implements store.Held.
func (db *DB) Held(ctx context.Context, webhookID string, after delivery.Key, limit int) (
	held []delivery.Delivery, last delivery.Key, err error,
) {
	defer fault.Wrap(&err, "list the held deliveries of %s", webhookID)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, listHeld).text(webhookID).instant(db.now()).number(after.ReceivedMs).bytes(after.Event[:])
		// The row after the last one shows whether a place is left.
		return each(p.integer(limit+1).stmt, func(row *columns) error {
			held = append(held, scanDelivery(row))
			return nil
		})
	})
	if len(held) > limit {
		held = held[:limit]
		last = held[limit-1].Key
	}
	return held, last, err
}

// CountHeld implements store.Held.
func (db *DB) CountHeld(ctx context.Context, webhookID string, limit int) (count int, err error) {
	defer fault.Wrap(&err, "count the held deliveries of %s", webhookID)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, findHeld).text(webhookID).instant(db.now()).integer(limit)
		return each(p.stmt, func(*columns) error {
			count++
			return nil
		})
	})
	return count, err
}

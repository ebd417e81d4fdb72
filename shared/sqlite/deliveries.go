package sqlite

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
)

// deliveryColumns are the columns of a delivery, in the order of bindDelivery and scanDelivery, after those of its key.
const deliveryColumns = `version, expires_at, event_id, event_source, event_type, origin, state, reason,
	attempt_count, scheduled, next_attempt_at, lease_attempt, lease_trigger, lease_until, owed_trigger, owed_at,
	sweep_at, rings, finished_at, last_number, last_outcome, last_started_at, last_total, last_status, last_error`

const (
	deliveryKey  = `webhook, received_ms, event`
	fromDelivery = ` FROM deliveries` + thisDelivery
	thisDelivery = ` WHERE webhook = ?1 AND received_ms = ?2 AND event = ?3`
	// Queries check expires_at themselves, because expired rows stay until they are purged.
	getDelivery = `SELECT ` + deliveryKey + `, ` + deliveryColumns + fromDelivery + ` AND expires_at > ?4`
)

// A first claim inserts a row and every later write updates it, each in one statement. The columns are the parameters
// ?4 to ?28, and ?29 is the current time.
var (
	deliveryValues = numbered(4, deliveryColumns)
	addDelivery    = `INSERT INTO deliveries (` + deliveryKey + `, ` + deliveryColumns + `)
		VALUES (?1, ?2, ?3, ` + deliveryValues + `) ON CONFLICT (` + deliveryKey + `) DO NOTHING`
	changeDelivery = `UPDATE deliveries SET (` + deliveryColumns + `) = (` + deliveryValues + `)` + thisDelivery + `
		AND version = ?4 - 1 AND expires_at > ?29`
	findDelivery = `SELECT number` + fromDelivery + `
		AND (` + deliveryColumns + `) IS (` + deliveryValues + `) AND expires_at > ?29`
)

// Delivery implements store.Deliveries.
func (db *DB) Delivery(ctx context.Context, key delivery.Key) (d delivery.Delivery, err error) {
	defer fault.Wrap(&err, "read the delivery of event %x to %s", key.Event, key.Webhook)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		found := false
		if d, found, err = readDelivery(conn, key, db.now()); err == nil && !found {
			err = fault.New(fault.NotFound, "The delivery does not exist or has expired.")
		}
		return err
	})
	return d, err
}

// DeliveriesByKey implements store.Deliveries.
func (db *DB) DeliveriesByKey(ctx context.Context, keys ...delivery.Key) (
	deliveries map[delivery.Key]delivery.Delivery, err error,
) {
	defer fault.Wrap(&err, "read %d deliveries", len(keys))
	deliveries = make(map[delivery.Key]delivery.Delivery, len(keys))
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		for _, key := range keys {
			d, found, err := readDelivery(conn, key, db.now())
			if err != nil {
				return err
			}
			if found {
				deliveries[key] = d
			}
		}
		return nil
	})
	return deliveries, err
}

// PutDelivery implements store.Deliveries.
func (db *DB) PutDelivery(ctx context.Context, d delivery.Delivery, ended *delivery.Attempt) (
	now delivery.Delivery, won bool, err error,
) {
	defer fault.Wrap(&err, "store the delivery of event %x to %s", d.Event, d.Webhook)
	d.Version++
	attempt, err := encodeAttempt(ended)
	if err != nil {
		return delivery.Delivery{}, false, err
	}
	err = db.write(ctx, func(conn *sqlite.Conn) error {
		now, won, err = putDelivery(conn, &d, attempt, db.now())
		return err
	})
	if err != nil {
		return delivery.Delivery{}, false, err
	}
	return now, won, nil
}

// putDelivery is PutDelivery inside a transaction. The version of d has already been raised.
func putDelivery(conn *sqlite.Conn, d *delivery.Delivery, ended encodedAttempt, at time.Time) (
	now delivery.Delivery, won bool, err error,
) {
	written, err := writeDelivery(conn, d, at)
	if err != nil {
		return now, false, err
	}
	if written {
		return *d, true, putAttempt(conn, d.Key, ended)
	}
	p := bindDelivery(bind(conn, findDelivery), d).instant(at)
	if repeated, err := first(p.stmt, ignoreRow); repeated || err != nil { // the response to the same write was lost
		return *d, repeated, err
	}
	now, _, err = readDelivery(conn, d.Key, at)
	return now, false, err
}

// writeDelivery stores d if the stored version is the one before. written reports whether it did.
func writeDelivery(conn *sqlite.Conn, d *delivery.Delivery, at time.Time) (written bool, err error) {
	if d.Version > 1 {
		err = execute(bindDelivery(bind(conn, changeDelivery), d).instant(at).stmt)
		return conn.Changes() > 0, err
	}
	err = execute(bindDelivery(bind(conn, addDelivery), d).stmt)
	if conn.Changes() > 0 || err != nil {
		return true, err
	}
	// The row that is in the way may have expired. It then counts as absent, so its place is free.
	if gone, err := dropExpired(conn, d.Key, at); !gone || err != nil {
		return false, err
	}
	return true, execute(bindDelivery(bind(conn, addDelivery), d).stmt)
}

// dropExpired deletes a row that has expired but is still on disk. gone reports whether there was one.
func dropExpired(conn *sqlite.Conn, key delivery.Key, at time.Time) (gone bool, err error) {
	for _, query := range [...]string{
		`DELETE FROM attempts WHERE delivery = (SELECT number` + fromDelivery + ` AND expires_at <= ?4)`,
		`DELETE` + fromDelivery + ` AND expires_at <= ?4`,
	} {
		if err := execute(bindKey(bind(conn, query), key).instant(at).stmt); err != nil {
			return false, err
		}
	}
	return conn.Changes() > 0, nil
}

// readDelivery reads a row that has not expired.
func readDelivery(conn *sqlite.Conn, key delivery.Key, at time.Time) (d delivery.Delivery, found bool, err error) {
	found, err = first(bindKey(bind(conn, getDelivery), key).instant(at).stmt, func(row *columns) error {
		d = scanDelivery(row)
		return nil
	})
	return d, found, err
}

// bindKey binds the columns of a key.
func bindKey(p *parameters, key delivery.Key) *parameters {
	return p.text(key.Webhook).number(key.ReceivedMs).bytes(key.Event[:])
}

// scanKey reads the columns of a key.
func scanKey(row *columns) (key delivery.Key) {
	key.Webhook, key.ReceivedMs = row.text(), row.number()
	row.array(key.Event[:])
	return key
}

// bindDelivery binds the columns of a row, beginning with its key.
func bindDelivery(p *parameters, d *delivery.Delivery) *parameters {
	bindKey(p, d.Key).number(d.Version).instant(d.ExpiresAt)
	p.text(d.EventID).text(d.EventSource).text(d.EventType).text(string(d.Origin))
	p.text(string(d.State)).text(string(d.Reason)).integer(d.AttemptCount).integer(d.Scheduled).time(d.NextAttemptAt)
	if l := d.Lease; l != nil {
		p.text(l.Attempt).text(string(l.Trigger)).time(l.Until)
	} else {
		p.null(leaseColumns)
	}
	if o := d.Extra; o != nil {
		p.text(string(o.Trigger)).time(o.At)
	} else {
		p.null(owedColumns)
	}
	p.time(d.SweepAt).integer(d.Rings).time(d.FinishedAt)
	if s := d.Last; s != nil {
		p.integer(s.Number).text(string(s.Outcome)).time(s.StartedAt)
		p.number(int64(s.Total)).integer(s.Status).text(string(s.ErrorClass))
	} else {
		p.null(lastColumns)
	}
	return p
}

// The numbers of columns that are NULL together.
const (
	leaseColumns = 3
	owedColumns  = 2
	lastColumns  = 6
)

// scanDelivery reads the columns of a row, beginning with its key.
func scanDelivery(row *columns) delivery.Delivery {
	d := delivery.Delivery{Key: scanKey(row), Version: row.number(), ExpiresAt: row.time()}
	d.CreatedAt = time.UnixMilli(d.ReceivedMs).UTC()
	d.EventID, d.EventSource, d.EventType = row.text(), row.text(), row.text()
	d.Origin, d.State, d.Reason = delivery.Trigger(row.text()), delivery.State(row.text()), delivery.Reason(row.text())
	d.AttemptCount, d.Scheduled, d.NextAttemptAt = row.integer(), row.integer(), row.time()
	if !row.null(leaseColumns) {
		d.Lease = &delivery.Lease{Attempt: row.text(), Trigger: delivery.Trigger(row.text()), Until: row.time()}
	}
	if !row.null(owedColumns) {
		d.Extra = &delivery.Extra{Trigger: delivery.Trigger(row.text()), At: row.time()}
	}
	d.SweepAt, d.Rings, d.FinishedAt = row.time(), row.integer(), row.time()
	if !row.null(lastColumns) {
		d.Last = &delivery.Summary{
			Number: row.integer(), Outcome: delivery.Outcome(row.text()), StartedAt: row.time(),
			Total: row.duration(), Status: row.integer(), ErrorClass: delivery.ErrorClass(row.text()),
		}
	}
	return d
}

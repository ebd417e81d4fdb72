package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/oklog/ulid/v2"
	"zombiezen.com/go/sqlite"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/id"
	"nepenthes/shared/record"
)

// eventColumns are the columns of an event, in the order of bindEvent and scanEvent, before its plan. Data is not
// compressed: compressing 1 KiB takes more CPU time than storing it, and the disk of one machine has no price by the
// kilobyte.
const eventColumns = `source, id, type, occurred_at, project, actor, trigger, trace_id, received_ms, expires_at, match_count, data`

var (
	// An event that has expired but is still on disk is replaced.
	putEvent = `INSERT INTO events (key, ` + eventColumns + `, plan) VALUES (?1, ` + numbered(2, eventColumns) + `, ?14)
		ON CONFLICT (key) DO UPDATE SET (` + eventColumns + `, plan) = (` + numbered(2, eventColumns) + `, ?14)
		WHERE events.expires_at <= ?15`
	getPlan  = `SELECT substr(plan, ?3, ?4) FROM events WHERE key = ?1 AND expires_at > ?2`
	getEvent = `SELECT ` + eventColumns + ` FROM events WHERE key = ? AND expires_at > ?`
)

// PutEvent implements store.Events.
func (db *DB) PutEvent(ctx context.Context, r record.Event, plan []string) (
	stored record.Event, storedPlan []string, created bool, err error,
) {
	defer fault.Wrap(&err, "record event %s of %s", r.ID, r.Source)
	r.MatchCount = len(plan)
	encoded, err := encodeEvent(&r, plan)
	if err != nil {
		return r, nil, false, err
	}
	key := r.Key()
	err = db.write(ctx, func(conn *sqlite.Conn) error {
		now := db.now()
		if err := execute(bindEvent(bind(conn, putEvent).bytes(key[:]), encoded).instant(now).stmt); err != nil {
			return err
		}
		if created = conn.Changes() > 0; created {
			stored, storedPlan = r, plan
			return nil
		}
		stored, storedPlan, err = readPlanned(conn, &r, now)
		return err
	})
	// Only an event that is on disk is kept in memory.
	if created && err == nil {
		db.recent.Put(&stored)
	}
	return stored, storedPlan, created, err
}

// readPlanned reads the event and the plan that are stored under the key of r. It returns an error if the stored event
// is not the event r.
func readPlanned(conn *sqlite.Conn, r *record.Event, now time.Time) (record.Event, []string, error) {
	stored, err := readEvent(conn, r.Key(), now)
	if err != nil {
		return stored, nil, err
	}
	if stored.Source != r.Source || stored.ID != r.ID {
		return stored, nil, fmt.Errorf("key %x belongs to event %s of %s", r.Key(), stored.ID, stored.Source)
	}
	plan, err := readPlan(conn, r.Key(), 0, wholePlan, now)
	return stored, plan, err
}

// Event implements store.Events.
func (db *DB) Event(ctx context.Context, key events.Key) (r record.Event, err error) {
	defer fault.Wrap(&err, "read event %x", key)
	if known := db.recent.Get(key, db.now()); known != nil {
		return *known, nil
	}
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		r, err = readEvent(conn, key, db.now())
		return err
	})
	return r, err
}

// Plan implements store.Events.
func (db *DB) Plan(ctx context.Context, key events.Key, offset, limit int) (plan []string, err error) {
	defer fault.Wrap(&err, "read the plan of event %x", key)
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		plan, err = readPlan(conn, key, offset, limit, db.now())
		return err
	})
	return plan, err
}

// Planned implements store.Events.
func (db *DB) Planned(ctx context.Context, key events.Key, webhookID string) (planned bool, err error) {
	defer fault.Wrap(&err, "look for %s in the plan of event %x", webhookID, key)
	wanted, err := packPlan([]string{webhookID})
	if err != nil {
		return false, nil // a text that is not the id of a webhook is in no plan
	}
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		plan, _, err := packedPlan(conn, key, 0, wholePlan, db.now())
		for at := 0; at < len(plan) && !planned; at += planEntry {
			planned = string(plan[at:at+planEntry]) == string(wanted)
		}
		return err
	})
	return planned, err
}

// encodedEvent is an event with the JSON of its row; "" stands for nil. It is encoded before the writer runs, because
// all operations wait for the writer.
type encodedEvent struct {
	*record.Event
	project, actor string
	plan           []byte
}

// encodeEvent encodes an event and packs its plan.
func encodeEvent(r *record.Event, plan []string) (e encodedEvent, err error) {
	e.Event = r
	if e.project, err = encodePart(r.Project); err != nil {
		return e, err
	}
	if e.actor, err = encodePart(r.Actor); err != nil {
		return e, err
	}
	e.plan, err = packPlan(plan)
	return e, err
}

// encodePart returns the JSON of part, or "" if part is nil.
func encodePart[T any](part *T) (string, error) {
	if part == nil {
		return "", nil
	}
	text, err := json.Marshal(part)
	return string(text), err
}

// bindEvent binds the columns of an event and its plan, after its key.
func bindEvent(p *parameters, e encodedEvent) *parameters {
	p.text(e.Source).text(e.ID).text(e.Type).text(e.OccurredAt).text(e.project).text(e.actor)
	p.text(string(e.Trigger)).text(e.TraceID).number(e.ReceivedAt.UnixMilli()).instant(e.ExpiresAt)
	return p.integer(e.MatchCount).bytes(e.Data).bytes(e.plan)
}

// readEvent reads an event that has not expired. Otherwise it returns a fault of kind NotFound.
func readEvent(conn *sqlite.Conn, key events.Key, now time.Time) (r record.Event, err error) {
	found, err := first(bind(conn, getEvent).bytes(key[:]).instant(now).stmt, func(row *columns) error {
		r, err = scanEvent(row)
		return err
	})
	if err == nil && !found {
		err = noEvent(key)
	}
	return r, err
}

// scanEvent reads the columns of an event.
func scanEvent(row *columns) (r record.Event, err error) {
	r.Source, r.ID, r.Type, r.OccurredAt = row.text(), row.text(), row.text(), row.text()
	if r.Project, err = decodePart[events.Project](row); err != nil {
		return r, err
	}
	if r.Actor, err = decodePart[events.Actor](row); err != nil {
		return r, err
	}
	r.Trigger, r.TraceID = delivery.Trigger(row.text()), row.text()
	r.ReceivedAt, r.ExpiresAt = time.UnixMilli(row.number()).UTC(), row.time()
	r.MatchCount, r.Data = row.integer(), row.bytes()
	return r, nil
}

// decodePart reverses encodePart.
func decodePart[T any](row *columns) (part *T, err error) {
	if text := row.bytes(); len(text) > 0 {
		err = json.Unmarshal(text, &part)
	}
	return part, err
}

// noEvent returns the fault for an event that does not exist. Its message does not name the key, which clients do not
// know.
func noEvent(key events.Key) error {
	return fault.New(fault.NotFound, "The event does not exist or has expired.").Because(fmt.Errorf("no event %x", key))
}

const (
	// planEntry is the number of bytes of an entry of a packed plan, which is the ULID of a webhook.
	planEntry = 16
	// wholePlan is a number of entries that no plan exceeds.
	wholePlan = math.MaxInt32
)

// packPlan returns the ULIDs of the webhooks, one after another.
func packPlan(plan []string) ([]byte, error) {
	packed := make([]byte, 0, planEntry*len(plan))
	for _, webhookID := range plan {
		if !id.Valid(id.Webhook, webhookID) {
			return nil, fmt.Errorf("%q is not the id of a webhook", webhookID)
		}
		entry := ulid.MustParseStrict(webhookID[len(id.Webhook):])
		packed = append(packed, entry[:]...)
	}
	return packed, nil
}

// unpackPlan reverses packPlan.
func unpackPlan(packed []byte) []string {
	plan := make([]string, 0, len(packed)/planEntry)
	for at := 0; at < len(packed); at += planEntry {
		plan = append(plan, string(id.Webhook)+ulid.ULID(packed[at:at+planEntry]).String())
	}
	return plan
}

// readPlan reads up to limit entries of a plan, beginning with entry offset. If the event does not exist, it returns a
// fault of kind NotFound.
func readPlan(conn *sqlite.Conn, key events.Key, offset, limit int, now time.Time) ([]string, error) {
	packed, found, err := packedPlan(conn, key, offset, limit, now)
	if err == nil && !found {
		err = noEvent(key)
	}
	return unpackPlan(packed), err
}

// packedPlan reads up to limit entries of a plan, beginning with entry offset.
func packedPlan(conn *sqlite.Conn, key events.Key, offset, limit int, now time.Time) (packed []byte, found bool, err error) {
	p := bind(conn, getPlan).bytes(key[:]).instant(now)
	p.integer(offset*planEntry + 1).integer(min(limit, wholePlan) * planEntry) // substr counts from 1
	found, err = first(p.stmt, func(row *columns) error {
		packed = row.bytes()
		return nil
	})
	return packed, found, err
}

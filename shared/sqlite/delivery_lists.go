package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/store"
)

// rowsPerPage is the largest number of rows that one call reads. A filter that matches nothing then costs a few
// milliseconds a page, and the page says where to continue.
const rowsPerPage = 1000

const listDue = `SELECT ` + deliveryKey + ` FROM deliveries WHERE sweep_at <= ? AND expires_at > ? ORDER BY sweep_at LIMIT ?`

// Deliveries implements store.Deliveries.
func (db *DB) Deliveries(ctx context.Context, q store.Query) (page store.Page, err error) {
	defer fault.Wrap(&err, "list deliveries")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		page, err = readPage(walk(conn, q), q, db.now())
		return err
	})
	return page, err
}

// Due implements store.Deliveries.
func (db *DB) Due(ctx context.Context, until time.Time, limit int) (keys []delivery.Key, err error) {
	defer fault.Wrap(&err, "list due deliveries")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		p := bind(conn, listDue)
		return each(p.instant(until).instant(db.now()).integer(limit).stmt, func(row *columns) error {
			keys = append(keys, scanKey(row))
			return nil
		})
	})
	return keys, err
}

// walk prepares the statement that reads the rows within the bounds of the query in its direction. It follows the key
// for one webhook, and the index of dead deliveries for all webhooks.
func walk(conn *sqlite.Conn, q store.Query) *sqlite.Stmt {
	low, high := bounds(q)
	p := bind(conn, walkQuery(q)).number(low.ms).bytes(low.event).number(high.ms).bytes(high.event)
	if q.Webhook != "" {
		return p.text(q.Webhook).stmt
	}
	return p.text(low.webhook).text(high.webhook).stmt
}

// walkQuery returns the query of walk. Comparing whole keys lets SQLite start in the middle of an index, so a page deep
// in the list costs as much as the first.
func walkQuery(q store.Query) string {
	list, place, low, high := `webhook = ?5`, `received_ms, event`, `?1, ?2`, `?3, ?4`
	if q.Webhook == "" {
		// SQLite uses a partial index only if the query repeats the condition of the index, which here is
		// deliveries_dead.
		list, place, low, high = `state = 'dead' AND origin <> 'ping' AND reason <> 'dropped'`, place+`, webhook`, low+`, ?5`, high+`, ?6`
	}
	order := place
	if !q.Backward {
		order = strings.ReplaceAll(place, `,`, ` DESC,`) + ` DESC`
	}
	return `SELECT ` + deliveryKey + `, ` + deliveryColumns + ` FROM deliveries WHERE ` + list +
		` AND (` + place + `) > (` + low + `) AND (` + place + `) < (` + high + `) ORDER BY ` + order
}

// place is the position of a delivery in a list. A place without an event is before all others of its millisecond.
type place struct {
	ms      int64
	event   []byte
	webhook string
}

// compare compares places in the order of the lists, oldest first.
func (p place) compare(other place) int {
	return cmp.Or(
		cmp.Compare(p.ms, other.ms), bytes.Compare(p.event, other.event), cmp.Compare(p.webhook, other.webhook),
	)
}

// bounds returns the places between which the rows of the query are, both exclusive.
func bounds(q store.Query) (low, high place) {
	low, high = place{ms: math.MinInt64}, place{ms: math.MaxInt64}
	if !q.Since.IsZero() {
		low.ms = wholeMilli(q.Since)
	}
	if !q.Until.IsZero() {
		high.ms = wholeMilli(q.Until)
	}
	if q.From == (delivery.Key{}) {
		return low, high
	}
	from := place{q.From.ReceivedMs, q.From.Event[:], q.From.Webhook}
	if q.Backward {
		return slices.MaxFunc([]place{low, from}, place.compare), high
	}
	return low, slices.MinFunc([]place{high, from}, place.compare)
}

// wholeMilli returns the first whole millisecond that is not before t.
func wholeMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	return ms
}

// readPage reads rows, and matches those that match the query, until the page is full or it has read rowsPerPage rows.
func readPage(rows *sqlite.Stmt, q store.Query, now time.Time) (page store.Page, err error) {
	var last delivery.Key
	for read := 0; ; read++ {
		found, err := rows.Step()
		if err != nil {
			return page, err
		}
		if !found {
			break
		}
		if len(page.Deliveries) == q.Limit || read == rowsPerPage {
			page.More = &last
			break
		}
		d := scanDelivery(&columns{stmt: rows})
		if last = d.Key; matches(q, &d, now) {
			page.Deliveries = append(page.Deliveries, d)
		}
	}
	if q.Backward {
		slices.Reverse(page.Deliveries)
	}
	return page, rows.Reset()
}

// matches reports whether d has not expired and passes the filters of q.
func matches(q store.Query, d *delivery.Delivery, now time.Time) bool {
	return now.Before(d.ExpiresAt) && (q.State == "" || q.State == d.State) &&
		(q.EventType == "" || q.EventType == d.EventType)
}

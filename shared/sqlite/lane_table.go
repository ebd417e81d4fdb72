package sqlite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/lane"
)

// laneSchema is version 1 of the table with the messages of all lanes. Times are Unix nanoseconds. The body is the last
// column, so that a start, which reads the other columns, does not read the pages of large bodies. There is no index,
// because a message is written, read and deleted by its id.
const laneSchema = `
CREATE TABLE messages (
	id            INTEGER PRIMARY KEY,
	lane          TEXT    NOT NULL,
	sent_at       INTEGER NOT NULL,
	visible_at    INTEGER NOT NULL,           -- when its delay ends
	receive_count INTEGER NOT NULL DEFAULT 0, -- how often it was received before the last receive
	message_group TEXT    NOT NULL,
	attributes    TEXT,                       -- a JSON object of strings
	body          BLOB    NOT NULL
) STRICT;
`

// row is a message that is about to be written to the table.
type row struct {
	id         int64
	message    lane.Message
	attributes []byte // JSON; nil if there are none
}

// newRow returns the row of a message. It copies the message, because the sender may change it. It returns an error for
// a message that SQS would refuse.
func (db *DB) newRow(m lane.Message) (r row, err error) {
	if err := m.Check(); err != nil {
		return row{}, err
	}
	if len(m.Attributes) > 0 {
		if r.attributes, err = json.Marshal(m.Attributes); err != nil {
			return row{}, err
		}
	}
	r.id = db.lastMessage.Add(1)
	r.message = lane.Message{
		ID: strconv.FormatInt(r.id, 10), Body: slices.Clone(m.Body), Group: m.Group,
		Attributes: maps.Clone(m.Attributes), Delay: max(0, m.Delay), SentAt: db.now(),
	}
	return r, nil
}

// insert writes the rows of messages.
func insert(conn *sqlite.Conn, name lane.Name, rows []row) error {
	for _, r := range rows {
		stmt := conn.Prep(`INSERT INTO messages (id, lane, sent_at, visible_at, message_group, attributes, body)
			VALUES (?, ?, ?, ?, ?, ?, ?)`)
		stmt.BindInt64(1, r.id)
		stmt.BindText(2, string(name))
		stmt.BindInt64(3, r.message.SentAt.UnixNano())
		stmt.BindInt64(4, r.message.SentAt.Add(r.message.Delay).UnixNano())
		stmt.BindText(5, r.message.Group)
		if r.attributes == nil {
			stmt.BindNull(6)
		} else {
			stmt.BindText(6, string(r.attributes))
		}
		stmt.BindBytes(7, r.message.Body)
		if _, err := stmt.Step(); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes messages. It ignores ids that are not on the lane.
func remove(conn *sqlite.Conn, name lane.Name, ids []int64) error {
	for _, id := range ids {
		stmt := conn.Prep("DELETE FROM messages WHERE id = ? AND lane = ?")
		stmt.BindInt64(1, id)
		stmt.BindText(2, string(name))
		if _, err := stmt.Step(); err != nil {
			return err
		}
	}
	return nil
}

// count stores the receive count of a message.
func count(conn *sqlite.Conn, name lane.Name, id int64, received int) error {
	stmt := conn.Prep("UPDATE messages SET receive_count = ? WHERE id = ? AND lane = ?")
	stmt.BindInt64(1, int64(received))
	stmt.BindInt64(2, id)
	stmt.BindText(3, string(name))
	_, err := stmt.Step()
	return err
}

// move moves a message to another lane, where its receive count starts at 0. moved reports whether the message was
// still there.
func move(conn *sqlite.Conn, from, to lane.Name, id int64) (moved bool, err error) {
	stmt := conn.Prep("UPDATE messages SET lane = ?, receive_count = 0 WHERE id = ? AND lane = ?")
	stmt.BindText(1, string(to))
	stmt.BindInt64(2, id)
	stmt.BindText(3, string(from))
	_, err = stmt.Step()
	return conn.Changes() > 0, err
}

// load reads the messages of a batch that are not in memory. The message of a receipt stays nil if it is no longer on
// the lane.
func load(conn *sqlite.Conn, name lane.Name, batch []receipt) error {
	for i := range batch {
		t := &batch[i]
		if t.message != nil {
			continue
		}
		stmt := conn.Prep("SELECT sent_at, attributes, body FROM messages WHERE id = ? AND lane = ?")
		stmt.BindInt64(1, t.id)
		stmt.BindText(2, string(name))
		found, err := stmt.Step()
		if err != nil {
			return err
		}
		if found {
			if t.message, err = scan(stmt, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// scan returns the message of a row.
func scan(stmt *sqlite.Stmt, t *receipt) (*lane.Message, error) {
	m := &lane.Message{
		ID: strconv.FormatInt(t.id, 10), Group: t.group, SentAt: time.Unix(0, stmt.ColumnInt64(0)),
		Body: make([]byte, stmt.ColumnLen(2)),
	}
	stmt.ColumnBytes(2, m.Body)
	if stmt.ColumnIsNull(1) {
		return m, nil
	}
	if err := json.Unmarshal([]byte(stmt.ColumnText(1)), &m.Attributes); err != nil {
		return nil, fmt.Errorf("attributes of message %d: %w", t.id, err)
	}
	return m, nil
}

// loadLanes adds every message of the file to the queue of its lane. The receive counts stay as they are.
func (db *DB) loadLanes(conn *sqlite.Conn) error {
	// New ids must be larger than all ids of the file, even if the clock was set back.
	last := db.started.UnixMicro()
	stmt := conn.Prep("SELECT id, lane, visible_at, receive_count, message_group FROM messages")
	for {
		more, err := stmt.Step()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		id := stmt.ColumnInt64(0)
		last = max(last, id)
		if l := db.lanes[lane.Name(stmt.ColumnText(1))]; l != nil {
			due := time.Duration(stmt.ColumnInt64(2) - db.started.UnixNano())
			l.queue.add(id, &lane.Message{Group: stmt.ColumnText(4)}, stmt.ColumnInt(3), due)
		}
	}
	db.lastMessage.Store(last)
	for _, l := range db.lanes {
		l.change(func(time.Duration) {})
	}
	return nil
}

package sqlite

import (
	"encoding/json"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/store"
)

// configRow is a row of the config table. Its value is the JSON of a noun in its Go form. Its version is that of the
// noun, repeated in a column for people who look into the file.
type configRow struct {
	kind    string // as messages to clients name it, such as "webhook"
	id      string
	version int64  // the version after the write
	name    string // folded; empty if it need not be unique
	value   string
}

// newConfigRow returns the row of a noun whose version has already been raised.
func newConfigRow(kind, id string, version int64, value any) (configRow, error) {
	text, err := json.Marshal(value)
	return configRow{kind: kind, id: id, version: version, value: string(text)}, err
}

// put writes the row if the stored version is the one before. written is false if the row is already stored: the write
// is then a repetition after a lost response.
func (r configRow) put(conn *sqlite.Conn) (written bool, err error) {
	version, value, found, err := r.stored(conn)
	switch {
	case err != nil:
		return false, err
	case found && value == r.value:
		return false, nil
	case !found && r.version > 1 && r.id != "": // a row without an id has a default
		return false, store.Missing(r.kind, r.id)
	case version != r.version-1:
		return false, store.Conflict(r.kind)
	}
	// The unique index would reject the name too, but not with a fault for the client.
	if err := r.uniqueName(conn); err != nil {
		return false, err
	}
	p := bind(conn, `INSERT INTO config (kind, id, version, value, name) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, value = excluded.value, name = excluded.name`)
	p.text(r.kind).text(r.id).number(r.version).text(r.value)
	if r.name != "" {
		p.text(r.name)
	}
	return true, execute(p.stmt)
}

// stored reads the version and the value that are stored under the kind and id of r.
func (r configRow) stored(conn *sqlite.Conn) (version int64, value string, found bool, err error) {
	p := bind(conn, `SELECT version, value FROM config WHERE kind = ? AND id = ?`).text(r.kind).text(r.id)
	found, err = first(p.stmt, func(row *columns) error {
		version, value = row.number(), row.text()
		return nil
	})
	return version, value, found, err
}

// uniqueName returns a fault if another row of the kind has the name.
func (r configRow) uniqueName(conn *sqlite.Conn) error {
	if r.name == "" {
		return nil
	}
	p := bind(conn, `SELECT id FROM config WHERE kind = ? AND name = ? AND id <> ?`).text(r.kind).text(r.name).text(r.id)
	exists, err := first(p.stmt, ignoreRow)
	if err != nil || !exists {
		return err
	}
	return fault.Invalid(fault.Detail{
		Attribute: "name",
		Message:   "Another " + r.kind + " has this name.",
		Hint:      "Choose a name that differs in more than upper and lower case.",
	})
}

// drop deletes the row if the stored version is that of r. A version of 0 matches any version.
func (r configRow) drop(conn *sqlite.Conn) error {
	version, _, found, err := r.stored(conn)
	switch {
	case err != nil:
		return err
	case !found:
		return store.Missing(r.kind, r.id)
	case r.version != 0 && r.version != version:
		return store.Conflict(r.kind)
	}
	return execute(bind(conn, `DELETE FROM config WHERE kind = ? AND id = ?`).text(r.kind).text(r.id).stmt)
}

// get reads one noun.
func get[T any](conn *sqlite.Conn, kind, id string) (value T, err error) {
	r := configRow{kind: kind, id: id}
	_, text, found, err := r.stored(conn)
	if err == nil && !found {
		err = store.Missing(r.kind, r.id)
	}
	if err != nil {
		return value, err
	}
	return value, json.Unmarshal([]byte(text), &value)
}

// list reads all nouns of a kind, ordered by id.
func list[T any](conn *sqlite.Conn, kind string) (nouns []T, err error) {
	err = eachOf(conn, kind, func(noun T) { nouns = append(nouns, noun) })
	return nouns, err
}

// eachOf reads all nouns of a kind, ordered by id, and calls take for each.
func eachOf[T any](conn *sqlite.Conn, kind string, take func(T)) error {
	p := bind(conn, `SELECT value FROM config WHERE kind = ? ORDER BY id`).text(kind)
	return each(p.stmt, func(row *columns) error {
		var noun T
		if err := json.Unmarshal(row.bytes(), &noun); err != nil {
			return err
		}
		take(noun)
		return nil
	})
}

package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID marks the file as a database of this program: "Nepe" in the header of the file
// (sqlite.org/fileformat.html, "Application ID").
const applicationID = 0x4e657065

// migrations lead from an empty file to the current schema: entry n migrates version n to version n+1. A released entry
// is never changed; a change is a new entry.
var migrations = []string{
	laneSchema + storeSchema,
	heldSchema,
}

// schemaVersion returns the version of the schema of the file, which is 0 for an empty file. It returns a Refusal if
// the file belongs to another program or to a newer version of this one. Reading the schema also finds most kinds of
// damage.
func schemaVersion(conn *sqlite.Conn, path string) (version int, err error) {
	application, err := number(conn, "PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	if version, err = number(conn, "PRAGMA user_version"); err != nil {
		return 0, err
	}
	objects, err := number(conn, "SELECT count(*) FROM sqlite_schema")
	switch {
	case err != nil:
		return 0, err
	case application == 0 && version == 0 && objects == 0:
		return 0, nil
	case application != applicationID:
		return 0, refuse(nil, "The file %s is a database of another program.", path)
	case version > len(migrations):
		return 0, refuse(nil, "The database %s was written by a newer version of this program (schema %d; this version knows schemas up to %d).",
			path, version, len(migrations))
	}
	return version, nil
}

// number returns the number that query selects. Unlike Conn.Prep, it does not panic if the file is damaged.
func number(conn *sqlite.Conn, query string) (int, error) {
	stmt, _, err := conn.PrepareTransient(query)
	if err != nil {
		return 0, err
	}
	n, err := sqlitex.ResultInt(stmt)
	return n, errors.Join(err, stmt.Finalize())
}

// migrate migrates the schema from a version to the current one, in the transaction of the caller.
func migrate(conn *sqlite.Conn, from int) error {
	for version := from; version < len(migrations); version++ {
		if err := sqlitex.ExecuteScript(conn, migrations[version], nil); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	if from == len(migrations) {
		return nil
	}
	return pragma(conn, fmt.Sprintf("application_id = %d", applicationID),
		fmt.Sprintf("user_version = %d", len(migrations)))
}

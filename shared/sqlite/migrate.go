package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID says in the file's header that it is ours: "Nepe" (sqlite.org/fileformat.html, "Application ID").
const applicationID = 0x4e657065

// migrations leads from an empty file to the present schema: entry n makes version n+1 of version n. What has
// been released is never changed, only followed by another entry.
var migrations = []string{
	laneSchema + storeSchema,
}

// judge tells the version of the schema in the file, 0 when it is empty, and refuses a file that is not ours, or
// not ours yet. Reading the schema also finds most kinds of damage.
func judge(conn *sqlite.Conn, path string) (version int, err error) {
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
		return 0, refuse(nil, "The database %s was written by a newer version of this program (schema %d, known up to %d).",
			path, version, len(migrations))
	}
	return version, nil
}

// number gives the one number that query selects. It prepares with care, where Conn.Prep panics at a damaged file.
func number(conn *sqlite.Conn, query string) (int, error) {
	stmt, _, err := conn.PrepareTransient(query)
	if err != nil {
		return 0, err
	}
	n, err := sqlitex.ResultInt(stmt)
	return n, errors.Join(err, stmt.Finalize())
}

// migrate brings the schema from a version up to date, in the transaction of the caller.
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

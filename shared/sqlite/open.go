package sqlite

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	fileName = "nepenthes.db"
	memory   = ":memory:"
	// readers is the number of operations that can read a file at the same time, beside the writer.
	readers = 4
)

// Refusal is the error of Open. It says in one sentence why the database cannot be opened, for the person who starts
// the program. The program then exits with code 2.
type Refusal struct {
	sentence string
	cause    error
}

// Error returns the sentence.
func (r *Refusal) Error() string { return r.sentence }

// Unwrap returns the cause, or nil if there is none.
func (r *Refusal) Unwrap() error { return r.cause }

// refuse returns a Refusal with a formatted sentence.
func refuse(cause error, format string, args ...any) *Refusal {
	return &Refusal{sentence: fmt.Sprintf(format, args...), cause: cause}
}

// refusalOf returns the Refusal for an error of SQLite.
func refusalOf(path string, cause error) error {
	if _, ok := errors.AsType[*Refusal](cause); ok {
		return cause
	}
	switch sqlite.ErrCode(cause).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return refuse(cause, "The database %s is damaged; replace it by a copy, or move it away to start with an empty one.", path)
	}
	return refuse(cause, "The database %s cannot be opened: %v.", path, cause)
}

// Exists reports whether there is a database in folder. It does not open the database.
func Exists(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, fileName))
	return err == nil
}

// Open opens the database in folder and creates what does not exist. If folder is "", the database is new and in
// memory, and it leaves no files behind. Work that a killed process had begun continues at once: every message that it
// had received is visible again, with an unchanged receive count, and every lease has ended. An error is a *Refusal:
// another process uses the folder, the file is damaged, foreign or newer than this program, or the disk fails.
func Open(folder string, options Options) (*DB, error) {
	db := &DB{log: options.Log, now: options.Now, closed: make(chan struct{})}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.now == nil {
		db.now = time.Now
	}
	db.started = db.now()
	db.makeLanes(options.Lanes)
	path := memory
	if folder != "" {
		path = filepath.Join(folder, fileName)
		var err error
		if db.lock, err = lockFolder(folder); err != nil {
			return nil, err
		}
	}
	if err := db.start(path, options); err != nil {
		if db.lock != nil {
			_ = db.lock.Close() // if this fails, the kernel releases the lock when the process ends
		}
		return nil, refusalOf(path, err)
	}
	return db, nil
}

// start opens the connections and starts the writer.
func (db *DB) start(path string, options Options) error {
	if path != memory {
		if err := restrictMode(path); err != nil {
			return err
		}
	}
	conn, err := connect(path, options)
	if err != nil {
		return err
	}
	if err = db.load(conn, path); err == nil && path != memory {
		db.readers, err = openReaders(path)
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	db.writer = startWriter(conn, db.now)
	return nil
}

// load checks and migrates the file, ends leases and reads the lanes, in one transaction.
func (db *DB) load(conn *sqlite.Conn, path string) (err error) {
	version, err := schemaVersion(conn, path)
	if err != nil {
		return err
	}
	if path != memory {
		if err := pragma(conn, "journal_mode = WAL"); err != nil {
			return err
		}
	}
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := migrate(conn, version); err != nil {
		return err
	}
	if err := endLeases(conn); err != nil {
		return err
	}
	return db.loadLanes(conn)
}

// connect opens the writing connection. A commit waits for the disk (synchronous = FULL). With temp_store in memory, a
// rollback needs no other file. A negative cache_size is in KiB. The write-ahead log is checkpointed after 250 pages,
// which is about 1 MB.
func connect(path string, options Options) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	settings := []string{"synchronous = FULL", "temp_store = MEMORY", "cache_size = -8000", "wal_autocheckpoint = 250"}
	if options.MaxPages > 0 {
		settings = append(settings, fmt.Sprintf("max_page_count = %d", options.MaxPages))
	}
	if err := pragma(conn, settings...); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// openReaders opens the connections for reading. query_only makes SQLite reject a write through them.
func openReaders(path string) (chan *sqlite.Conn, error) {
	pool := make(chan *sqlite.Conn, readers)
	for range readers {
		conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
		if err == nil {
			pool <- conn
			err = pragma(conn, "query_only = ON", "temp_store = MEMORY")
		}
		if err != nil {
			return nil, errors.Join(err, closeAll(pool))
		}
	}
	return pool, nil
}

// closeAll closes the pool and the connections that are in it.
func closeAll(pool chan *sqlite.Conn) (err error) {
	close(pool)
	for conn := range pool {
		err = errors.Join(err, conn.Close())
	}
	return err
}

// pragma sets settings of a connection.
func pragma(conn *sqlite.Conn, settings ...string) error {
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return err
		}
	}
	return nil
}

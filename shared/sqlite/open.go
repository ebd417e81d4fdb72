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
	// readers is how many operations can read a file at once beside the writer.
	readers = 4
)

// Refusal says in one sentence why a database cannot be opened. It is meant for whoever starts the program, which
// then ends with exit code 2.
type Refusal struct {
	sentence string
	cause    error
}

// Error is the sentence.
func (r *Refusal) Error() string { return r.sentence }

// Unwrap gives the cause, nil when there is none.
func (r *Refusal) Unwrap() error { return r.cause }

func refuse(cause error, format string, args ...any) *Refusal {
	return &Refusal{sentence: fmt.Sprintf(format, args...), cause: cause}
}

// unusable is the refusal of a file by SQLite.
func unusable(path string, cause error) error {
	if _, ok := errors.AsType[*Refusal](cause); ok {
		return cause
	}
	switch sqlite.ErrCode(cause).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return refuse(cause, "The database %s is damaged: put a copy in its place, or move it away to begin anew.", path)
	}
	return refuse(cause, "The database %s cannot be opened: %v.", path, cause)
}

// Exists reports whether there is a database in folder.
func Exists(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, fileName))
	return err == nil
}

// Open opens the database in folder, which is made when it is absent; "" is a new one in memory, of which nothing
// is left behind. What a killed process had begun goes on at once: every message that somebody had received is
// visible again, its receive count not raised, and every lease has ended. An error is a *Refusal: another process
// holds the folder, the file is newer than this program, foreign or damaged, or the disk does not do its part.
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
		if db.lock, err = hold(folder); err != nil {
			return nil, err
		}
	}
	if err := db.start(path, options); err != nil {
		if db.lock != nil {
			_ = db.lock.Close() // the kernel frees it at the latest when the process ends
		}
		return nil, unusable(path, err)
	}
	return db, nil
}

// start opens the connections and the goroutines.
func (db *DB) start(path string, options Options) error {
	if path != memory {
		if err := seal(path); err != nil {
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

// load judges what is in the file, brings it up to date and learns what waits on the lanes, in one transaction.
func (db *DB) load(conn *sqlite.Conn, path string) (err error) {
	version, err := judge(conn, path)
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

// connect opens the connection that writes. temp_store keeps in memory what a rollback needs, so that no further
// file comes to be; cache_size is in KiB when negative.
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

// closeAll closes the connections of a pool that are at home, and the pool.
func closeAll(pool chan *sqlite.Conn) (err error) {
	close(pool)
	for conn := range pool {
		err = errors.Join(err, conn.Close())
	}
	return err
}

func pragma(conn *sqlite.Conn, settings ...string) error {
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return err
		}
	}
	return nil
}

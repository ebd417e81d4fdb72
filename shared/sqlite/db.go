// Package sqlite keeps the store and the lanes in one SQLite file, or in memory. It is all the storage that one machine
// needs, and unit tests run on it.
//
// One goroutine writes. It takes all operations that are waiting, runs each in its own savepoint, and commits them in
// one transaction. So the operations share the cost of the disk, and a failed condition undoes only its own operation.
// An operation returns when it is on disk. Reads use other connections. In memory there is only one connection, and
// reads wait in the queue of the writer.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"zombiezen.com/go/sqlite"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
)

// Options configures a DB. The zero value has the defaults.
type Options struct {
	// Log receives one line when the file is found to be damaged. If it is nil, nothing is logged.
	Log *slog.Logger
	// Now is the clock for expiry, delays and timeouts. If it is nil, time.Now is used.
	Now func() time.Time
	// Lanes says how the lanes are consumed. A lane that is not in the map has the defaults of LaneOptions.
	Lanes map[lane.Name]LaneOptions
	// MaxPages limits the size of the file, in pages of 4 KiB, as a full disk would. 0 means no limit.
	MaxPages int
}

// DB is an open database: the store and, by [DB.Lane], the lanes. It is safe for concurrent use.
type DB struct {
	writer  *writer
	readers chan *sqlite.Conn // the connections that read; nil in memory
	lanes   map[lane.Name]*Lane
	lock    *flock.Flock // nil in memory
	log     *slog.Logger
	now     func() time.Time
	started time.Time     // the start of elapsed
	closed  chan struct{} // closed by Close
	damaged sync.Once     // guards the one log line

	// Every request needs these values, so they are read from the file only after a change.
	version memo[struct{}, int64]
	clients memo[string, access.Client]
	// recent has the events that were recorded last, because the sender reads each within milliseconds.
	recent record.Recent
	// lastMessage is the id of the newest message. It starts at the current time in microseconds, or at the newest id
	// of the file if that is larger. So an id from before the start, which somebody may still delete, is not used
	// again.
	lastMessage atomic.Int64
}

// retryAfter is how long a client should wait if the disk fails or is full. Somebody has to act first.
const retryAfter = 5 * time.Second

// errClosed is the error of every operation after Close.
var errClosed = errors.New("the database is closed")

// write runs f in the transaction of the writer, in a savepoint, and returns when it is on disk. An error from f undoes
// only what f did. A fault from f is returned unchanged. If ctx ends before f begins, f does not run. If ctx ends
// later, that has no effect, so the result always says what happened. Only after a fault of kind Unavailable is it
// unknown whether f is on disk.
func (db *DB) write(ctx context.Context, f func(*sqlite.Conn) error) error {
	return db.explain(db.writer.do(ctx, &operation{run: f}))
}

// configure is write for values that are kept in memory: settings, webhooks and clients. It forgets them before it
// returns, even after an error, because the write may have happened nevertheless.
func (db *DB) configure(ctx context.Context, f func(*sqlite.Conn) error) error {
	err := db.write(ctx, f)
	db.version.forget()
	db.clients.forget()
	return err
}

// read runs f on a connection that sees every write that has returned. f must not write.
func (db *DB) read(ctx context.Context, f func(*sqlite.Conn) error) error {
	// A database in memory has a single connection, which belongs to the writer.
	if db.readers == nil {
		return db.explain(db.writer.do(ctx, &operation{run: f, reads: true}))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case conn := <-db.readers:
		defer func() { db.readers <- conn }()
		return db.explain(protect(conn, f))
	case <-db.closed:
		return db.explain(errClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isClosed reports whether Close was called.
func (db *DB) isClosed() bool {
	select {
	case <-db.closed:
		return true
	default:
		return false
	}
}

// elapsed returns the time since the database was opened.
func (db *DB) elapsed() time.Duration { return db.now().Sub(db.started) }

// protect runs f and returns its panic as an error, because Conn.Prep panics if the file is damaged. Statements that f
// left in the middle of their rows are reset: otherwise they would hold an old snapshot, beyond which the write-ahead
// log cannot be checkpointed.
func protect(conn *sqlite.Conn, f func(*sqlite.Conn) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if inner, ok := p.(error); ok {
				err = fmt.Errorf("panic: %w", inner)
			} else {
				err = fmt.Errorf("panic: %v", p)
			}
		}
		conn.SetInterrupt(nil) // here it only resets the statements
	}()
	return f(conn)
}

// explain converts errors of SQLite and of the disk to a fault of kind Unavailable and logs damage once. Faults and
// other errors of an operation are returned unchanged, but only to that operation. Other operations that were undone
// because of them get Unavailable.
func (db *DB) explain(err error) error {
	if err == nil {
		return nil
	}
	// An operation whose transaction was rolled back may be repeated, whatever the cause was.
	undone := errors.Is(err, errUndone) || errors.Is(err, errClosed)
	if _, own := errors.AsType[*fault.Fault](err); own && !undone {
		return err
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		db.damaged.Do(func() { db.log.Error("database.damaged", "error", err.Error()) })
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultNoMem,
		sqlite.ResultBusy, sqlite.ResultReadOnly, sqlite.ResultCantOpen:
	default:
		if !undone {
			return err
		}
	}
	return fault.New(fault.Unavailable, "The database cannot be used at the moment.").
		With("Try again later.").After(retryAfter).Because(err)
}

// Close waits for operations that are running or queued, ends every goroutine and releases the folder. Later operations
// are Unavailable. Close must be called once.
func (db *DB) Close() error {
	close(db.closed)
	for _, l := range db.lanes {
		l.close()
	}
	err := db.writer.close()
	if db.readers != nil {
		for range cap(db.readers) { // a connection in use comes back
			conn := <-db.readers
			err = errors.Join(err, conn.Close())
		}
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

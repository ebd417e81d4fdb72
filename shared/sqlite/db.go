// Package sqlite keeps the store and the lanes in one SQLite file, or in memory: all that one machine needs, and
// what every unit test runs on.
//
// One goroutine does all the writing. It takes whatever operations have gathered, runs each in a savepoint of its
// own, and commits them as one transaction, so that the price of the disk is shared and a condition that fails
// undoes nothing of its neighbours. An operation returns when it is on disk. Reads go to a few connections beside
// it; in memory there is one connection, and reads wait in the writer's queue.
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

// Options are what a database can be told; the zero value is good.
type Options struct {
	// Log takes the one line about damage; nil: nowhere.
	Log *slog.Logger
	// Now is the clock of all that expires or waits; nil: time.Now.
	Now func() time.Time
	// Lanes says how the lanes are consumed; a lane that is absent has the defaults of LaneOptions.
	Lanes map[lane.Name]LaneOptions
	// MaxPages bounds the file, in pages of 4 KiB, as a full disk would; 0: no bound.
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
	started time.Time     // where elapsed begins
	closed  chan struct{} // closed by Close
	damaged sync.Once     // guards the one log line

	// What is asked for at every request, and read from the file only when it was written.
	version memo[struct{}, int64]
	clients memo[string, access.Client]
	// recent has the events that were recorded last: the sender asks for each within milliseconds.
	recent record.Recent
	// lastMessage is the id of the newest message. Ids go on from the microsecond of the start, so that none that
	// somebody may still want to delete is given a second time.
	lastMessage atomic.Int64
}

// retryAfter is how long a client should wait when the disk refuses: somebody has to make room first.
const retryAfter = 5 * time.Second

// errClosed is what every operation gets after Close.
var errClosed = errors.New("the database is closed")

// write runs f in the writer's transaction, in a savepoint of its own, and returns when that is on disk. An error
// from f undoes what f did and nothing else, and is returned as it is when it is a fault. A context that ends
// before f has begun keeps f from running; later it changes nothing, so that the answer always tells what
// happened: only after a fault of kind Unavailable f may or may not be on disk.
func (db *DB) write(ctx context.Context, f func(*sqlite.Conn) error) error {
	return db.explain(db.writer.do(ctx, &operation{run: f}))
}

// configure is write for what is remembered: settings, webhooks and clients. It is forgotten before the answer, also
// when that is an error, after which the write may have happened.
func (db *DB) configure(ctx context.Context, f func(*sqlite.Conn) error) error {
	err := db.write(ctx, f)
	db.version.forget()
	db.clients.forget()
	return err
}

// read runs f on a connection that sees every write that has returned. f must not write.
func (db *DB) read(ctx context.Context, f func(*sqlite.Conn) error) error {
	if db.readers == nil {
		return db.explain(db.writer.do(ctx, &operation{run: f, reads: true}))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case conn := <-db.readers:
		defer func() { db.readers <- conn }()
		return db.explain(guarded(conn, f))
	case <-db.closed:
		return db.explain(errClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) isClosed() bool {
	select {
	case <-db.closed:
		return true
	default:
		return false
	}
}

// elapsed is the time since the start.
func (db *DB) elapsed() time.Duration { return db.now().Sub(db.started) }

// guarded runs f and turns its panic into an error, since Conn.Prep panics when the file is damaged. Statements
// that f left in the middle of their rows are reset: they would hold an old snapshot, and the log could not be
// checkpointed beyond it.
func guarded(conn *sqlite.Conn, f func(*sqlite.Conn) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if inner, ok := p.(error); ok {
				err = fmt.Errorf("panic: %w", inner)
			} else {
				err = fmt.Errorf("panic: %v", p)
			}
		}
		conn.SetInterrupt(nil) // its only effect here is the reset
	}()
	return f(conn)
}

// explain turns what SQLite and the disk refuse into a fault of kind Unavailable, and logs damage once. Faults and
// errors of an operation's own making pass, but not to the neighbours whose work is undone by them.
func (db *DB) explain(err error) error {
	if err == nil {
		return nil
	}
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

// Close waits for what has been begun or queued, ends every goroutine and lets go of the folder. What comes later
// is Unavailable. It must be called once.
func (db *DB) Close() error {
	close(db.closed)
	for _, l := range db.lanes {
		l.close()
	}
	err := db.writer.close()
	if db.readers != nil {
		for range cap(db.readers) { // each one that is lent comes back
			conn := <-db.readers
			err = errors.Join(err, conn.Close())
		}
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

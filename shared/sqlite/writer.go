package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
)

const (
	// purgePeriod is how often the writer looks for expired rows.
	purgePeriod = 10 * time.Minute
	// purgePause is the pause between two portions, in which waiting operations run.
	purgePause = 20 * time.Millisecond
)

// errUndone is the error of every operation whose transaction was rolled back, whichever operation was the cause.
var errUndone = errors.New("the transaction was rolled back")

// operation is a write, or in memory also a read, that the writer carries out.
type operation struct {
	run   func(*sqlite.Conn) error
	reads bool
	// claimed is set either by the writer when it begins the operation or by the caller who withdraws it, whichever is
	// first.
	claimed atomic.Bool
	err     error      // the error of run; only the writer uses it before done
	done    chan error // receives the result; buffered, so the writer never waits
}

// claim sets claimed. It reports whether this call was the first.
func (op *operation) claim() bool { return op.claimed.CompareAndSwap(false, true) }

// writer is the goroutine that owns the writing connection, with its queue.
type writer struct {
	conn     *sqlite.Conn
	now      func() time.Time
	wake     chan struct{} // holds a token if the queue is not empty, or is closed
	finished chan struct{}

	mu     sync.Mutex // protects the fields below
	queue  []*operation
	closed bool
}

// startWriter starts the goroutine of a writer that owns conn.
func startWriter(conn *sqlite.Conn, now func() time.Time) *writer {
	w := &writer{conn: conn, now: now, wake: make(chan struct{}, 1), finished: make(chan struct{})}
	go w.loop()
	return w
}

// do queues op and waits for its result. If ctx ends before op has begun, do withdraws op and returns the error of ctx.
func (w *writer) do(ctx context.Context, op *operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	op.done = make(chan error, 1)
	if !w.enqueue(op) {
		return errClosed
	}
	select {
	case err := <-op.done:
		return err
	case <-ctx.Done():
		if op.claim() {
			return ctx.Err()
		}
		return <-op.done
	}
}

// enqueue adds op to the queue. It reports false if the writer is closed.
func (w *writer) enqueue(op *operation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.queue = append(w.queue, op)
	w.signal()
	return true
}

// signal puts a token into wake unless it has one.
func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// takeQueue removes and returns all operations of the queue.
func (w *writer) takeQueue() (batch []*operation, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, w.queue = w.queue, nil
	return batch, w.closed
}

// loop serves the queue and purges expired rows until the writer is closed. While it commits a batch, the next one
// gathers.
func (w *writer) loop() {
	defer close(w.finished)
	purge := time.NewTimer(purgePause)
	defer purge.Stop()
	for {
		select {
		case <-w.wake:
			batch, closed := w.takeQueue()
			w.serve(batch)
			if closed {
				return
			}
		case <-purge.C:
			purge.Reset(w.purge())
		}
	}
}

// serve runs a batch: first the writes in one transaction, then the reads, so that these see only committed data.
func (w *writer) serve(batch []*operation) {
	var writes, reads []*operation
	for _, op := range batch {
		switch {
		case !op.claim():
		case op.reads:
			reads = append(reads, op)
		default:
			writes = append(writes, op)
		}
	}
	if len(writes) > 0 {
		w.commit(writes)
	}
	for _, op := range reads {
		op.done <- protect(w.conn, op.run)
	}
}

// commit runs the operations in one transaction and sends their results when it is on disk. If the transaction is
// rolled back, all operations fail.
func (w *writer) commit(batch []*operation) {
	err := w.transact(batch)
	for _, op := range batch {
		if err != nil {
			op.err = err
		}
		op.done <- op.err
	}
}

// transact runs the operations in one transaction. It returns an error only if the transaction was rolled back.
func (w *writer) transact(batch []*operation) error {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("%w: %w", errUndone, err)
	}
	for _, op := range batch {
		if err := w.attempt(op); err != nil {
			return w.undo(err)
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		return w.undo(err)
	}
	return nil
}

// attempt runs one operation in its savepoint. An error of the operation is kept in op.err. attempt returns an error
// only if the whole transaction has failed: a full disk, for example, may have ended it.
func (w *writer) attempt(op *operation) error {
	if err := w.exec("SAVEPOINT operation"); err != nil {
		return err
	}
	if op.err = protect(w.conn, op.run); op.err != nil {
		// Outside a transaction there is no savepoint to roll back to.
		if w.conn.AutocommitEnabled() {
			return op.err
		}
		if err := w.exec("ROLLBACK TO operation"); err != nil {
			return err
		}
	}
	return w.exec("RELEASE operation")
}

// undo rolls back the transaction if it is still open, and returns the error that says why.
func (w *writer) undo(cause error) error {
	if !w.conn.AutocommitEnabled() {
		if err := w.exec("ROLLBACK"); err != nil {
			cause = errors.Join(cause, err)
		}
	}
	return fmt.Errorf("%w: %w", errUndone, cause)
}

// exec runs a statement without parameters. Prepare keeps it for the next time.
func (w *writer) exec(statement string) error {
	stmt, err := w.conn.Prepare(statement)
	if err == nil {
		_, err = stmt.Step()
	}
	return err
}

// purge deletes one portion of the expired rows and returns how long to wait until the next one. A failure does no
// harm, because expired rows are not read.
func (w *writer) purge() time.Duration {
	var more bool
	op := &operation{done: make(chan error, 1), run: func(conn *sqlite.Conn) (err error) {
		more, err = purge(conn, w.now())
		return err
	}}
	w.commit([]*operation{op})
	if more && op.err == nil {
		return purgePause
	}
	return purgePeriod
}

// close waits until the queue is empty, ends the goroutine and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.finished
	return w.conn.Close()
}

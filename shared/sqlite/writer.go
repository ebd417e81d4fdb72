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
	// purgePeriod is how often the writer looks for what has expired.
	purgePeriod = 10 * time.Minute
	// purgeSoon is the pause between two portions, in which waiting operations have their turn.
	purgeSoon = 20 * time.Millisecond
)

// errUndone is what the operations get whose transaction came to nothing, whoever was to blame.
var errUndone = errors.New("the transaction was rolled back")

// operation is one write, or in memory one read, on its way through the writer.
type operation struct {
	run   func(*sqlite.Conn) error
	reads bool
	// claimed is taken by the first of two: the writer, who begins it, or the caller, who withdraws it.
	claimed atomic.Bool
	err     error      // what run returned; the writer's until done
	done    chan error // has room for the one answer
}

// claim reports whether the caller is the first who asks.
func (op *operation) claim() bool { return op.claimed.CompareAndSwap(false, true) }

// writer is the goroutine that owns the writing connection, and the queue before it.
type writer struct {
	conn     *sqlite.Conn
	now      func() time.Time
	wake     chan struct{} // holds a token while the queue is not empty or closed
	finished chan struct{}

	mu     sync.Mutex // protects the fields below
	queue  []*operation
	closed bool
}

func startWriter(conn *sqlite.Conn, now func() time.Time) *writer {
	w := &writer{conn: conn, now: now, wake: make(chan struct{}, 1), finished: make(chan struct{})}
	go w.loop()
	return w
}

// do queues op and waits for its answer, or until ctx ends and op has not begun.
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

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// gathered takes the whole queue.
func (w *writer) gathered() (batch []*operation, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, w.queue = w.queue, nil
	return batch, w.closed
}

func (w *writer) loop() {
	defer close(w.finished)
	sweep := time.NewTimer(purgeSoon)
	defer sweep.Stop()
	for {
		select {
		case <-w.wake:
			batch, closed := w.gathered()
			w.serve(batch)
			if closed {
				return
			}
		case <-sweep.C:
			sweep.Reset(w.purge())
		}
	}
}

// serve runs what was gathered: the writes in one transaction, then the reads, which so see nothing that is not
// committed.
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
		op.done <- guarded(w.conn, op.run)
	}
}

// commit runs the operations in one transaction and answers them when it is on disk. When the transaction is
// lost, every one of them fails, since what the others did is undone.
func (w *writer) commit(batch []*operation) {
	err := w.transact(batch)
	for _, op := range batch {
		if err != nil {
			op.err = err
		}
		op.done <- op.err
	}
}

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

// attempt runs one operation in its savepoint. The error that it returns is one that ends the transaction: after
// an error of the operation itself, which is kept in op.err, it looks whether the transaction still stands, for
// a full disk may have ended it whole.
func (w *writer) attempt(op *operation) error {
	if err := w.exec("SAVEPOINT operation"); err != nil {
		return err
	}
	if op.err = guarded(w.conn, op.run); op.err != nil {
		if w.conn.AutocommitEnabled() {
			return op.err
		}
		if err := w.exec("ROLLBACK TO operation"); err != nil {
			return err
		}
	}
	return w.exec("RELEASE operation")
}

// undo makes sure that the transaction is gone and tells why.
func (w *writer) undo(cause error) error {
	if !w.conn.AutocommitEnabled() {
		if err := w.exec("ROLLBACK"); err != nil {
			cause = errors.Join(cause, err)
		}
	}
	return fmt.Errorf("%w: %w", errUndone, cause)
}

func (w *writer) exec(statement string) error {
	stmt, err := w.conn.Prepare(statement)
	if err == nil {
		_, err = stmt.Step()
	}
	return err
}

// purge removes one portion of what has expired and tells when to look again. That it failed changes nothing: what
// has expired is not read either.
func (w *writer) purge() time.Duration {
	var more bool
	op := &operation{done: make(chan error, 1), run: func(conn *sqlite.Conn) (err error) {
		more, err = purge(conn, w.now())
		return err
	}}
	w.commit([]*operation{op})
	if more && op.err == nil {
		return purgeSoon
	}
	return purgePeriod
}

// close lets the goroutine finish what is queued, and closes the connection.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.finished
	return w.conn.Close()
}

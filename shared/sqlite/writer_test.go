package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/sqlite"
)

// put returns an operation that inserts a row into the table things.
func put(n int) func(*zombie.Conn) error {
	return func(conn *zombie.Conn) error {
		return sqlitex.Execute(conn, "INSERT INTO things (n) VALUES (?)", &sqlitex.ExecOptions{Args: []any{n}})
	}
}

// openThings opens a database and creates the table things.
func openThings(t *testing.T, folder string, options sqlite.Options) *sqlite.DB {
	t.Helper()
	db := mustOpen(t, folder, options)
	err := sqlite.Write(db, t.Context(), func(conn *zombie.Conn) error {
		return sqlitex.ExecuteTransient(conn, "CREATE TABLE things (n INTEGER PRIMARY KEY, text TEXT)", nil)
	})
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
	return db
}

func things(t *testing.T, db *sqlite.DB) (all []int) {
	t.Helper()
	err := sqlite.Read(db, t.Context(), func(conn *zombie.Conn) error {
		return sqlitex.Execute(conn, "SELECT n FROM things ORDER BY n", &sqlitex.ExecOptions{
			ResultFunc: func(stmt *zombie.Stmt) error { all = append(all, stmt.ColumnInt(0)); return nil },
		})
	})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return all
}

// together runs operations while the writer is busy, so that they share a transaction, and returns their errors in
// order.
func together(t *testing.T, db *sqlite.DB, operations ...func(*zombie.Conn) error) []error {
	t.Helper()
	calls := make([]func() error, len(operations))
	for i, operation := range operations {
		calls[i] = func() error { return sqlite.Write(db, t.Context(), operation) }
	}
	return gather(t, db, calls...)
}

// gather makes calls while the writer is busy and returns their errors in order.
func gather(t *testing.T, db *sqlite.DB, calls ...func() error) []error {
	t.Helper()
	busy, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = sqlite.Write(db, t.Context(), func(*zombie.Conn) error { close(busy); <-release; return nil })
	})
	<-busy
	results := make([]error, len(calls))
	for i, call := range calls {
		all.Go(func() { results[i] = call() })
		synctest.Wait() // until the call is queued
	}
	close(release)
	all.Wait()
	return results
}

var errOwn = errors.New("a condition failed")

func TestWriteTogether(t *testing.T) {
	failing := func(n int, err error) func(*zombie.Conn) error {
		return func(conn *zombie.Conn) error { return errors.Join(put(n)(conn), err) }
	}
	own := func(err error) bool { return errors.Is(err, errOwn) }
	unavailable := func(err error) bool { return fault.Is(err, fault.Unavailable) && fault.From(err).RetryAfter > 0 }
	fine := func(err error) bool { return err == nil }
	for _, c := range []struct {
		name       string
		operations []func(*zombie.Conn) error
		answers    []func(error) bool
		want       []int
	}{
		{
			"an error undoes only its own operation",
			[]func(*zombie.Conn) error{put(1), failing(2, errOwn), put(3)},
			[]func(error) bool{fine, own, fine},
			[]int{1, 3},
		},
		{
			"so does a statement that fails",
			[]func(*zombie.Conn) error{put(1), func(conn *zombie.Conn) error { return errors.Join(put(2)(conn), put(1)(conn)) }, put(3)},
			[]func(error) bool{fine, func(err error) bool { return zombie.ErrCode(err) == zombie.ResultConstraintPrimaryKey }, fine},
			[]int{1, 3},
		},
		{
			"so does a panic",
			[]func(*zombie.Conn) error{put(1), func(conn *zombie.Conn) error { _ = put(2)(conn); panic("oh") }, put(3)},
			[]func(error) bool{fine, func(err error) bool { return err != nil && fault.Is(err, fault.Internal) }, fine},
			[]int{1, 3},
		},
		{
			"so does a statement that cannot be prepared",
			[]func(*zombie.Conn) error{put(1), func(conn *zombie.Conn) error { conn.Prep("SELECT nothing"); return nil }, put(3)},
			[]func(error) bool{fine, func(err error) bool { return err != nil && fault.Is(err, fault.Internal) }, fine},
			[]int{1, 3},
		},
		{
			"every operation fails if the transaction is lost",
			[]func(*zombie.Conn) error{
				put(1), failing(2, errOwn),
				func(conn *zombie.Conn) error {
					return errors.Join(sqlitex.ExecuteTransient(conn, "ROLLBACK", nil), errOwn)
				},
				put(3),
			},
			[]func(error) bool{unavailable, unavailable, unavailable, unavailable},
			nil,
		},
		{
			"even if the operation that lost it returns a fault",
			[]func(*zombie.Conn) error{put(1), func(conn *zombie.Conn) error {
				return errors.Join(sqlitex.ExecuteTransient(conn, "ROLLBACK", nil), fault.New(fault.NotFound, "The thing does not exist."))
			}, put(3)},
			[]func(error) bool{unavailable, unavailable, unavailable},
			nil,
		},
		{
			"even if the operation that lost it returns no error",
			[]func(*zombie.Conn) error{put(1), func(conn *zombie.Conn) error { return sqlitex.ExecuteTransient(conn, "ROLLBACK", nil) }, put(3)},
			[]func(error) bool{unavailable, unavailable, unavailable},
			nil,
		},
		{
			"a statement left in the middle of its rows does no harm",
			[]func(*zombie.Conn) error{put(1), put(2), func(conn *zombie.Conn) error {
				_, err := conn.Prep("SELECT n FROM things").Step()
				return err
			}, failing(3, errOwn), put(4)},
			[]func(error) bool{fine, fine, fine, own, fine},
			[]int{1, 2, 4},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, place := range places {
				t.Run(place.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						db := openThings(t, place.folder(t), sqlite.Options{})
						for i, err := range together(t, db, c.operations...) {
							if !c.answers[i](err) {
								t.Errorf("operation %d: got error %v", i, err)
							}
						}
						if got := things(t, db); fmt.Sprint(got) != fmt.Sprint(c.want) {
							t.Errorf("got rows %v, want %v", got, c.want)
						}
						if err := sqlite.Write(db, t.Context(), put(100)); err != nil {
							t.Errorf("the next write: %v", err)
						}
					})
				})
			}
		})
	}
}

// TestWriteContext checks that the result says whether the operation was carried out.
func TestWriteContext(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := openThings(t, place.folder(t), sqlite.Options{})
				ctx, cancel := context.WithCancel(t.Context())
				busy, answers := make(chan struct{}), make(chan error)
				go func() {
					answers <- sqlite.Write(db, ctx, func(conn *zombie.Conn) error {
						close(busy)
						time.Sleep(time.Second)
						return put(1)(conn)
					})
				}()
				<-busy
				waiting := make(chan error)
				go func() { waiting <- sqlite.Write(db, ctx, put(2)) }()
				go func() {
					waiting <- sqlite.Read(db, ctx, func(*zombie.Conn) error { time.Sleep(2 * time.Second); return nil })
				}()
				synctest.Wait()
				cancel()
				if err := <-waiting; !errors.Is(err, context.Canceled) {
					t.Errorf("a waiting operation: got error %v, want %v", err, context.Canceled)
				}
				if err := <-answers; err != nil {
					t.Errorf("a running operation: %v", err)
				}
				if err := sqlite.Write(db, ctx, put(3)); !errors.Is(err, context.Canceled) {
					t.Errorf("an operation after the end of its context: got error %v, want %v", err, context.Canceled)
				}
				<-waiting
				if got := things(t, db); fmt.Sprint(got) != "[1]" {
					t.Errorf("got rows %v, want [1]", got)
				}
			})
		})
	}
}

func TestReadsSeeCommittedData(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := openThings(t, place.folder(t), sqlite.Options{})
				half := make(chan struct{})
				go func() {
					_ = sqlite.Write(db, t.Context(), func(conn *zombie.Conn) error {
						err := put(1)(conn)
						close(half)
						time.Sleep(time.Second)
						return errors.Join(err, errOwn)
					})
				}()
				<-half
				if got := things(t, db); len(got) != 0 {
					t.Errorf("got rows %v, want none", got)
				}
				for n := range 50 {
					if err := sqlite.Write(db, t.Context(), put(n)); err != nil {
						t.Fatalf("Write: %v", err)
					}
					if got := things(t, db); len(got) != n+1 {
						t.Fatalf("got %d rows after %d writes", len(got), n+1)
					}
				}
			})
		})
	}
	t.Run("even if they gather with a transaction that is lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			db := openThings(t, "", sqlite.Options{})
			var seen []int
			write := func(f func(*zombie.Conn) error) func() error {
				return func() error { return sqlite.Write(db, t.Context(), f) }
			}
			answers := gather(t, db, write(put(1)), func() error { seen = things(t, db); return nil },
				write(func(conn *zombie.Conn) error { return sqlitex.ExecuteTransient(conn, "ROLLBACK", nil) }))
			if len(seen) != 0 || !fault.Is(answers[0], fault.Unavailable) {
				t.Errorf("got rows %v and error %v, want none and %v", seen, answers[0], fault.Unavailable)
			}
		})
	})
	t.Run("even on a connection that was left in the middle of its rows", func(t *testing.T) {
		db := openThings(t, t.TempDir(), sqlite.Options{})
		for n := range 40 {
			if err := sqlite.Write(db, t.Context(), put(n)); err != nil {
				t.Fatalf("Write: %v", err)
			}
			for range 2 { // so that each connection runs both statements
				if got := things(t, db); len(got) != n+1 {
					t.Fatalf("got %d rows after %d writes", len(got), n+1)
				}
			}
			err := sqlite.Read(db, t.Context(), func(conn *zombie.Conn) error {
				_, err := conn.Prep("SELECT n FROM things ORDER BY n DESC").Step()
				return err
			})
			if err != nil {
				t.Fatalf("Read: %v", err)
			}
		}
	})
	t.Run("and cannot write", func(t *testing.T) {
		db := openThings(t, t.TempDir(), sqlite.Options{})
		if err := sqlite.Read(db, t.Context(), put(1)); err == nil {
			t.Error("got no error")
		}
	})
}

func TestWriteConcurrently(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			db := openThings(t, place.folder(t), sqlite.Options{})
			var all sync.WaitGroup
			for worker := range 16 {
				all.Go(func() {
					for i := range 25 {
						n := worker*25 + i
						err := sqlite.Write(db, t.Context(), func(conn *zombie.Conn) error {
							if err := put(n)(conn); err != nil || n%5 != 0 {
								return err
							}
							return errOwn
						})
						if (n%5 == 0) != errors.Is(err, errOwn) {
							t.Errorf("write %d: got error %v", n, err)
						}
						if err := sqlite.Read(db, t.Context(), func(*zombie.Conn) error { return errOwn }); !errors.Is(err, errOwn) {
							t.Errorf("read: got error %v, want %v", err, errOwn)
						}
					}
				})
			}
			all.Wait()
			if got := things(t, db); len(got) != 16*25*4/5 {
				t.Errorf("got %d rows, want %d", len(got), 16*25*4/5)
			}
		})
	}
}

// TestFullDisk fills the file up to its limit, as a full disk would.
func TestFullDisk(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testFullDisk(t, place.folder(t)) })
		})
	}
}

func testFullDisk(t *testing.T, folder string) {
	db := openThings(t, folder, sqlite.Options{MaxPages: 100})
	l := db.Lane(lane.Events)
	message := lane.Message{Body: make([]byte, 5000)}
	sent := 0
	for ; sent < 200; sent++ {
		if err := l.Send(t.Context(), message); err != nil {
			if got := fault.From(err); got.Kind != fault.Unavailable || got.RetryAfter <= 0 {
				t.Fatalf("got error %v, want %v with a RetryAfter", err, fault.Unavailable)
			}
			break
		}
	}
	if sent == 0 || sent == 200 {
		t.Fatalf("sent %d messages before the disk was full, want 1 to 199", sent)
	}
	answers := together(t, db, put(1), func(conn *zombie.Conn) error {
		return sqlitex.ExecuteTransient(conn, "INSERT INTO things (text) VALUES (zeroblob(500000))", nil)
	}, put(3))
	if !fault.Is(answers[1], fault.Unavailable) {
		t.Errorf("a write to a full disk: got error %v, want %v", answers[1], fault.Unavailable)
	}
	var want []int // the rows of the neighbours that succeeded
	if answers[0] == nil {
		want = append(want, 1)
	}
	if answers[2] == nil {
		want = append(want, 3)
	}
	if got := things(t, db); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got rows %v, want %v after the errors %v", got, want, answers)
	}
	if err := l.Send(t.Context(), message, message, message); !fault.Is(err, fault.Unavailable) {
		t.Errorf("three messages at once: got error %v, want %v", err, fault.Unavailable)
	}
	received := visible(t, l, 1000)
	if len(received) != sent {
		t.Fatalf("received %d messages, want all %d", len(received), sent)
	}
	remove(t, l, received[:sent/2]...)
	send(t, l, message)
	if got := visible(t, l, 10); len(got) != 1 {
		t.Errorf("received %d messages when there was room again, want 1", len(got))
	}
}

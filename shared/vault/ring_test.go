package vault_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFirstUseByManyProcessesMakesOnePair(t *testing.T) {
	const processes = 8
	r := newRoom(t)
	var all sync.WaitGroup // each finds the store empty before any of them writes
	all.Add(processes)
	r.keys.before = func() error { all.Done(); all.Wait(); return nil }
	sealed := make([][]byte, processes)
	var wg sync.WaitGroup
	for i := range processes {
		sealer := r.newSealer(t)
		wg.Go(func() {
			var err error
			if sealed[i], err = sealer.Seal(t.Context(), []byte(secret), place); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.keys.before = nil
	if len(r.store.pairs) != 1 {
		t.Errorf("got %d pairs, want 1", len(r.store.pairs))
	}
	for _, one := range sealed {
		checkOpens(t, r.opener, one)
	}
}

// sealAtOnce seals from many goroutines of one process. All wait until release is called.
func (r *room) sealAtOnce(t *testing.T, release func()) {
	t.Helper()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() { checkOpens(t, r.opener, r.seal(t)) })
	}
	synctest.Wait()
	release()
	wg.Wait()
}

func TestFirstUseInOneProcessMakesOnePair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		begin := make(chan struct{})
		r.store.before = func() { <-begin } // so that all of them find no pair
		r.sealAtOnce(t, func() { close(begin) })
		if got := r.keys.made.Load(); got != 1 {
			t.Errorf("got %d pairs made, want 1", got)
		}
	})
}

func TestWaitingCallersShareARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		checkOpens(t, r.opener, r.seal(t))
		r.clock.pass(time.Minute)
		reads := r.store.reads.Load()
		begin := make(chan struct{})
		r.store.before = func() { <-begin }
		r.sealAtOnce(t, func() { close(begin) })
		if got := r.store.reads.Load() - reads; got != 1 {
			t.Errorf("got %d reads of the store, want 1", got)
		}
	})
}

func TestASealerNoticesARotationWithinAMinute(t *testing.T) {
	r := newRoom(t)
	old := r.seal(t)
	reads := r.store.reads.Load()
	for range 100 {
		r.seal(t)
	}
	if got := r.store.reads.Load() - reads; got != 0 {
		t.Errorf("got %d reads of the store within the minute, want none", got)
	}

	pair := r.rotate(t)
	r.clock.pass(time.Minute)
	reads = r.store.reads.Load()
	var new []byte
	for range 100 {
		new = r.seal(t)
	}
	if !bytes.Contains(new, []byte(pair.ID)) {
		t.Error("got a secret sealed with the old pair a minute after the rotation")
	}
	if got := r.store.reads.Load() - reads; got != 1 {
		t.Errorf("got %d reads of the store in the next minute, want 1", got)
	}
	if got := r.keys.made.Load(); got != 2 {
		t.Errorf("got %d pairs made, want 2: the first pair and that of the rotation", got)
	}
	// One opener has read the pairs before the rotation, the other one after it.
	checkOpens(t, r.opener, old)
	checkOpens(t, r.opener, new)
	late := r.newOpener(t)
	checkOpens(t, late, new)
	checkOpens(t, late, old)
}

func TestRotationWhileSealing(t *testing.T) {
	r := newRoom(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				r.clock.pass(10 * time.Second)
				sealed, err := r.sealer.Seal(t.Context(), []byte(secret), place)
				if err != nil {
					t.Error(err)
					return
				}
				checkOpens(t, r.opener, sealed)
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			r.rotate(t)
		}
	})
	wg.Wait()
	if got, pairs := r.keys.unwrapped.Load(), int64(len(r.store.pairs)); got > pairs {
		t.Errorf("got %d calls of Unwrap for %d pairs", got, pairs)
	}
}

func TestEachPrivateKeyIsUnwrappedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		sealed := r.seal(t)
		begin := make(chan struct{})
		r.keys.before = func() error { <-begin; return nil }
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { checkOpens(t, r.opener, sealed) })
		}
		synctest.Wait() // until all of them wait for one call
		close(begin)
		wg.Wait()
		checkOpens(t, r.opener, sealed)
		if got := r.keys.unwrapped.Load(); got != 1 {
			t.Errorf("got %d calls of Unwrap, want 1", got)
		}
	})
}

func TestAFailureIsNotKept(t *testing.T) {
	broken := errors.New("broken")
	t.Run("of the unwrapper", func(t *testing.T) {
		r := newRoom(t)
		sealed := r.seal(t)
		r.keys.before = func() error { return broken }
		if _, err := r.opener.Open(t.Context(), sealed, place); !errors.Is(err, broken) {
			t.Errorf("got %v, want the unwrapper's error", err)
		}
		r.keys.before = nil
		checkOpens(t, r.opener, sealed)
	})
	t.Run("of the maker", func(t *testing.T) {
		r := newRoom(t)
		r.keys.before = func() error { return broken }
		if _, err := r.sealer.Seal(t.Context(), []byte(secret), place); !errors.Is(err, broken) {
			t.Errorf("got %v, want the maker's error", err)
		}
		r.keys.before = nil
		checkOpens(t, r.opener, r.seal(t))
	})
	t.Run("of the store", func(t *testing.T) {
		r := newRoom(t)
		r.store.failWith(broken)
		if _, err := r.sealer.Seal(t.Context(), []byte(secret), place); !errors.Is(err, broken) {
			t.Errorf("got %v, want the store's error", err)
		}
		r.store.failWith(nil)
		sealed := r.seal(t)
		r.store.failWith(broken)
		if _, err := r.opener.Open(t.Context(), sealed, place); !errors.Is(err, broken) {
			t.Errorf("got %v, want the store's error", err)
		}
		r.store.failWith(nil)
		checkOpens(t, r.opener, sealed)
	})
}

func TestAWaitingCallerCanGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t)
		sealed := r.seal(t)
		begin := make(chan struct{})
		r.keys.before = func() error { <-begin; return nil }
		var wg sync.WaitGroup
		wg.Go(func() { checkOpens(t, r.opener, sealed) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.opener.Open(ctx, sealed, place); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the caller's deadline", err)
		}
		close(begin)
		wg.Wait()
	})
}

func TestAPanicBlocksNoOtherCaller(t *testing.T) {
	r := newRoom(t)
	sealed := r.seal(t)
	r.keys.before = func() error { panic("half-way") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("got no panic")
			}
		}()
		r.opener.Open(t.Context(), sealed, place)
	}()
	r.keys.before = nil
	checkOpens(t, r.opener, sealed)
}

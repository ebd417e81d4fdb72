package catalogue

import (
	"context"
	"fmt"
	"sync"
)

// refresher shares refreshes among those who ask at the same time, with this promise: wait returns after a
// refresh that began after the call of wait. Whoever asks while one is running waits for the next, and all of
// those share it.
type refresher struct {
	refresh func(context.Context) error

	mu      sync.Mutex
	running bool
	next    *round // those who wait for the refresh that has not begun
}

// round is one refresh and its answer.
type round struct {
	done chan struct{}
	err  error
}

// wait returns the error of a refresh that began after it was called, or ctx's when that ends first.
func (f *refresher) wait(ctx context.Context) error {
	f.mu.Lock()
	if f.running {
		if f.next == nil {
			f.next = &round{done: make(chan struct{})}
		}
		theirs := f.next
		f.mu.Unlock()
		return theirs.join(ctx)
	}
	f.running = true
	f.mu.Unlock()
	mine := &round{done: make(chan struct{})}
	f.do(ctx, mine)
	if others := f.take(); others != nil {
		// They have contexts of their own: the next refresh does not end with ours.
		go f.serve(context.WithoutCancel(ctx), others)
	}
	return mine.err
}

// join waits for somebody else's refresh.
func (r *round) join(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve makes refreshes until nobody waits for one.
func (f *refresher) serve(ctx context.Context, r *round) {
	for ; r != nil; r = f.take() {
		f.do(ctx, r)
	}
}

// take gives the round that waits to begin; nil, and no longer running, when there is none.
func (f *refresher) take() *round {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.next
	f.next = nil
	f.running = r != nil
	return r
}

// do makes one refresh. A panic in it becomes the round's error: it must not leave the others waiting for ever.
func (f *refresher) do(ctx context.Context, r *round) {
	defer close(r.done)
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("refresh panicked: %v", p)
		}
	}()
	r.err = f.refresh(ctx)
}

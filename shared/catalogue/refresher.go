package catalogue

import (
	"context"
	"fmt"
	"sync"
)

// refresher lets concurrent callers share refreshes. It promises that wait returns after a refresh that began after the
// call of wait. So a caller that arrives during a refresh waits for the next one, which it shares with all other callers
// that arrived during the same refresh.
type refresher struct {
	refresh func(context.Context) error

	mu      sync.Mutex
	running bool
	next    *round // the refresh that has not begun, nil if no caller waits for it
}

// round is one refresh and its result.
type round struct {
	done chan struct{}
	err  error
}

// wait waits for a refresh that began after the call and returns its error. It returns the error of ctx if ctx ends
// first.
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
		// The other callers have contexts of their own, so the next refresh does not end with ours.
		go f.serve(context.WithoutCancel(ctx), others)
	}
	return mine.err
}

// join waits for a refresh that another caller makes.
func (r *round) join(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve makes refreshes until no caller waits for one.
func (f *refresher) serve(ctx context.Context, r *round) {
	for ; r != nil; r = f.take() {
		f.do(ctx, r)
	}
}

// take returns the next round. If there is none, it returns nil and the refresher is no longer running.
func (f *refresher) take() *round {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.next
	f.next = nil
	f.running = r != nil
	return r
}

// do makes one refresh. A panic becomes the error of the round, because the other callers must not wait for ever.
func (f *refresher) do(ctx context.Context, r *round) {
	defer close(r.done)
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("refresh panicked: %v", p)
		}
	}()
	r.err = f.refresh(ctx)
}

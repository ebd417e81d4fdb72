package catalogue

import (
	"context"
	"fmt"
	"sync"
)

// refresher lets concurrent callers share refreshes. A call of wait returns only after a refresh that began after that
// call. A caller that arrives during a refresh therefore waits for the next refresh, together with all other callers that
// arrived during the same refresh.
type refresher struct {
	refresh func(context.Context) error

	mu      sync.Mutex
	running bool
	next    *round // the refresh after the running one; nil if no caller waits for it
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
		next := f.next
		f.mu.Unlock()
		return next.join(ctx)
	}
	f.running = true
	f.mu.Unlock()
	// No other caller waits for this round, so it may end with the context of its caller.
	own := &round{done: make(chan struct{})}
	f.do(ctx, own)
	if next := f.take(); next != nil {
		// The next refresh is for other callers, so it must not end with the context of this caller.
		go f.serve(context.WithoutCancel(ctx), next)
	}
	return own.err
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

// serve makes the refresh r, and then further refreshes until no caller waits.
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

// do makes one refresh. It turns a panic into the error of the round, so that no caller waits for ever.
func (f *refresher) do(ctx context.Context, r *round) {
	defer close(r.done)
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("refresh panicked: %v", p)
		}
	}()
	r.err = f.refresh(ctx)
}

package sender

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"

	"nepenthes/events"
	"nepenthes/shared/record"
)

// reader reads events. If a batch has the doorbells of ten deliveries of one event, reader reads the event once.
type reader struct {
	store  Events
	reads  singleflight.Group
	recent record.Recent
}

// event returns the event with the given key. Callers that ask for the same event at the same time share one read. A
// failed read is not cached. An expired event is not taken from the cache, so the store reports that it is not found.
func (r *reader) event(ctx context.Context, key events.Key, now time.Time) (*record.Event, error) {
	if known := r.recent.Get(key, now); known != nil {
		return known, nil
	}
	// The caller that arrives first reads with its own context. If that ends, the others fail too and their messages come
	// again.
	read, err, _ := r.reads.Do(string(key[:]), func() (any, error) {
		e, err := r.store.Event(ctx, key)
		if err == nil {
			r.recent.Put(&e)
		}
		return &e, err
	})
	if err != nil {
		return nil, err
	}
	return read.(*record.Event), nil
}

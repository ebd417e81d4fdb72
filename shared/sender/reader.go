package sender

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"

	"nepenthes/events"
	"nepenthes/shared/record"
)

// reader reads events: one with ten webhooks is read once for the batch that carries its doorbells, not ten times.
type reader struct {
	store  Events
	reads  singleflight.Group
	recent record.Recent
}

// event gives the event with that key; those who ask while it is being read share the reading. A failure is not
// remembered, and one that has expired since is not found.
func (r *reader) event(ctx context.Context, key events.Key, now time.Time) (*record.Event, error) {
	if known := r.recent.Get(key, now); known != nil {
		return known, nil
	}
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

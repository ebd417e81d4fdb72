package sender

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// recent remembers the events that were read last: an event with ten webhooks is read once for the batch that
// carries its doorbells, not ten times. What is recorded about an event never changes.
type recent struct {
	store Events
	reads singleflight.Group

	mu    sync.Mutex // protects what follows
	known map[events.Key]*webhook.Recorded
	order []events.Key // oldest first
	bytes int
}

// recentBytes bounds the data kept: enough for a few batches of the largest events.
const recentBytes = 4 << 20

// eventOverhead is what an event costs besides its data, roughly.
const eventOverhead = 1 << 10

// event gives the event with that key; those who ask while it is being read share the reading. A failure is not
// remembered, and one that has expired since is not found.
func (r *recent) event(ctx context.Context, key events.Key, now time.Time) (*webhook.Recorded, error) {
	found := r.get(key)
	if found == nil {
		read, err, _ := r.reads.Do(string(key[:]), func() (any, error) {
			e, err := r.store.Event(ctx, key)
			if err == nil {
				r.put(key, &e)
			}
			return &e, err
		})
		if err != nil {
			return nil, err
		}
		found = read.(*webhook.Recorded)
	}
	if !now.Before(found.ExpiresAt) {
		return nil, fault.New(fault.NotFound, "The event has expired.")
	}
	return found, nil
}

func (r *recent) get(key events.Key) *webhook.Recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[key]
}

// put remembers an event, and forgets the oldest ones beyond the bound.
func (r *recent) put(key events.Key, e *webhook.Recorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[events.Key]*webhook.Recorded{}
	}
	if r.known[key] != nil {
		return
	}
	r.known[key] = e
	r.order = append(r.order, key)
	r.bytes += len(e.Data) + eventOverhead
	for r.bytes > recentBytes {
		oldest := r.order[0]
		r.order = r.order[1:]
		r.bytes -= len(r.known[oldest].Data) + eventOverhead
		delete(r.known, oldest)
	}
}

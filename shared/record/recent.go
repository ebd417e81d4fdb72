package record

import (
	"sync"
	"time"

	"nepenthes/events"
)

// Recent remembers the recorded events that were put in last, up to 4 MiB of them. What is recorded about an event
// never changes, so that nothing is ever out of date. The zero value is ready, and safe for concurrent use.
type Recent struct {
	mu    sync.Mutex // protects what follows
	known map[events.Key]*Event
	order []events.Key // oldest first
	bytes int
}

const (
	// recentBytes bounds what is remembered: enough for a few batches of the largest events.
	recentBytes = 4 << 20
	// recordedBytes is what an event costs besides its data, roughly.
	recordedBytes = 1 << 10
)

// Put remembers an event, in place of an expired one with the same key, and forgets the oldest beyond the bound. The
// event must not be changed from then on.
func (m *Recent) Put(r *Event) {
	key := r.Key()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[events.Key]*Event{}
	}
	if old := m.known[key]; old != nil {
		m.bytes -= len(old.Data)
	} else {
		m.order = append(m.order, key)
		m.bytes += recordedBytes
	}
	m.known[key] = r
	m.bytes += len(r.Data)
	for m.bytes > recentBytes {
		oldest := m.order[0]
		m.order = m.order[1:]
		m.bytes -= len(m.known[oldest].Data) + recordedBytes
		delete(m.known, oldest)
	}
}

// Get gives the event with that key, and nil when it is not remembered or has expired at now.
func (m *Recent) Get(key events.Key, now time.Time) *Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.known[key]; r != nil && now.Before(r.ExpiresAt) {
		return r
	}
	return nil
}

package record

import (
	"sync"
	"time"

	"nepenthes/events"
)

// Recent is a cache of the newest recorded events, up to 4 MiB. A recorded event never changes, so the cache is never
// out of date. The zero value is ready to use. A Recent is safe for concurrent use.
type Recent struct {
	mu    sync.Mutex // protects the following fields
	known map[events.Key]*Event
	order []events.Key // oldest first
	bytes int
}

const (
	// recentBytes is the capacity: enough for a few batches of the largest events.
	recentBytes = 4 << 20
	// recordedBytes is roughly the size of an event without its data.
	recordedBytes = 1 << 10
)

// Put adds an event and removes the oldest events beyond the capacity. It replaces an event with the same key. The
// caller must not change the event afterwards.
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

// Get returns the event with the given key. It returns nil if the cache does not have the event or if the event has
// expired at now.
func (m *Recent) Get(key events.Key, now time.Time) *Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.known[key]; r != nil && now.Before(r.ExpiresAt) {
		return r
	}
	return nil
}

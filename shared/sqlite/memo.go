package sqlite

import (
	"sync"
	"time"

	"nepenthes/events"
	"nepenthes/shared/webhook"
)

// memo remembers what was read of things that seldom change, until one of them is written. That is the whole truth
// since only this process holds the database. The zero value is ready.
type memo[K comparable, V any] struct {
	mu      sync.RWMutex // protects what follows
	writes  int          // how often values was forgotten: what was read before counts for nothing after
	entries map[K]V
}

// get gives the entry of key, which read reads when it is not known.
func (m *memo[K, V]) get(key K, read func() (V, error)) (V, error) {
	m.mu.RLock()
	known, ok := m.entries[key]
	writes := m.writes
	m.mu.RUnlock()
	if ok {
		return known, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes == writes {
		if m.entries == nil {
			m.entries = map[K]V{}
		}
		m.entries[key] = value
	}
	return value, nil
}

// forget is called when something was written, or may have been, before the writer's caller learns of it.
func (m *memo[K, V]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	m.entries = nil
}

// lately remembers the events that were recorded last: the sender asks for each within milliseconds. What is
// recorded about an event never changes. The zero value is ready.
type lately struct {
	mu     sync.Mutex // protects what follows
	events map[events.Key]webhook.Recorded
	order  []events.Key // oldest first
	bytes  int
}

const (
	// latelyBytes bounds the data that is remembered.
	latelyBytes = 4 << 20
	// eventOverhead is what an event costs besides its data, roughly.
	eventOverhead = 1 << 10
)

// put remembers an event that was recorded, and forgets the oldest beyond the bound.
func (l *lately) put(r webhook.Recorded) {
	key := r.Key()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == nil {
		l.events = map[events.Key]webhook.Recorded{}
	}
	if old, known := l.events[key]; known { // an expired one that was replaced
		l.bytes += len(r.Data) - len(old.Data)
		l.events[key] = r
		return
	}
	l.events[key] = r
	l.order = append(l.order, key)
	l.bytes += len(r.Data) + eventOverhead
	for l.bytes > latelyBytes {
		oldest := l.order[0]
		l.order = l.order[1:]
		l.bytes -= len(l.events[oldest].Data) + eventOverhead
		delete(l.events, oldest)
	}
}

// get finds an event that has not expired.
func (l *lately) get(key events.Key, now time.Time) (r webhook.Recorded, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, known = l.events[key]
	return r, known && r.ExpiresAt.After(now)
}

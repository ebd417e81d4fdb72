package sqlite

import "sync"

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

package sqlite

import "sync"

// memo keeps values that were read and seldom change, until one of them is written. They are never stale, because only
// this process writes to the database. The zero value is ready to use.
type memo[K comparable, V any] struct {
	mu      sync.RWMutex // protects the fields below
	writes  int          // how often the entries were forgotten; a value read before is not kept after
	entries map[K]V
}

// get returns the value of key. It calls read if the value is not known.
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

// forget forgets all values. It must be called after a write, or an attempt to write, before the caller learns of it.
func (m *memo[K, V]) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	m.entries = nil
}

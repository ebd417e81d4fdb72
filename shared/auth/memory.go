package auth

import (
	"crypto/sha256"
	"sync"
)

// memoryHalf is how many statements each half of a memory holds, a few hundred KB.
const memoryHalf = 1024

// memory remembers signatures that were found good, by the SHA-256 of the token, so that it holds no token. Of
// two halves one is filled; when it is full it becomes the old one, and the former old one is forgotten. So
// tokens in use stay, the number is bounded, and nothing has to be sorted. The zero memory is ready.
type memory struct {
	mu         sync.Mutex // protects the fields below
	young, old map[[sha256.Size]byte]statement
}

func (m *memory) get(name [sha256.Size]byte) (statement, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.young[name]; ok {
		return s, true
	}
	s, ok := m.old[name]
	if ok {
		m.add(name, s)
	}
	return s, ok
}

func (m *memory) put(name [sha256.Size]byte, s statement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(name, s)
}

// add needs mu.
func (m *memory) add(name [sha256.Size]byte, s statement) {
	if m.young == nil || len(m.young) >= memoryHalf {
		m.young, m.old = make(map[[sha256.Size]byte]statement), m.young
	}
	m.young[name] = s
}

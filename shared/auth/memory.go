package auth

import (
	"crypto/sha256"
	"sync"
)

// memoryHalf is how many statements each half of a memory holds, a few hundred KB.
const memoryHalf = 1024

// memory remembers tokens whose signatures are valid. Its keys are SHA-256 hashes, so it holds no token. New entries
// go into the young half. When that is full it becomes the old half, and the former old half is dropped. So the
// number of entries is bounded, tokens in use stay, and nothing has to be sorted. The zero value is ready to use.
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

// add stores the statement. The caller must hold mu.
func (m *memory) add(name [sha256.Size]byte, s statement) {
	if m.young == nil || len(m.young) >= memoryHalf {
		m.young, m.old = make(map[[sha256.Size]byte]statement), m.young
	}
	m.young[name] = s
}

package admission

import (
	"sync"
	"time"
)

// maxKeys bounds how many keys one process keeps.
const maxKeys = 20_000

// Memory counts in this process alone. It serves while the cache is down, and always where there is none.
type Memory struct {
	mu   sync.Mutex
	tats map[string]time.Time // theoretical arrival time by key
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory { return &Memory{tats: make(map[string]time.Time)} }

// Take spends cost of a key at now.
func (m *Memory) Take(r Rate, key string, cost int, now time.Time) Budget {
	m.mu.Lock()
	defer m.mu.Unlock()
	tat, b := r.take(m.tats[key], now, cost)
	if b.Allowed {
		m.makeRoom(key, now)
		m.tats[key] = tat
	}
	return b
}

// makeRoom drops the keys whose budget is full again. When no key can be dropped,
// thousands of addresses flood the process: it then drops all keys, so that its
// memory stays bounded.
func (m *Memory) makeRoom(key string, now time.Time) {
	if _, known := m.tats[key]; known || len(m.tats) < maxKeys {
		return
	}
	for k, tat := range m.tats {
		if !tat.After(now) {
			delete(m.tats, k)
		}
	}
	if len(m.tats) >= maxKeys {
		clear(m.tats)
	}
}

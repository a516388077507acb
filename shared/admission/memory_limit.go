package admission

import (
	"sync"
	"time"
)

// maxKeys bounds what one process remembers.
const maxKeys = 20_000

// Memory counts in this process alone: the fallback, and all there is without a cache.
type Memory struct {
	mu   sync.Mutex
	tats map[string]time.Time // theoretical arrival time by key
}

// NewMemory has counted nothing.
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

// makeRoom drops what no longer counts. Should everything count, somebody floods
// us from thousands of addresses at once: then the process starts anew rather
// than grow.
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

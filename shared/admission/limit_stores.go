package admission

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"
)

// maxKeys bounds how many keys one process keeps.
const maxKeys = 20_000

// Memory counts in this process alone. It serves where neither the cache nor the database does.
type Memory struct {
	mu   sync.Mutex
	tats map[string]time.Time // theoretical arrival time by key
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory { return &Memory{tats: make(map[string]time.Time)} }

// Take spends cost of a key at now.
func (m *Memory) Take(r Rate, key string, cost float64, now time.Time) Budget {
	m.mu.Lock()
	defer m.mu.Unlock()
	tat, b := r.take(m.tats[key], now, cost)
	if b.Allowed {
		m.makeRoom(key, now)
		m.tats[key] = tat
	}
	return b
}

// Return gives cost of a key back.
func (m *Memory) Return(r Rate, key string, cost float64, now time.Time) Budget {
	m.mu.Lock()
	defer m.mu.Unlock()
	tat, known := m.tats[key]
	if !known {
		return r.budget(true, 0, 0)
	}
	tat = tat.Add(-r.charge(cost))
	m.tats[key] = tat
	return r.budget(true, tat.Sub(now), 0)
}

// makeRoom drops the keys whose budget is full again. If there is no such key, requests
// come from too many addresses at once. It then drops all keys, so that the memory stays
// bounded.
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

// gcraScript is Rate.take in the cache: atomic, one call a key. All times are whole
// microseconds; the caller sends the current one, so that all keys of a
// request are counted at the same instant and tests can set the clock. A charge
// below zero gives back.
//
// KEYS[1] the key; ARGV: now, charge, window.
// Returns allowed (0 or 1), how far ahead of now the key is, and the time until
// the next request is allowed.
const gcraScript = `
local now, charge, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local ahead = math.max(tat + charge - now, 0)
if charge > 0 and ahead > window then
  return {0, tat - now, ahead - window}
end
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.max(1, math.ceil(ahead / 1000)))
return {1, ahead, 0}
`

// takeCommand spends cost of a key; a cost below zero gives back. It sends the text of the script, some hundred bytes,
// so that the script need not be loaded again after a restart of the cache.
func takeCommand(client valkey.Client, r Rate, key string, cost float64, now time.Time) valkey.Completed {
	number := func(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
	return client.B().Eval().Script(gcraScript).Numkeys(1).Key(key).
		Arg(strconv.FormatInt(now.UnixMicro(), 10), number(r.charge(cost)), number(r.window())).Build()
}

// readBudget returns the budget in the reply to a takeCommand.
func readBudget(r Rate, reply valkey.ValkeyResult) (Budget, error) {
	figures, err := reply.AsIntSlice()
	if err != nil {
		return Budget{}, err
	}
	if len(figures) != 3 {
		return Budget{}, fmt.Errorf("rate limit: %d figures in the reply", len(figures))
	}
	return r.budget(figures[0] == 1, time.Duration(figures[1])*time.Microsecond, time.Duration(figures[2])*time.Microsecond), nil
}

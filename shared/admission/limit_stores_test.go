package admission

import (
	"strconv"
	"testing"
	"time"
)

// Requests from very many addresses must not fill the memory of the process.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m, now := NewMemory(), time.Unix(1_800_000_000, 0)
	for i := range 45_000 {
		if b := m.Take(sixtyAMinute, strconv.Itoa(i), 1, now); !b.Allowed {
			t.Fatalf("the first request of key %d is refused", i)
		}
		if len(m.tats) > 20_000 {
			t.Fatalf("%d keys are kept after %d", len(m.tats), i+1)
		}
	}
}

// A full memory drops the keys that have their whole burst again, and keeps the others.
func TestMemoryKeepsWhatStillCounts(t *testing.T) {
	t.Parallel()
	m, now := NewMemory(), time.Unix(1_800_000_000, 0)
	m.Take(sixtyAMinute, "busy", 10, now) // counts for ten seconds
	for i := range 19_999 {
		m.Take(sixtyAMinute, strconv.Itoa(i), 1, now) // counts for one second
	}
	now = now.Add(2 * time.Second)
	m.Take(sixtyAMinute, "new", 1, now)
	if len(m.tats) != 2 {
		t.Errorf("%d keys are kept, want 2", len(m.tats))
	}
	if b := m.Take(sixtyAMinute, "busy", 3, now); b.Allowed {
		t.Error("the busy key has a new burst")
	}
}

package start

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestGarbageWaitsForTheMemoryOfTheFunction(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	for _, c := range []struct {
		name, size, gogc, gomemlimit string
		percent                      int
		limit                        int64
	}{
		{"Lambda", "500", "", "", GCPercent, 400 << 20},
		{"elsewhere", "", "", "", GCPercent, math.MaxInt64},
		{"told otherwise", "500", "50", "100MiB", 100, math.MaxInt64}, // by the runtime, when the process began
	} {
		t.Setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", c.size)
		t.Setenv("GOGC", c.gogc)
		t.Setenv("GOMEMLIMIT", c.gomemlimit)
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(math.MaxInt64)
		useMemory()
		if got := debug.SetMemoryLimit(-1); got != c.limit {
			t.Errorf("%s: at most %d bytes, want %d", c.name, got, c.limit)
		}
		if got := debug.SetGCPercent(100); got != c.percent {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.percent)
		}
	}
}

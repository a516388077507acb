package start

import (
	"os"
	"runtime/debug"
	"strconv"
)

// GCPercent is how much a function's heap may grow, in hundredths of what it holds, before garbage is looked for: a
// request leaves little behind, and the memory is paid for whether it is used or not.
const GCPercent = 300

// useMemory has garbage wait for the memory Lambda gives, up to four fifths of it: the rest is for what is not heap.
// What GOGC and GOMEMLIMIT say goes first.
func useMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(GCPercent)
	}
	megabytes, err := strconv.ParseInt(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32)
	if err == nil && megabytes > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(megabytes << 20 / 5 * 4)
	}
}

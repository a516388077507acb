package start

import (
	"os"
	"runtime/debug"
	"strconv"
)

// GCPercent is the GOGC of a function, in percent: how much the heap may grow before garbage is collected. A request
// leaves little behind, and Lambda's memory is paid for whether it is used or not.
const GCPercent = 300

// useMemory sets the memory limit of the runtime to four fifths of the memory of the Lambda; the rest is for what is
// not heap. Where GOGC and GOMEMLIMIT are set, they apply instead.
func useMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(GCPercent)
	}
	megabytes, err := strconv.ParseInt(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 32)
	if err == nil && megabytes > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(megabytes << 20 / 5 * 4)
	}
}

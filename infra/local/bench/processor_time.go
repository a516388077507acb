package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/*/stat (proc(5)): a hundredth of a second on every machine with Linux.
const tick = 10 * time.Millisecond

// processorTime is the processor time that this process and the processes below it have used: client, both systems, and PostgreSQL
// where the bench has started it. Work of other processes on the machine is not in it. It is 0 where there is no /proc.
func processorTime() time.Duration {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0 // the pattern is a constant
	}
	parents, times := map[int]int{}, map[int]time.Duration{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the process has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name of the program is in front, and may have spaces
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			continue
		}
		number := func(text string) int {
			n, _ := strconv.Atoi(text) // the kernel writes decimal numbers
			return n
		}
		pid := number(filepath.Base(filepath.Dir(file)))
		parents[pid], times[pid] = number(fields[1]), tick*time.Duration(number(fields[11])+number(fields[12]))
	}
	var sum time.Duration
	for pid, used := range times {
		above := pid
		for above > 1 && above != os.Getpid() {
			above = parents[above]
		}
		if above == os.Getpid() {
			sum += used
		}
	}
	return sum
}

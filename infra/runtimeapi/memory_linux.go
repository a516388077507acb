package runtimeapi

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// limit bounds the writable memory of a process, in MiB; 0 is no bound. A process that needs more dies, as in Lambda. The
// kernel counts mapped memory, which is more than resident memory. So a function that works with this limit works with the
// same limit in Lambda.
func limit(pid, mib int) error {
	if mib == 0 {
		return nil
	}
	bytes := uint64(mib) << 20
	bound := syscall.Rlimit{Cur: bytes, Max: bytes}
	const data = syscall.RLIMIT_DATA
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), data, uintptr(unsafe.Pointer(&bound)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("limit memory: %w", errno)
	}
	return nil
}

// peak returns the most memory that a process has had resident, in bytes.
func peak(pid int) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kib int64
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				return 0, fmt.Errorf("read memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("read memory: /proc/%d/status has no VmHWM", pid)
}

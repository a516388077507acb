package runtimeapi

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// limit bounds what a process may have to write to, in MiB: past it, it gets no more memory and dies, as in Lambda. The
// kernel counts what is mapped, which is more than what is resident: whoever lives with this lives in Lambda too.
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

// peak is the most memory a process ever had resident, in bytes.
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
	return 0, fmt.Errorf("read memory: process %d does not say", pid)
}

package testdb

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// memory is a file system that lives in memory on Linux: databases there are created ten times as fast as on a disk.
const memory = "/dev/shm"

// roomBytes is what a test run needs there; container engines give 64 MB unless told.
const roomBytes = 2 << 30

// SharedDir is the directory of the server that the test processes of this account share.
func SharedDir() string {
	return filepath.Join(Base(), fmt.Sprintf("lafaekstreet-testdb-%d", os.Geteuid()))
}

// Base is the fastest place for the data of tests: memory where there is room, else the temporary directory.
func Base() string {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(memory, &disk); err != nil || disk.Bavail*uint64(disk.Bsize) < roomBytes {
		return os.TempDir()
	}
	return memory
}

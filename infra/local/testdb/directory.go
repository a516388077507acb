package testdb

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// memory is a file system in memory on Linux. A database is created there ten times as fast as on a disk.
const memory = "/dev/shm"

// freeBytes is the space that a test run needs. Container engines make /dev/shm 64 MB large by default.
const freeBytes = 2 << 30

// SharedDir is the directory of the server that all test processes of this account share.
func SharedDir() string {
	return filepath.Join(BaseDir(), fmt.Sprintf("lafaekstreet-testdb-%d", os.Geteuid()))
}

// BaseDir is where test servers keep their data: in memory if there is enough free, else in the temporary directory.
func BaseDir() string {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(memory, &disk); err != nil || disk.Bavail*uint64(disk.Bsize) < freeBytes {
		return os.TempDir()
	}
	return memory
}

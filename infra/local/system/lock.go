package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// freeBytes is the disk space that a start needs. A new database needs more and checks that itself.
const freeBytes = 100 << 20

// lock locks the directory for this process. The kernel releases the lock when the process ends.
func (s *System) lock(context.Context) error {
	if err := ensureDir(s.options.Dir); err != nil {
		return err
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.options.Dir, &disk); err != nil {
		return fmt.Errorf("read free disk space: %w", err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < freeBytes {
		return fmt.Errorf("only %d MB are free at %s: make room", free>>20, s.options.Dir)
	}
	path := s.dir("lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
		holder, _ := os.ReadFile(path) // the process id is only a hint
		return errors.Join(fmt.Errorf("the system already runs from %s (process %s): stop it first",
			s.options.Dir, strings.TrimSpace(string(holder))), file.Close())
	}
	s.onStop("lock", file.Close)
	if err := file.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := fmt.Fprintln(file, os.Getpid()); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

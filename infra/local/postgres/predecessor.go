package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// endPredecessor clears the way for a start: it ends a server that outlived the process it belonged to, and removes
// the mark of one whose process id meanwhile belongs to another program, which PostgreSQL itself would obey. The mark
// of a dead server stays: PostgreSQL finds by it the backends that may still be writing.
func (c *Cluster) endPredecessor(ctx context.Context) error {
	mark := filepath.Join(c.dataPath(), "postmaster.pid")
	text, err := os.ReadFile(mark)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a running PostgreSQL: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return fmt.Errorf("read %s: %w", mark, err)
	}
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(200 * time.Millisecond) {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if !c.servedBy(pid) {
			return os.Remove(mark)
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("another PostgreSQL (process %d) uses %s and does not end: stop it first", pid, c.dataPath())
		}
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the PostgreSQL left behind (process %d): %w", pid, err)
		}
	}
}

// servedBy reports whether the running process pid is a server of this cluster: a server works in its data directory.
// Where there is no /proc it is taken for one.
func (c *Cluster) servedBy(pid int) bool {
	if !exists("/proc/self") {
		return true
	}
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	data, err := filepath.EvalSymlinks(c.dataPath())
	return err == nil && dir == data
}

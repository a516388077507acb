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

// stopPredecessor stops a server of this cluster that still runs after the process that started it has ended.
//
// It removes postmaster.pid if its process id now belongs to another program: PostgreSQL would take that program for a
// running server and refuse to start. It keeps the file if no process has the id: PostgreSQL needs it to find backends of
// the dead server that may still write.
func (c *Cluster) stopPredecessor(ctx context.Context) error {
	pidFile := filepath.Join(c.dataPath(), "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a running PostgreSQL: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return fmt.Errorf("read %s: %w", pidFile, err)
	}
	for deadline := time.Now().Add(stopTimeout); ; time.Sleep(200 * time.Millisecond) {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return nil
		}
		if !c.servedBy(pid) {
			return os.Remove(pidFile)
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("another PostgreSQL (process %d) uses %s and does not stop: stop it first", pid, c.dataPath())
		}
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the PostgreSQL left behind (process %d): %w", pid, err)
		}
	}
}

// servedBy reports whether the running process pid is a server of this cluster: the working directory of a server is its
// data directory. On a system without /proc it always reports true.
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

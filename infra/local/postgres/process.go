package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that ends with the process that started it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait, valid when done is closed
}

// startProcess starts cmd in a process group of its own, so that Ctrl-C reaches only us and we decide the order of
// ending.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr)
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel ties the child's life to the thread that started it: keep that thread.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// stop asks for a fast shutdown, and after the timeout for an immediate one.
func (p *process) stop(timeout time.Duration) error {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, os.Kill} {
		select {
		case <-p.done:
			return nil
		default:
		}
		if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop PostgreSQL: %w", err)
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(timeout):
		}
	}
	return errors.New("PostgreSQL does not end")
}

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

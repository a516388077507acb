// Package subprocess runs servers that end with the process that started them.
package subprocess

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts cmd in a process group of its own, so that Ctrl-C reaches only us and we decide the order of ending.
// On Linux the child gets SIGINT when this process ends in any way, kill -9 included.
func Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr)
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel ties the child's life to the thread that started it: keep that thread.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in its log
			close(p.done)
		}
	}()
	return p, <-started
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop sends SIGINT, after the timeout SIGQUIT, after another SIGKILL, and returns when the child has ended.
func (p *Process) Stop(timeout time.Duration) error {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, os.Kill} {
		if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(timeout):
		}
	}
	return fmt.Errorf("stop %s: it does not end", p.cmd.Path)
}

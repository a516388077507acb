// Package subprocess runs child processes that end with this process.
package subprocess

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Start starts cmd in a process group of its own: Ctrl-C reaches this process only, which then stops its children in the
// right order. On Linux the child gets SIGINT when this process ends, even by kill -9.
func Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr)
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel sends the signal when the thread that started the child ends, so this thread must last.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the child logs its own errors
			close(p.done)
		}
	}()
	return p, <-started
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stop sends SIGINT and waits until the child has ended. It sends SIGQUIT after one timeout and SIGKILL after two.
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
	return fmt.Errorf("stop %s: it does not end after SIGKILL", p.cmd.Path)
}

// Run runs a program and returns when it has ended. It prints nothing: if the program fails, the error has the line of its
// output that Cause picks.
func Run(cmd *exec.Cmd, what string) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %s", what, err, Cause(out.String()))
}

// Cause returns the first line of a program's output that looks like an error, else the last line.
func Cause(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "E: ") || strings.Contains(line, "rror: ") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// Command local runs the whole system on this machine; see infra/local/system.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/lafaekstreet/backend/infra/local/system"
	"github.com/lafaekstreet/backend/shared/config"
)

// stateDir is the directory that keeps everything between runs, in the current directory.
const stateDir = ".run"

func main() { os.Exit(run()) }

func run() int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer restore()
	terminal := os.Stdout
	logs, err := divertLogs(stateDir, os.Stderr)
	if err != nil {
		return printError(err)
	}
	defer logs.Close()
	env, err := config.FromEnvironment(ctx, config.NewSecretsManager)
	if err != nil {
		return printError(err)
	}
	running, err := system.Start(ctx, system.Options{Dir: stateDir, Env: env, Out: terminal, Log: os.Stderr})
	if err != nil {
		if ctx.Err() != nil {
			return 130 // stopped by the user
		}
		return printError(err)
	}
	fmt.Fprintln(terminal, "LafaekStreet is running. Ctrl-C stops it. All data is kept for the next start.")
	running.Describe(terminal)
	fmt.Fprintf(terminal, "  %-10s %s (warnings and errors are shown here too)\n", "logs", logs.path)
	var failure error
	select {
	case <-ctx.Done():
		fmt.Fprintln(terminal, "stopping")
	case failure = <-running.Failed():
	}
	restore() // a second Ctrl-C ends the process at once
	if err := errors.Join(failure, running.Stop()); err != nil {
		return printError(err)
	}
	return 0
}

// printError prints an error in one line and returns the exit code.
func printError(err error) int {
	fmt.Fprintln(errorStream, "lafaekstreet: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	return 1
}

// errorStream is the standard error of the terminal; divertLogs replaces os.Stderr.
var errorStream = os.Stderr

// logs writes the output of the functions to a file, and their warnings and errors to the terminal too. As in Lambda,
// functions log to the standard streams of their process, which is this one.
type logs struct {
	path     string
	file     *os.File
	pipe     *os.File
	terminal io.Writer
	done     sync.WaitGroup
}

// divertLogs replaces the standard streams of this process. It keeps the file of the last run as functions.log.1.
func divertLogs(dir string, terminal io.Writer) (*logs, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory for logs: %w", err)
	}
	l := &logs{path: filepath.Join(dir, "functions.log"), terminal: terminal}
	if err := os.Rename(l.path, l.path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("keep the last log: %w", err)
	}
	var err error
	if l.file, err = os.Create(l.path); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("divert logs: %w", err)
	}
	l.pipe = write
	os.Stdout, os.Stderr = write, write
	l.done.Go(func() { l.copy(read) })
	return l, nil
}

func (l *logs) copy(from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = l.file.Write(line) // the system must go on when the disk is full
		if bytes.Contains(line, []byte(`"level":"WARN"`)) || bytes.Contains(line, []byte(`"level":"ERROR"`)) {
			_, _ = l.terminal.Write(line)
		}
		if err != nil {
			return
		}
	}
}

// Close waits until all output is written.
func (l *logs) Close() {
	_ = l.pipe.Close()
	l.done.Wait()
	_ = l.file.Close()
}

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// errorStream is the terminal's, whatever becomes of the process's own.
var errorStream = os.Stderr

// logs takes what the functions write to their standard streams, as they do in Lambda, to a file; warnings and errors
// go to the terminal too.
type logs struct {
	path     string
	file     *os.File
	pipe     *os.File
	terminal io.Writer
	done     sync.WaitGroup
}

// divertLogs replaces the process's standard streams. The last run's file is kept beside the new one.
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
		_, _ = l.file.Write(line) // a full disk must not stop the system over its logs
		if bytes.Contains(line, []byte(`"level":"WARN"`)) || bytes.Contains(line, []byte(`"level":"ERROR"`)) {
			_, _ = l.terminal.Write(line)
		}
		if err != nil {
			return
		}
	}
}

// Close writes out what is still on its way.
func (l *logs) Close() {
	_ = l.pipe.Close()
	l.done.Wait()
	_ = l.file.Close()
}

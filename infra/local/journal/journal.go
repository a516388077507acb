// Package journal keeps the state of stand-ins across restarts. A Journal is a growing list of records, a State is one
// small value.
package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Journal appends records to a file, one line of JSON each. A record is written to the operating system before Append
// returns: a killed process loses none, a power failure may lose some. A Journal without a path keeps nothing.
type Journal struct {
	mu   sync.Mutex
	path string
	file *os.File
	size int64
}

// Open calls replay with each record of the file, oldest first, and opens the file for appending. It removes an incomplete
// last line: its Append never returned.
func Open(path string, replay func(line []byte) error) (*Journal, error) {
	j := &Journal{path: path}
	if path == "" {
		return j, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	raw, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("journal: %w", err)
	}
	whole := bytes.LastIndexByte(raw, '\n') + 1
	for n, line := range bytes.Split(raw[:whole], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if err := replay(line); err != nil {
			return nil, fmt.Errorf("journal: %s line %d: %w", path, n+1, err)
		}
	}
	if j.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if whole != len(raw) {
		if err := j.file.Truncate(int64(whole)); err != nil {
			return nil, fmt.Errorf("journal: remove incomplete last line: %w", err)
		}
	}
	j.size = int64(whole)
	return j, nil
}

// Append adds one record.
func (j *Journal) Append(record any) error {
	if j.path == "" {
		return nil
	}
	line, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	n, err := j.file.Write(append(line, '\n'))
	j.size += int64(n)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Size is the length of the file in bytes. Owners call Rewrite when it is too large.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size
}

// Rewrite replaces all records atomically.
func (j *Journal) Rewrite(records []any) error {
	if j.path == "" {
		return nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.path + ".next"
	if err := os.WriteFile(next, buf.Bytes(), 0o600); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := os.Rename(next, j.path); err != nil {
		_ = file.Close()
		return fmt.Errorf("journal: %w", err)
	}
	_ = j.file.Close()
	j.file, j.size = file, int64(buf.Len())
	return nil
}

// Close closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

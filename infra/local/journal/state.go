package journal

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// State keeps a small value in one file of JSON. Each Save replaces the file atomically. A State without a folder keeps
// nothing.
type State struct {
	path string
}

// NewState reads the file in dir into value. It leaves value unchanged if there is no file.
func NewState(dir, file string, value any) (*State, error) {
	if dir == "" {
		return &State{}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	s := &State{filepath.Join(dir, file)}
	raw, err := os.ReadFile(s.path)
	if os.IsNotExist(err) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return nil, fmt.Errorf("state %s: %w", s.path, err)
	}
	return s, nil
}

// Save writes value in place of the earlier one.
func (s *State) Save(value any) error {
	if s.path == "" {
		return nil
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := os.WriteFile(s.path+".next", raw, 0o600); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return os.Rename(s.path+".next", s.path)
}

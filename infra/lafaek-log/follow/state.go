package follow

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// State is what a follower knows between two rounds. It needs about 200 bytes for each report, however long the log is.
type State struct {
	URL        string    `json:"url"`
	Origin     string    `json:"origin"`
	Checkpoint string    `json:"checkpoint"` // the newest that was seen, as signed
	Size       int64     `json:"size"`       // of that checkpoint
	Root       string    `json:"root"`       // of that checkpoint
	Next       int64     `json:"next"`       // the first entry that was not read
	ReadAt     time.Time `json:"read_at"`    // when everything up to Next was read
	Newest     time.Time `json:"newest"`     // the latest time of an entry
	// Keys are those that the log has: the ones of the first round, and those named since by KEY_CHANGED.
	Keys json.RawMessage `json:"keys"`
	// Changes are the KEY_CHANGED of the log.
	Changes []keyChange `json:"changes,omitempty"`
	// Years are the report numbers by year.
	Years map[int]*year `json:"years,omitempty"`
	// Sequence is the last message of the ledger that was read, and Topic is where.
	Sequence int64  `json:"sequence,omitempty"`
	Topic    string `json:"topic,omitempty"`
	// Began says that the topic has had a checkpoint. Messages before the first are of an earlier version.
	Began bool `json:"began,omitempty"`
	// CSVBytes is the length of the table up to Next.
	CSVBytes int64 `json:"csv_bytes,omitempty"`

	reports map[string]*report
}

// report is what is known of one report, or of the log's own events under the number "".
type report struct {
	Number   string    `json:"n"`
	Seq      int       `json:"seq"`
	Hash     string    `json:"hash"` // of the newest payload, SHA-256 in hex
	At       time.Time `json:"at"`   // of the first event
	Answered bool      `json:"answered,omitempty"`
	Places   []int64   `json:"places"` // log indexes
}

// year has the report numbers of a year that were given.
type year struct {
	Last    int   `json:"last"`
	Missing []int `json:"missing,omitempty"`
}

// NewState returns the state before the first round.
func NewState(url string) *State {
	return &State{URL: url, Years: make(map[int]*year), reports: make(map[string]*report)}
}

// Load reads a state that Save wrote. It returns a new state if there is no file. It fails if the state is of another log.
func Load(path, url string) (*State, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return NewState(url), nil
	}
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	in := json.NewDecoder(bufio.NewReader(file))
	s := NewState(url)
	if err := in.Decode(s); err != nil {
		return nil, fmt.Errorf("read state %s: %w", path, err)
	}
	if s.URL != url {
		return nil, fmt.Errorf("state %s is of %s", path, s.URL)
	}
	for {
		r := &report{}
		if err := in.Decode(r); errors.Is(err, io.EOF) {
			return s, nil
		} else if err != nil {
			return nil, fmt.Errorf("read state %s: %w", path, err)
		}
		s.reports[r.Number] = r
	}
}

// Save writes the state: a line for the log, then one for each report. A crash leaves the old file or the new one.
func (s *State) Save(path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".lafaek-log-*")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone after the rename
	buffered := bufio.NewWriter(file)
	out := json.NewEncoder(buffered)
	err = out.Encode(s)
	for _, number := range s.Numbers() {
		if err == nil {
			err = out.Encode(s.reports[number])
		}
	}
	if err = errors.Join(err, buffered.Flush(), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// Numbers are the numbers of all reports, in order. The log's own events are under "".
func (s *State) Numbers() []string {
	out := make([]string, 0, len(s.reports))
	for n := range s.reports {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Places are the log indexes of a report's events, in order.
func (s *State) Places(number string) []int64 {
	if r := s.reports[number]; r != nil {
		return r.Places
	}
	return nil
}

// WritePlaces writes a line for each report: its number, then its places, with a space between two.
func (s *State) WritePlaces(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, number := range s.Numbers() {
		if number == "" {
			continue
		}
		_, _ = out.WriteString(number) // Flush has the error
		for _, place := range s.reports[number].Places {
			_, _ = fmt.Fprintf(out, " %d", place)
		}
		_ = out.WriteByte('\n')
	}
	return out.Flush()
}

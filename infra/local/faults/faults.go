// Package faults makes the stand-ins fail on demand, as the real services do: with an error, by throttling, without an
// answer, with a malformed answer, or by doing the work and losing the answer.
//
// Tests and the local console add faults to a Set. A stand-in asks its Set before it serves an operation.
package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mode is the way a call fails.
type Mode string

const (
	// Error answers with the service's own server-side failure; nothing happened.
	Error Mode = "error"
	// Throttle answers with the service's own throttling error; nothing happened.
	Throttle Mode = "throttle"
	// Timeout accepts the call and never answers; nothing happened.
	Timeout Mode = "timeout"
	// DropReply does the work, then loses the connection instead of answering.
	DropReply Mode = "drop_reply"
	// Malformed answers with success and a body no client can use; nothing happened.
	Malformed Mode = "malformed"
)

// Modes lists every mode.
func Modes() []Mode { return []Mode{Error, Throttle, Timeout, DropReply, Malformed} }

// Services lists the values of Fault.Service.
func Services() []string {
	return []string{"s3", "sqs", "kms", "bedrock", "secretsmanager", "smtp", "fcm", "google", "nominatim", "hedera", "mirror"}
}

// Forever is the Count of a fault that lasts until Clear.
const Forever = -1

// Fault makes the next Count calls of a service fail.
type Fault struct {
	Service string `json:"service"`
	// Operation limits the fault to one operation, named as in the API of the service ("PutObject", "Sign",
	// "SendMessageBatch", "Converse"); empty means all. Letter case is ignored.
	Operation string `json:"operation,omitempty"`
	Mode      Mode   `json:"mode"`
	// Skip lets this many matching calls through first.
	Skip int `json:"skip,omitempty"`
	// Count is how many calls fail. 0 means 1; Forever means until Clear.
	Count int `json:"count"`
}

// Set holds the faults that are not used yet. It is safe for concurrent use. A nil Set has none.
type Set struct {
	mu     sync.Mutex
	faults []Fault
	taken  []Fault
}

// NewSet returns a Set without faults.
func NewSet() *Set { return &Set{} }

// Add adds f behind the earlier faults. It returns an error for an unknown service or mode.
func (s *Set) Add(f Fault) error {
	f.Service = strings.ToLower(f.Service)
	if !slices.Contains(Services(), f.Service) {
		return fmt.Errorf("faults: unknown service %q, want one of %s", f.Service, strings.Join(Services(), ", "))
	}
	if !slices.Contains(Modes(), f.Mode) {
		return fmt.Errorf("faults: unknown mode %q, want one of %v", f.Mode, Modes())
	}
	if f.Count < Forever || f.Skip < 0 {
		return fmt.Errorf("faults: count %d, skip %d out of range", f.Count, f.Skip)
	}
	if f.Count == 0 {
		f.Count = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
	return nil
}

// Take returns how a call must fail, and false if it is to succeed. It uses the oldest fault that matches.
func (s *Set) Take(service, operation string) (Mode, bool) {
	if s == nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.Service != service || (f.Operation != "" && !strings.EqualFold(f.Operation, operation)) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		mode := f.Mode
		if f.Count > 0 {
			f.Count--
		}
		if f.Count == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		s.taken = append(s.taken, Fault{Service: service, Operation: operation, Mode: mode, Count: 1})
		if len(s.taken) > maxTaken {
			s.taken = slices.Delete(s.taken, 0, len(s.taken)-maxTaken)
		}
		return mode, true
	}
	return "", false
}

// maxTaken is how many used faults the Set remembers.
const maxTaken = 1000

// Pending returns the faults that are not used up, oldest first.
func (s *Set) Pending() []Fault {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Taken returns the calls that failed, oldest first, at most the newest 1000. A test reads it to know that its fault was
// used.
func (s *Set) Taken() []Fault {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

// Clear removes all faults and forgets which ones were used.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.taken = nil, nil
}

// maxHold is how long Timeout leaves a client without an answer. It is longer than the timeout of any client, and ends the
// connections of clients that have none.
const maxHold = 5 * time.Minute

// Replies writes the answers of a service that fails, each in the format of that service.
type Replies struct {
	Error, Throttle, Malformed http.HandlerFunc
}

// Serve answers r with next, or fails as the next fault says. To leave a client without an answer it panics with
// http.ErrAbortHandler, for which net/http closes the connection and prints no stack trace.
func (s *Set) Serve(w http.ResponseWriter, r *http.Request, service, operation string, replies Replies, next http.HandlerFunc) {
	mode, hit := s.Take(service, operation)
	if !hit {
		next(w, r)
		return
	}
	switch mode {
	case Error:
		replies.Error(w, r)
	case Throttle:
		replies.Throttle(w, r)
	case Malformed:
		replies.Malformed(w, r)
	case DropReply:
		next(&discardWriter{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case Timeout:
		// net/http notices that the client has closed its connection only after the body was read.
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(maxHold):
		}
		panic(http.ErrAbortHandler)
	}
}

// discardWriter is an http.ResponseWriter that sends nothing.
type discardWriter struct{ header http.Header }

func (d *discardWriter) Header() http.Header         { return d.header }
func (d *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (d *discardWriter) WriteHeader(int)             {}

// ServeHTTP serves the Set to the console: GET lists the faults, POST adds one or an array of them, DELETE clears the Set.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		s.Clear()
	case http.MethodPost:
		if err := s.addBody(http.MaxBytesReader(w, r.Body, 64<<10)); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string][]Fault{
		"pending": append([]Fault{}, s.Pending()...),
		"taken":   append([]Fault{}, s.Taken()...),
	})
}

func (s *Set) addBody(body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var many []Fault
	if err := json.Unmarshal(raw, &many); err != nil {
		var one Fault
		if json.Unmarshal(raw, &one) != nil {
			return errors.New(`faults: expected {"service", "mode", "count", "operation"?, "skip"?} or an array of them`)
		}
		many = []Fault{one}
	}
	for _, f := range many {
		if err := s.Add(f); err != nil {
			return err
		}
	}
	return nil
}

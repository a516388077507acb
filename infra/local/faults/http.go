package faults

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

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

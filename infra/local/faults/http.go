package faults

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxHold ends a call held by Timeout, so that no stand-in keeps a connection
// of a client that would wait for ever. It is longer than any client's patience.
const maxHold = 5 * time.Minute

// Replies writes the answers only the faulty service itself knows how to shape.
type Replies struct {
	Error, Throttle, Malformed http.HandlerFunc
}

// Serve answers r with next, or as the Set demands. It panics with
// http.ErrAbortHandler to lose a reply, which net/http turns into a closed
// connection without a stack trace.
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
		next(&discard{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case Timeout:
		// The body must be read, or the server does not notice the client leaving.
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(maxHold):
		}
		panic(http.ErrAbortHandler)
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// ServeHTTP is the console's side of the Set: GET lists faults, POST adds one
// or an array of them, DELETE clears.
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
			return errors.New(`faults: want {"service", "mode", "count", "operation"?, "skip"?} or an array of them`)
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

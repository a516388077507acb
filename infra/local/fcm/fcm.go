// Package fcm stands in for Firebase Cloud Messaging's HTTP v1 API and for the
// token endpoint of Google's OAuth 2.0, which it needs.
//
// Device tokens starting with "dead-" are unregistered, with "invalid-" not
// valid, with "mismatch-" of another sender; every other one receives.
package fcm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/journal"
	"github.com/lafaekstreet/backend/infra/local/loopback"
)

// DefaultProject is the Firebase project of the stand-in.
const DefaultProject = "lafaekstreet-local"

const (
	maxBody    = 64 << 10
	maxPayload = 4096 // bytes of keys and values
	keep       = 5000
)

// Push is one message a device received.
type Push struct {
	ID    string            `json:"id"`
	Token string            `json:"token"`
	Title string            `json:"title"`
	Body  string            `json:"body"`
	Data  map[string]string `json:"data,omitempty"`
	At    time.Time         `json:"at"`
}

// Options configures Start.
type Options struct {
	// Addr is where to listen; empty is a free loopback port.
	Addr string
	// Dir keeps the service account and the messages across restarts, and holds
	// service-account.json; empty keeps them in memory.
	Dir string
	// Project is the only project served; empty is DefaultProject.
	Project string
	Faults  *faults.Set
	// Now tells the time; nil is the system's clock.
	Now func() time.Time
}

// Server is a running stand-in.
type Server struct {
	opts    Options
	url     string
	account account
	http    *loopback.Server

	mu      sync.Mutex
	pushes  []Push // oldest first
	tokens  map[string]time.Time
	journal *journal.Journal
}

// Start serves until Close. The port answers when it returns.
func Start(opts Options) (*Server, error) {
	if opts.Project == "" {
		opts.Project = DefaultProject
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, tokens: map[string]time.Time{}}
	path := ""
	if opts.Dir != "" {
		path = filepath.Join(opts.Dir, "pushes.jsonl")
	}
	var err error
	if s.journal, err = journal.Open(path, s.replay); err != nil {
		return nil, fmt.Errorf("fcm: %w", err)
	}
	listener, err := loopback.Listen(opts.Addr)
	if err != nil {
		return nil, errors.Join(err, s.journal.Close())
	}
	s.url = loopback.URL(listener)
	if s.account, err = openAccount(opts.Dir, opts.Project, s.url+"/token"); err != nil {
		return nil, errors.Join(err, listener.Close(), s.journal.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.faulty("Token", s.token))
	mux.HandleFunc("POST /v1/projects/{project}/{messages}", s.faulty("Send", s.send))
	s.http = loopback.Start(listener, mux)
	return s, nil
}

func (s *Server) replay(line []byte) error {
	var p Push
	if err := json.Unmarshal(line, &p); err != nil {
		return err
	}
	if s.pushes = append(s.pushes, p); len(s.pushes) > keep {
		s.pushes = slices.Delete(s.pushes, 0, len(s.pushes)-keep)
	}
	return nil
}

// URL is the endpoint, in place of "https://fcm.googleapis.com".
func (s *Server) URL() string { return s.url }

// ServiceAccount is the JSON a Firebase console would give out for download.
func (s *Server) ServiceAccount() []byte { return slices.Clone(s.account.json) }

// ServiceAccountFile is the same in a file; empty without Options.Dir.
func (s *Server) ServiceAccountFile() string { return s.account.file }

// Close stops serving.
func (s *Server) Close() error { return errors.Join(s.http.Close(), s.journal.Close()) }

// Pushes returns the messages to a device token, newest first; all for an empty one.
func (s *Server) Pushes(token string) []Push {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Push{}
	for _, p := range slices.Backward(s.pushes) {
		if token == "" || p.Token == token {
			out = append(out, p)
		}
	}
	return out
}

func (s *Server) faulty(operation string, next http.HandlerFunc) http.HandlerFunc {
	replies := faults.Replies{
		Error: func(w http.ResponseWriter, _ *http.Request) {
			writeError(w, http.StatusServiceUnavailable, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE")
		},
		Throttle: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Send requests' of service 'fcm.googleapis.com'.", "QUOTA_EXCEEDED")
		},
		Malformed: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"name": [`) },
	}
	return func(w http.ResponseWriter, r *http.Request) {
		s.opts.Faults.Serve(w, r, "fcm", operation, replies, next)
	}
}

type sendRequest struct {
	ValidateOnly bool `json:"validate_only"`
	Message      *struct {
		Token, Topic, Condition string
		Notification            struct{ Title, Body string }
		Data                    map[string]any
	} `json:"message"`
}

var reserved = regexp.MustCompile(`^(from|message_type|google\..*|gcm\..*|google|gcm)$`)

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("messages") != "messages:send" {
		http.NotFound(w, r)
		return
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !s.valid(bearer) {
		writeError(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "THIRD_PARTY_AUTH_ERROR")
		return
	}
	if r.PathValue("project") != s.opts.Project {
		writeError(w, http.StatusForbidden, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied on resource.", "SENDER_ID_MISMATCH")
		return
	}
	var in sendRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil || in.Message == nil {
		writeError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid JSON payload received.", "")
		return
	}
	m := in.Message
	if m.Token == "" || m.Topic != "" || m.Condition != "" {
		writeError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Exactly one of token, topic or condition is required; the local stand-in serves tokens.", "INVALID_ARGUMENT")
		return
	}
	size, data := len(m.Notification.Title)+len(m.Notification.Body), map[string]string{}
	for k, v := range m.Data {
		text, ok := v.(string)
		if !ok || reserved.MatchString(k) {
			writeError(w, http.StatusBadRequest, "INVALID_ARGUMENT", fmt.Sprintf("Invalid value at 'message.data' (%s)", k), "INVALID_ARGUMENT")
			return
		}
		data[k] = text
		size += len(k) + len(text)
	}
	if size > maxPayload {
		writeError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Android message is too big", "INVALID_ARGUMENT")
		return
	}
	switch kind, _, _ := strings.Cut(m.Token, "-"); kind {
	case "dead":
		writeError(w, http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED")
		return
	case "invalid":
		writeError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token", "INVALID_ARGUMENT")
		return
	case "mismatch":
		writeError(w, http.StatusForbidden, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH")
		return
	}
	p := Push{ID: uuid.NewString(), Token: m.Token, Title: m.Notification.Title, Body: m.Notification.Body, Data: data, At: s.opts.Now().UTC()}
	if !in.ValidateOnly {
		if err := s.keep(p); err != nil {
			writeError(w, http.StatusInternalServerError, "INTERNAL", err.Error(), "INTERNAL")
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]string{"name": "projects/" + s.opts.Project + "/messages/" + p.ID})
}

func (s *Server) keep(p Push) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.Append(p); err != nil {
		return err
	}
	if s.pushes = append(s.pushes, p); len(s.pushes) > keep {
		s.pushes = slices.Delete(s.pushes, 0, len(s.pushes)-keep)
	}
	return nil
}

// writeError answers with google.rpc.Status; code is the FcmError's, if any.
func writeError(w http.ResponseWriter, status int, rpc, message, code string) {
	body := map[string]any{"code": status, "message": message, "status": rpc}
	if code != "" {
		body["details"] = []map[string]string{{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}}
	}
	writeJSON(w, status, map[string]any{"error": body})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Server", "local-stand-in")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Package fcm stands in for the HTTP v1 API of Firebase Cloud Messaging. It also has the token endpoint of Google's OAuth
// 2.0, where clients get their access tokens.
//
// The prefix of a device token chooses the answer: "dead-" is UNREGISTERED, "invalid-" is INVALID_ARGUMENT, "mismatch-" is
// SENDER_ID_MISMATCH. Every other token receives the message.
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
	// maxPushes is how many messages are kept. The oldest are dropped first.
	maxPushes = 5000
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
	// Dir keeps the messages and the service account (service-account.json) across restarts; empty keeps them in memory.
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
	pushes  []Push               // oldest first
	tokens  map[string]time.Time // access tokens and when they expire
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
	mux.HandleFunc("POST /token", s.withFaults("Token", s.token))
	mux.HandleFunc("POST /v1/projects/{project}/{messages}", s.withFaults("Send", s.send))
	s.http = loopback.Start(listener, mux)
	return s, nil
}

func (s *Server) replay(line []byte) error {
	var p Push
	if err := json.Unmarshal(line, &p); err != nil {
		return err
	}
	s.add(p)
	return nil
}

func (s *Server) add(p Push) {
	if s.pushes = append(s.pushes, p); len(s.pushes) > maxPushes {
		s.pushes = slices.Delete(s.pushes, 0, len(s.pushes)-maxPushes)
	}
}

// URL is the endpoint, in place of "https://fcm.googleapis.com".
func (s *Server) URL() string { return s.url }

// ServiceAccount is the JSON file that the Firebase console offers for download.
func (s *Server) ServiceAccount() []byte { return slices.Clone(s.account.json) }

// ServiceAccountFile is the path of that file in Options.Dir; empty without one.
func (s *Server) ServiceAccountFile() string { return s.account.file }

// Close stops serving.
func (s *Server) Close() error { return errors.Join(s.http.Close(), s.journal.Close()) }

// Pushes returns the messages to a device token, newest first. An empty token means all.
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

// withFaults serves next, or fails as the next fault says.
func (s *Server) withFaults(operation string, next http.HandlerFunc) http.HandlerFunc {
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

// reservedKey matches the names that FCM refuses in message.data.
var reservedKey = regexp.MustCompile(`^(from|message_type|google\..*|gcm\..*|google|gcm)$`)

// refusal is an answer that refuses a message.
type refusal struct {
	status             int // of HTTP
	rpc, message, code string
}

func invalid(message string) *refusal {
	return &refusal{http.StatusBadRequest, "INVALID_ARGUMENT", message, "INVALID_ARGUMENT"}
}

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("messages") != "messages:send" {
		http.NotFound(w, r)
		return
	}
	var in sendRequest
	p, refused := s.read(w, r, &in)
	if refused != nil {
		writeError(w, refused.status, refused.rpc, refused.message, refused.code)
		return
	}
	if !in.ValidateOnly {
		if err := s.keep(p); err != nil {
			writeError(w, http.StatusInternalServerError, "INTERNAL", err.Error(), "INTERNAL")
			return
		}
	}
	writeJSON(w, http.StatusOK, map[string]string{"name": "projects/" + s.opts.Project + "/messages/" + p.ID})
}

// read decodes a request into in and returns the message it sends, or why FCM would refuse it.
func (s *Server) read(w http.ResponseWriter, r *http.Request, in *sendRequest) (Push, *refusal) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !s.validToken(bearer) {
		return Push{}, &refusal{http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "THIRD_PARTY_AUTH_ERROR"}
	}
	if r.PathValue("project") != s.opts.Project {
		return Push{}, &refusal{http.StatusForbidden, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied on resource.", "SENDER_ID_MISMATCH"}
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(in); err != nil || in.Message == nil {
		return Push{}, &refusal{http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid JSON payload received.", ""}
	}
	m := in.Message
	if m.Token == "" || m.Topic != "" || m.Condition != "" {
		return Push{}, invalid("Exactly one of token, topic or condition is required; the local stand-in serves tokens.")
	}
	size, data := len(m.Notification.Title)+len(m.Notification.Body), map[string]string{}
	for k, v := range m.Data {
		text, ok := v.(string)
		if !ok || reservedKey.MatchString(k) {
			return Push{}, invalid(fmt.Sprintf("Invalid value at 'message.data' (%s)", k))
		}
		data[k] = text
		size += len(k) + len(text)
	}
	if size > maxPayload {
		return Push{}, invalid("Android message is too big")
	}
	if refused := refusedDevice(m.Token); refused != nil {
		return Push{}, refused
	}
	return Push{ID: uuid.NewString(), Token: m.Token, Title: m.Notification.Title, Body: m.Notification.Body, Data: data, At: s.opts.Now().UTC()}, nil
}

// refusedDevice returns the answer that the prefix of a device token chooses, nil for a device that receives.
func refusedDevice(token string) *refusal {
	switch prefix, _, _ := strings.Cut(token, "-"); prefix {
	case "dead":
		return &refusal{http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"}
	case "invalid":
		return invalid("The registration token is not a valid FCM registration token")
	case "mismatch":
		return &refusal{http.StatusForbidden, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH"}
	}
	return nil
}

func (s *Server) keep(p Push) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.Append(p); err != nil {
		return err
	}
	s.add(p)
	return nil
}

// writeError answers with a google.rpc.Status. A code that is not empty is added as an FcmError.
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

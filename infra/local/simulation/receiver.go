package simulation

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Receiver is a receiver of webhooks on this machine. It keeps the calls that it accepts. Until Calm it refuses some, is slow
// for others, or loses its answer; the seed decides which.
type Receiver struct {
	server *http.Server
	url    string
	secret []byte // set before the first call

	mu      sync.Mutex
	random  *rand.Rand
	away    bool
	calm    bool
	calls   []call            // in the order in which they were accepted first
	bodies  map[string][]byte // by webhook-id
	repeats int               // accepted again
	refused int
	faults  []string
}

// call is a call that was accepted.
type call struct {
	id, event, report string
	status            string // of the report in the body
	comment           string // id; empty without one
}

// slowness is how long a slow call takes. It is less than a receiver may take.
const slowness = 2 * time.Second

// timestampGrace is how old webhook-timestamp may be, and how far in the future.
const timestampGrace = 5 * time.Minute

func newReceiver(ctx context.Context, seed uint64) (*Receiver, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	r := &Receiver{url: "http://" + listener.Addr().String() + "/hook", random: rand.New(rand.NewPCG(seed, 13)), bodies: map[string][]byte{}}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

// Close ends the receiver.
func (r *Receiver) Close() { _ = r.server.Close() }

// SetAway has the receiver close every connection without an answer, or end that.
func (r *Receiver) SetAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = away
}

// Calm has the receiver accept every call from now on, at once.
func (r *Receiver) Calm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calm = true
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	next := r.answer()
	if err != nil || next == noAnswer {
		panic(http.ErrAbortHandler) // it closes the connection
	}
	switch next {
	case refuses:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case slow:
		time.Sleep(slowness)
	}
	r.accept(req.Header, body)
	if next == lost {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusNoContent)
}

// answer is how a call is answered.
type answer int

const (
	accepts answer = iota
	slow
	lost // accepted, and the answer does not arrive
	refuses
	noAnswer
)

// answer decides about the next call.
func (r *Receiver) answer() answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.random.IntN(100)
	switch {
	case r.away:
		r.refused++
		return noAnswer
	case r.calm || n >= 10:
		return accepts
	case n >= 4:
		r.refused++
		return refuses
	case n >= 2:
		return lost
	default:
		return slow
	}
}

// accept keeps a call, or what is wrong with it.
func (r *Receiver) accept(header http.Header, body []byte) {
	id := header.Get("Webhook-Id")
	fault := r.unsigned(header, body)
	var in struct {
		Type string
		Data struct {
			ReportID  string `json:"report_id"`
			Report    *struct{ ID, Status string }
			Tombstone *struct{}
			Comment   *struct{ ID string }
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		fault = err.Error()
	}
	c := call{id: id, event: in.Type, report: in.Data.ReportID}
	if in.Data.Report != nil {
		c.status = in.Data.Report.Status
	}
	if in.Data.Comment != nil {
		c.comment = in.Data.Comment.ID
	}
	if (in.Data.Report == nil) != (in.Type == "report.removed") || (in.Data.Tombstone != nil) != (in.Type == "report.removed") {
		fault = "its data is not that of its type"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	first, again := r.bodies[id]
	if again {
		r.repeats++
		if !bytes.Equal(first, body) {
			fault = "its repeat has another body"
		}
	} else {
		r.bodies[id] = body
		r.calls = append(r.calls, c)
	}
	if fault != "" {
		r.faults = append(r.faults, fmt.Sprintf("call %s %s: %s", id, in.Type, fault))
	}
}

// unsigned says what is wrong with the signature of a call. It is empty when nothing is.
func (r *Receiver) unsigned(header http.Header, body []byte) string {
	stamp := header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > timestampGrace {
		return "its time is " + stamp
	}
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte(header.Get("Webhook-Id") + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for _, s := range strings.Fields(header.Get("Webhook-Signature")) {
		text, ok := strings.CutPrefix(s, "v1,")
		if got, err := base64.StdEncoding.DecodeString(text); ok && err == nil && hmac.Equal(got, want) {
			return ""
		}
	}
	return "its signature is wrong"
}

package webhooks

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
	"github.com/lafaekstreet/backend/shared/webhook"
)

type object = map[string]any

// bundle is a system with reports, comments and the worker, and a receiver.
type bundle struct {
	*testenv.System
	t        *testing.T
	worker   queue.Handler
	receiver *receiverServer
	began    string // when the worker got its last messages, by the clock of the database
}

func setup(t *testing.T) *bundle {
	t.Helper()
	w := testenv.New(t, reports.Open, community.Open)
	w.Env["WEBHOOK_PRIVATE_ADDRESSES"], w.Env["PUBLIC_BASE_URL"] = "true", "https://street.example"
	b := &bundle{System: w, t: t, receiver: newReceiver(t)}
	b.open()
	return b
}

// open opens the worker with the present configuration.
func (b *bundle) open() {
	b.t.Helper()
	worker, err := Open(b.t.Context(), b.Env)
	if err != nil {
		b.t.Fatal(err)
	}
	b.worker = worker
}

func (b *bundle) sealed(s webhook.Secret) []byte {
	b.t.Helper()
	sealer, err := seal.New(seal.Config{Keys: []string{b.Env["SEAL_KEYS"]}})
	if err != nil {
		b.t.Fatal(err)
	}
	return sealer.Seal(webhook.SealPurpose, s)
}

// hook adds a webhook for events; for all of them if none is named.
func (b *bundle) hook(url string, events ...webhook.Event) (uuid.UUID, webhook.Secret) {
	b.t.Helper()
	if events == nil {
		events = webhook.Events()
	}
	id, secret := uuid.New(), webhook.NewSecret()
	b.Exec(`INSERT INTO webhooks (id, url, events, secret) VALUES ($1, $2, $3, $4)`, id, url, events, b.sealed(secret))
	return id, secret
}

// work hands the worker one message for each of the webhooks, or for all.
func (b *bundle) work(ids ...uuid.UUID) {
	b.t.Helper()
	if ids == nil {
		rows, err := b.DB.Query(b.t.Context(), `SELECT id FROM webhooks ORDER BY created_at`)
		if err != nil {
			b.t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id uuid.UUID
			if err := rows.Scan(&id); err != nil {
				b.t.Fatal(err)
			}
			ids = append(ids, id)
		}
	}
	b.began = b.Text(`SELECT clock_timestamp()::text`)
	var batch events.SQSEvent
	for i, id := range ids {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: fmt.Sprintf(`{"webhook_id": %q}`, id)})
	}
	out, err := b.worker.Handle(b.t.Context(), batch)
	if err != nil || len(out.BatchItemFailures) > 0 {
		b.t.Fatalf("work: %v, %v", out, err)
	}
}

// waits reports whether one delivery that failed waits for so many seconds, counted from some time since the worker got its messages.
func (b *bundle) waits(seconds int) bool {
	b.t.Helper()
	return b.Int(`SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting' AND attempts > 0
		AND next_at - make_interval(secs => $1) BETWEEN $2::timestamptz AND now()`, seconds, b.began) == 1
}

// pass has time pass for webhooks and deliveries.
func (b *bundle) pass(d time.Duration) {
	b.t.Helper()
	b.Exec(`UPDATE webhook_deliveries SET next_at = next_at - $1::interval, give_up_at = give_up_at - $1::interval,
		claimed_until = claimed_until - $1::interval, settled_at = settled_at - $1::interval`, d)
	b.Exec(`UPDATE webhooks SET paused_until = paused_until - $1::interval, previous_until = previous_until - $1::interval`, d)
}

// state says how many deliveries are in a state.
func (b *bundle) state(state string) int {
	b.t.Helper()
	return b.Int(`SELECT count(*) FROM webhook_deliveries WHERE state = $1`, state)
}

// file creates a report with words that name it, and returns its id.
func (b *bundle) file(by *testenv.Client, title string) string {
	b.t.Helper()
	return by.Post("/reports", object{"issue_type": "pothole", "title": title, "description": "Motorbikes fall here.", "latitude": -8.5534567, "longitude": 125.5601234}).
		Want(http.StatusCreated).Object().Text("id")
}

// moderator is a client of a moderator.
func (b *bundle) moderator() *testenv.Client { return b.Staff(identity.Moderator) }

// call is a call that the receiver got.
type call struct {
	header http.Header
	raw    []byte
	Type   string          `json:"type"`
	Time   string          `json:"timestamp"`
	Data   json.RawMessage `json:"data"`
}

// data is what the call says.
func (c call) data() apiclient.Object {
	var o apiclient.Object
	_ = json.Unmarshal(c.Data, &o.Values)
	return o
}

// receiverServer keeps the calls that it gets, and answers as the test says.
type receiverServer struct {
	URL    string
	mu     sync.Mutex
	calls  []call
	answer func(w http.ResponseWriter, c call)
}

func newReceiver(t *testing.T) *receiverServer {
	r := &receiverServer{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		c := call{header: req.Header.Clone(), raw: raw}
		_ = json.Unmarshal(raw, &c)
		r.mu.Lock()
		r.calls = append(r.calls, c)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, c)
		}
	}))
	t.Cleanup(s.Close)
	r.URL = s.URL + "/hook?key=hidden"
	return r
}

// answers has the receiver answer so from now on.
func (r *receiverServer) answers(f func(w http.ResponseWriter, c call)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// status has the receiver answer with a status.
func (r *receiverServer) status(code int) {
	r.answers(func(w http.ResponseWriter, _ call) { w.WriteHeader(code) })
}

// take returns the calls since the last time.
func (r *receiverServer) take() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.calls
	r.calls = nil
	return out
}

// types lists the events of calls, in order.
func types(calls []call) []string {
	out := []string{}
	for _, c := range calls {
		out = append(out, c.Type)
	}
	return out
}

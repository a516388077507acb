// Package queuetest tries a worker's reading of its messages.
package queuetest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// Nowhere is a database that is never reached: Fuzz's calls are over before they begin.
func Nowhere(f *testing.F) *database.DB {
	f.Helper()
	pool, err := pgxpool.New(f.Context(), "postgres://nobody@127.0.0.1:1/nowhere")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(pool.Close)
	return &database.DB{Pool: pool}
}

// letters are the dead ones.
type letters struct{ bodies []string }

// Knows implements queue.Sender.
func (*letters) Knows(queue.Name) bool { return true }

// Send implements queue.Sender.
func (l *letters) Send(_ context.Context, _ queue.Name, messages []queue.Outgoing) ([]uuid.UUID, error) {
	var sent []uuid.UUID
	for _, m := range messages {
		l.bodies = append(l.bodies, string(m.Body))
		sent = append(sent, m.ID)
	}
	return sent, nil
}

// Fuzz holds a worker, whose database is Nowhere, to what it does with any message:
// one it can read comes back, since there is no database; any other is put among
// the dead letters at once, as it came, and its words are in no log.
func Fuzz(f *testing.F, name queue.Name, handle queue.HandlerFunc, readable func(body string) bool) {
	f.Helper()
	over, cancel := context.WithCancel(f.Context())
	cancel()
	f.Fuzz(func(t *testing.T, body string) {
		var log bytes.Buffer
		dead := &letters{}
		h := queue.Each(name, 1, slog.New(slog.NewJSONHandler(&log, nil)), handle, queue.WithDeadLetters(dead))
		out, err := h.Handle(over, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: body}}})
		if err != nil {
			t.Fatal(err)
		}
		switch back := len(out.BatchItemFailures) == 1; {
		case strings.Contains(log.String(), "panicked"):
			t.Fatalf("%q: %s", body, &log)
		case readable(body) && (!back || dead.bodies != nil):
			t.Errorf("%q did not come back: %s", body, &log)
		case !readable(body) && (back || len(dead.bodies) != 1 || dead.bodies[0] != body):
			t.Errorf("%q came back: %v, dead: %q: %s", body, back, dead.bodies, &log)
		}
		if len(body) >= 12 && strings.Contains(log.String(), body) {
			t.Errorf("%q is in the log: %s", body, &log)
		}
	})
}

// Seeds are bodies no worker can read, and some it may.
func Seeds(f *testing.F, member string) {
	f.Helper()
	const id = `"018f6f6e-1111-7000-8000-000000000001"`
	for _, body := range []string{`{"` + member + `":` + id + `}`, `{"` + strings.ToUpper(member) + `":` + id + `,"more":1}`, `{"` + member + `":null}`, `{"` + member + `":"x"}`,
		`{"` + member + `":"00000000-0000-0000-0000-000000000000"}`, `{"` + member + `":"urn:uuid:018f6f6e-1111-7000-8000-000000000001"}`,
		`{"` + member + `":` + id + `}{}`, `{"` + member + `":[1]}`, `{}`, `[]`, `null`, ``, `{"mail":"AAAA"}`, `{"mail":""}`, `{"mail":1}`, "\xff", strings.Repeat(`{"a":`, 99)} {
		f.Add(body)
	}
}

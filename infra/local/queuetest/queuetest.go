// Package queuetest tests how a worker reads messages that are not valid.
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

// Nowhere is a database that cannot be reached. The context of every call that Fuzz makes is cancelled, so none connects.
func Nowhere(f *testing.F) *database.DB {
	f.Helper()
	pool, err := pgxpool.New(f.Context(), "postgres://nobody@127.0.0.1:1/nowhere")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(pool.Close)
	return &database.DB{Pool: pool}
}

// deadLetters is a dead-letter queue that remembers the bodies of its messages.
type deadLetters struct{ bodies []string }

// Knows implements queue.Sender.
func (*deadLetters) Knows(queue.Name) bool { return true }

// Send implements queue.Sender.
func (l *deadLetters) Send(_ context.Context, _ queue.Name, messages []queue.Outgoing) ([]uuid.UUID, error) {
	var sent []uuid.UUID
	for _, m := range messages {
		l.bodies = append(l.bodies, string(m.Body))
		sent = append(sent, m.ID)
	}
	return sent, nil
}

// Fuzz checks what a worker, whose database is Nowhere, does with any message. A readable message fails and is delivered
// again, because there is no database. Every other message goes to the dead-letter queue at once and unchanged. The body
// of a message is in no log.
func Fuzz(f *testing.F, name queue.Name, handle queue.HandlerFunc, readable func(body string) bool) {
	f.Helper()
	cancelled, cancel := context.WithCancel(f.Context())
	cancel()
	f.Fuzz(func(t *testing.T, body string) {
		var log bytes.Buffer
		dead := &deadLetters{}
		h := queue.Each(name, 1, slog.New(slog.NewJSONHandler(&log, nil)), handle, queue.WithDeadLetters(dead))
		out, err := h.Handle(cancelled, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: body}}})
		if err != nil {
			t.Fatal(err)
		}
		switch redelivered := len(out.BatchItemFailures) == 1; {
		case strings.Contains(log.String(), "panicked"):
			t.Fatalf("%q: %s", body, &log)
		case readable(body) && (!redelivered || dead.bodies != nil):
			t.Errorf("readable message %q is not delivered again: %s", body, &log)
		case !readable(body) && (redelivered || len(dead.bodies) != 1 || dead.bodies[0] != body):
			t.Errorf("unreadable message %q: delivered again: %v, dead letters: %q: %s", body, redelivered, dead.bodies, &log)
		}
		if len(body) >= 12 && strings.Contains(log.String(), body) {
			t.Errorf("%q is in the log: %s", body, &log)
		}
	})
}

// Seeds adds messages to the corpus, most of which no worker can read. Member is the field that holds the id.
func Seeds(f *testing.F, member string) {
	f.Helper()
	const id = `"018f6f6e-1111-7000-8000-000000000001"`
	for _, body := range []string{`{"` + member + `":` + id + `}`, `{"` + strings.ToUpper(member) + `":` + id + `,"more":1}`, `{"` + member + `":null}`, `{"` + member + `":"x"}`,
		`{"` + member + `":"00000000-0000-0000-0000-000000000000"}`, `{"` + member + `":"urn:uuid:018f6f6e-1111-7000-8000-000000000001"}`,
		`{"` + member + `":` + id + `}{}`, `{"` + member + `":[1]}`, `{}`, `[]`, `null`, ``, `{"mail":"AAAA"}`, `{"mail":""}`, `{"mail":1}`, "\xff", strings.Repeat(`{"a":`, 99)} {
		f.Add(body)
	}
}

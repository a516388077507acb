package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// messages are messages that each worker understands, and has nothing to do for.
var messages = map[string]string{
	"images":   `{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`,
	"validate": `{"report_id":"0197b8a0-0000-7000-8000-000000000001"}`,
	"anchor":   `{}`,
	"notify":   `{"notification_id":"0197b8a0-0000-7000-8000-000000000001"}`,
	"geocode":  `{"report_id":"0197b8a0-0000-7000-8000-000000000001"}`,
	"webhooks": `{"webhook_id":"0197b8a0-0000-7000-8000-000000000001"}`,
	"fetch":    `{"upload_id":"0197b8a0-0000-7000-8000-000000000001","url":"https://pictures.example/1.jpg"}`,
}

// partialFailures sends each worker a batch of two messages, one of which cannot be read. The worker reports that one as
// failed, or puts it among the dead letters at once.
func (s *site) partialFailures(t *testing.T) {
	for _, source := range s.Sources() {
		name := strings.TrimPrefix(s.Text(source.Function.Stack, source.Function.Properties["FunctionName"]), s.settings.name(""))
		good, ok := messages[name]
		if !ok {
			t.Errorf("%s: no message to try it with", name)
			continue
		}
		var batch events.SQSEvent
		for id, body := range map[string]string{"good": good, "broken": "no JSON"} {
			batch.Records = append(batch.Records, events.SQSMessage{MessageId: id, Body: body, EventSource: "aws:sqs",
				Attributes: map[string]string{"ApproximateReceiveCount": "1"}})
		}
		event, err := json.Marshal(batch)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := s.Invoke(t.Context(), name, event)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var out events.SQSEventResponse
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Errorf("%s answers %s", name, raw)
		}
		var named []string
		for _, f := range out.BatchItemFailures {
			named = append(named, f.ItemIdentifier)
		}
		if name == "anchor" && len(named) == 0 { // a message only wakes it, whatever it says
			continue
		}
		if slices.Contains(named, "good") || !slices.Contains(named, "broken") && s.dead(name) != 1 {
			t.Errorf("%s names %v, and %d dead letters", name, named, s.dead(name))
		}
	}
}

func (s *site) schedules(t *testing.T) {
	for _, f := range s.Functions() {
		name := strings.TrimPrefix(f.Name, s.settings.name(""))
		if c, _ := catalog.Find(catalog.FunctionName(name)); c.Kind != catalog.Schedule {
			continue
		}
		if _, err := s.Invoke(t.Context(), name, []byte(`{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// timeout locks the table of accounts, so that a login reaches the limit of its function (15 s). The function itself has to
// answer, in the form of the contract.
func (s *site) timeout(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	login := func() (reply, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/auth/login",
			strings.NewReader(`{"email":"nobody@example.org","password":"over-the-Hills-9"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		return do(t, req)
	}
	if res, body := login(); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("while the database is stuck: %d %s", res.StatusCode, body)
	}
	if _, err := conn.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if res, body := login(); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("afterwards: %d %s", res.StatusCode, body)
	}
}

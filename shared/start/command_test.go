package start

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/config"
)

// counter is a worker that counts its messages.
type counter struct{ batches, messages int }

// Handle implements queue.Handler.
func (c *counter) Handle(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	c.batches++
	c.messages += len(batch.Records)
	return events.SQSEventResponse{}, nil
}

// A message never becomes a command, whatever its body says.
func TestAWorkerTellsCommandsFromMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event             string
		batches, messages int
		commands          int
	}{
		"messages":                  {event: `{"Records":[{"messageId":"1","body":"{\"command\":\"x\"}"},{"messageId":"2"}]}`, batches: 1, messages: 2},
		"no message":                {event: `{"Records":[]}`, batches: 1},
		"messages beside a command": {event: `{"command":"x","Records":[{"messageId":"1"}]}`, batches: 1, messages: 1},
		"command":                   {event: `{"command":"create-topic","account":"0.0.7"}`, commands: 1},
	} {
		worker, asked := &counter{}, 0
		handle := batchOrCommand(worker, config.Env{"A": "1"}, func(_ context.Context, env config.Env, payload json.RawMessage) (any, error) {
			if env["A"] != "1" || string(payload) != c.event {
				t.Errorf("%s: %v, %s", name, env, payload)
			}
			asked++
			return nil, nil
		})
		if _, err := handle(t.Context(), json.RawMessage(c.event)); err != nil || worker.batches != c.batches || worker.messages != c.messages || asked != c.commands {
			t.Errorf("%s: %d batches of %d messages, %d commands, %v", name, worker.batches, worker.messages, asked, err)
		}
	}
	if _, err := batchOrCommand(&counter{}, nil, nil)(t.Context(), json.RawMessage(`"x"`)); err == nil {
		t.Error("an event that is none is accepted")
	}
}

package start

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"github.com/lafaekstreet/backend/shared/config"
)

// A function of a deploy tells the events of CloudFormation from the commands of operators, and refuses anything else.
func TestEventsAndCommands(t *testing.T) {
	t.Parallel()
	applied := 0
	handle := withCommands(func(context.Context, cfn.Event) (string, error) {
		applied++
		return "", nil
	}, func(_ context.Context, _ config.Env, event json.RawMessage) (any, error) {
		if string(event) != `{"command":"fsck"}` {
			return nil, errors.New("no command")
		}
		return "done", nil
	})
	if _, err := handle(t.Context(), json.RawMessage(`{"RequestType":"Update"}`)); err != nil || applied != 1 {
		t.Errorf("an event of CloudFormation: %v", err)
	}
	if got, err := handle(t.Context(), json.RawMessage(`{"command":"fsck"}`)); err != nil || got != "done" || applied != 1 {
		t.Errorf("a command: %v, %v", got, err)
	}
	for _, other := range []string{`{}`, `[]`, `"x"`, `{"Records":[]}`} {
		if _, err := handle(t.Context(), json.RawMessage(other)); err == nil || applied != 1 {
			t.Errorf("%s: %v", other, err)
		}
	}
}

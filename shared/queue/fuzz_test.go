package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/queue"
)

// FuzzBatch: for any event of SQS, each message is handled once, and exactly
// those that failed are named for another delivery.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		`{"Records":[{"messageId":"a","body":"{}","attributes":{"ApproximateReceiveCount":"1"}},{"messageId":"b","body":"fail"},{"messageId":"c","body":"panic"}]}`,
		`{"Records":[{"messageId":"a","body":"fail","attributes":{"ApproximateReceiveCount":"-9999999999999999999"}}]}`,
		`{"Records":[]}`, `{"Records":null}`, `{}`, `{"Records":[{}]}`, `{"Records":[{"messageId":"a","body":"permanent","attributes":null}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var batch events.SQSEvent
		if json.Unmarshal(raw, &batch) != nil {
			return // aws-lambda-go refuses it before us
		}
		bad := func(m events.SQSMessage) bool { return len(m.Body) > 0 && m.Body[0] >= 'f' }
		ids := map[string]int{}
		for i := range batch.Records {
			batch.Records[i].MessageId = strconv.Itoa(i)
			if bad(batch.Records[i]) {
				ids[batch.Records[i].MessageId]++
			}
		}
		handled := 0
		h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), func(_ context.Context, m events.SQSMessage) error {
			handled++
			if queue.Receives(m) < 1 {
				t.Errorf("received %d times", queue.Receives(m))
			}
			switch {
			case !bad(m):
				return nil
			case m.Body[0] == 'p':
				panic("handler")
			}
			return queue.Permanent(errors.New("failed"))
		})
		out, err := h.Handle(t.Context(), batch)
		if err != nil || handled != len(batch.Records) {
			t.Fatalf("%d of %d handled, %v", handled, len(batch.Records), err)
		}
		for _, failure := range out.BatchItemFailures {
			ids[failure.ItemIdentifier]--
		}
		for id, n := range ids {
			if n != 0 {
				t.Errorf("message %s: named %d times too few", id, n)
			}
		}
	})
}

package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/shared/queue"
)

// A worker is given one message at a time. The answer names the messages that failed: SQS delivers these again, and
// deletes the others.
func ExampleEach() {
	work := func(_ context.Context, m events.SQSMessage) error {
		var body queue.ValidateMessage
		if err := json.Unmarshal([]byte(m.Body), &body); err != nil {
			return err
		}
		if queue.Receives(m) == 1 {
			return errors.New("the model is busy")
		}
		fmt.Println("judged", body.ReportID)
		return nil
	}
	worker := queue.Each(queue.Validate, 1, slog.New(slog.DiscardHandler), work)
	answer, err := worker.Handle(context.Background(), events.SQSEvent{Records: []events.SQSMessage{
		{MessageId: "first", Body: `{"report_id":"0197b8a0-0000-7000-8000-000000000001"}`,
			Attributes: map[string]string{"ApproximateReceiveCount": "2"}},
		{MessageId: "second", Body: `{"report_id":"0197b8a0-0000-7000-8000-000000000002"}`,
			Attributes: map[string]string{"ApproximateReceiveCount": "1"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, failure := range answer.BatchItemFailures {
		fmt.Println("again:", failure.ItemIdentifier)
	}
	// Output:
	// judged 0197b8a0-0000-7000-8000-000000000001
	// again: second
}

// Permanent marks an error that comes again at every delivery. With WithDeadLetters such a message goes to the dead letters
// at once.
func ExamplePermanent() {
	err := queue.Permanent(errors.New("message names no report"))
	fmt.Println(err)
	fmt.Println(queue.Validate.Dead())
	// Output:
	// message names no report
	// validate-dead
}

package eventsource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// oneBatch is a queue that holds one batch and then nothing.
type oneBatch struct {
	messages []types.Message
	deleted  []string
	stop     context.CancelFunc
}

func (q *oneBatch) ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if q.messages == nil {
		q.stop()
		return nil, context.Canceled
	}
	out := &sqs.ReceiveMessageOutput{Messages: q.messages}
	q.messages = nil
	return out, nil
}

func (q *oneBatch) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	for _, entry := range in.Entries {
		q.deleted = append(q.deleted, aws.ToString(entry.ReceiptHandle))
	}
	return &sqs.DeleteMessageBatchOutput{}, nil
}

type handler func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

func (h handler) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	return h(ctx, batch)
}

func TestDeletesMessagesThatSucceeded(t *testing.T) {
	t.Parallel()
	failing := func(ids ...string) handler {
		return func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			var answer events.SQSEventResponse
			for _, id := range ids {
				answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
			}
			return answer, nil
		}
	}
	tests := map[string]struct {
		handle  handler
		deleted []string
	}{
		"all good":   {failing(), []string{"r0", "r1", "r2"}},
		"one failed": {failing("m1"), []string{"r0", "r2"}},
		"all failed": {failing("m0", "m1", "m2"), nil},
		"unknown id": {failing("m1", "other"), nil},
		"whole batch": {func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			return events.SQSEventResponse{}, errors.New("no")
		}, nil},
		"panic": {func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) { panic("at work") }, nil},
		"over its timeout": {func(ctx context.Context, _ events.SQSEvent) (events.SQSEventResponse, error) {
			<-ctx.Done()
			return events.SQSEventResponse{}, nil
		}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			q := &oneBatch{stop: stop}
			for i := range 3 {
				q.messages = append(q.messages, types.Message{
					MessageId: aws.String(fmt.Sprintf("m%d", i)), ReceiptHandle: aws.String(fmt.Sprintf("r%d", i))})
			}
			timeout := time.Minute
			if name == "over its timeout" {
				timeout = time.Millisecond // the handler waits for its deadline, so any value gives the same result
			}
			Mapping{Handler: test.handle, Batch: 10, Timeout: timeout}.Run(ctx, q, slog.New(slog.DiscardHandler))
			if !slices.Equal(q.deleted, test.deleted) {
				t.Errorf("deleted %v, want %v", q.deleted, test.deleted)
			}
		})
	}
}

// arriving is a queue that gives one message a receive.
type arriving struct {
	oneBatch
	left []types.Message
	most []int32 // of each receive
}

func (q *arriving) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	q.most = append(q.most, in.MaxNumberOfMessages)
	if len(q.left) == 0 {
		q.stop()
		return nil, context.Canceled
	}
	out := &sqs.ReceiveMessageOutput{Messages: q.left[:1]}
	q.left = q.left[1:]
	return out, nil
}

func TestMessagesOfAWindowAreOneCall(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	q := &arriving{oneBatch: oneBatch{stop: stop}}
	for i := range 3 {
		q.left = append(q.left, types.Message{MessageId: aws.String(fmt.Sprintf("m%d", i)), ReceiptHandle: aws.String(fmt.Sprintf("r%d", i))})
	}
	var calls []int
	count := handler(func(_ context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		calls = append(calls, len(batch.Records))
		return events.SQSEventResponse{}, nil
	})
	Mapping{Handler: count, Batch: 10, Timeout: time.Minute, Window: time.Millisecond}.Run(ctx, q, slog.New(slog.DiscardHandler))
	if !slices.Equal(calls, []int{2, 1}) || !slices.Equal(q.deleted, []string{"r0", "r1", "r2"}) || !slices.Equal(q.most, []int32{10, 9, 10, 9}) {
		t.Errorf("calls with %v messages, deleted %v, asked for %v", calls, q.deleted, q.most)
	}
}

func TestAMessageThatCameTwiceAndFailedStays(t *testing.T) {
	t.Parallel()
	batch := []types.Message{{MessageId: aws.String("m0"), ReceiptHandle: aws.String("r0")}, {MessageId: aws.String("m1"), ReceiptHandle: aws.String("r1")},
		{MessageId: aws.String("m1"), ReceiptHandle: aws.String("r2")}}
	failed := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{{ItemIdentifier: "m1"}}}
	if got := done(batch, failed); len(got) != 1 || aws.ToString(got[0].ReceiptHandle) != "r0" {
		t.Errorf("%d messages count as done", len(got))
	}
}

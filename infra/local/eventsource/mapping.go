// Package eventsource takes the place of Lambda's event source mappings on one machine: a Mapping receives batches from a
// queue, calls the function, and deletes the messages that the function did not report as failed.
package eventsource

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/queue"
)

// pause is how long a Mapping waits after a failed receive.
const pause = 2 * time.Second

// Client is the part of the SQS client that a Mapping uses.
type Client interface {
	ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, opts ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, opts ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
}

// Mapping connects a queue to its function.
type Mapping struct {
	Queue   string // URL
	ARN     string
	Region  string
	Handler queue.Handler
	// Batch is the most messages of one call, 1 to 10.
	Batch int
	// Concurrency is the most calls at once.
	Concurrency int
	// Timeout is the timeout of the function. Together with Window it must not be longer than the visibility timeout of the queue.
	// Otherwise a message is delivered again while the function still handles it.
	Timeout time.Duration
	// Window is how long messages are collected for one call; 0 does not wait.
	Window time.Duration
}

// Run consumes until ctx ends. It returns when the calls under way have finished.
func (s Mapping) Run(ctx context.Context, client Client, log *slog.Logger) {
	var workers sync.WaitGroup
	for range max(s.Concurrency, 1) {
		workers.Go(func() {
			for ctx.Err() == nil {
				s.once(ctx, client, log)
			}
		})
	}
	workers.Wait()
}

func (s Mapping) once(ctx context.Context, client Client, log *slog.Logger) {
	messages, err := s.collect(ctx, client)
	if err != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "queue cannot be read", "queue", s.Queue, "error", err)
	}
	if len(messages) == 0 {
		if err != nil {
			sleep(ctx, pause)
		}
		return
	}
	// This call goes on after the end of ctx. Otherwise its messages would be delivered again only after the visibility
	// timeout.
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
	defer cancel()
	answer, err := s.call(call, s.event(messages))
	if err != nil {
		log.WarnContext(ctx, "function failed a whole batch", "queue", s.Queue, "error", err)
		return
	}
	if err := remove(context.WithoutCancel(ctx), client, s.Queue, done(messages, answer)); err != nil {
		log.WarnContext(ctx, "messages not deleted; they will be delivered twice", "queue", s.Queue, "error", err)
	}
}

// collect returns the messages of one call. It may return messages and an error: the second receive failed, and the messages of the
// first still have to be handled.
func (s Mapping) collect(ctx context.Context, client Client) ([]types.Message, error) {
	messages, err := s.receive(ctx, client, s.Batch, catalog.LongPoll)
	if err != nil || s.Window == 0 || len(messages) == 0 || len(messages) == s.Batch {
		return messages, err
	}
	if sleep(ctx, s.Window); ctx.Err() != nil {
		return messages, nil
	}
	more, err := s.receive(ctx, client, s.Batch-len(messages), time.Second) // 0 would mean the wait time of the queue
	return append(messages, more...), err
}

func (s Mapping) receive(ctx context.Context, client Client, most int, wait time.Duration) ([]types.Message, error) {
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(s.Queue), MaxNumberOfMessages: int32(most), WaitTimeSeconds: int32(wait / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// call returns a panic of the function as an error: as in Lambda it fails the batch and not this process.
func (s Mapping) call(ctx context.Context, batch events.SQSEvent) (answer events.SQSEventResponse, err error) { //nolint:nonamedreturns // set by recover
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	answer, err = s.Handler.Handle(ctx, batch)
	if err == nil {
		err = ctx.Err() // Lambda ends a function at its timeout and ignores its answer
	}
	return answer, err
}

func (s Mapping) event(messages []types.Message) events.SQSEvent {
	records := make([]events.SQSMessage, len(messages))
	for i, m := range messages {
		attributes := make(map[string]events.SQSMessageAttribute, len(m.MessageAttributes))
		for name, value := range m.MessageAttributes {
			attributes[name] = events.SQSMessageAttribute{StringValue: value.StringValue, BinaryValue: value.BinaryValue,
				StringListValues: []string{}, BinaryListValues: [][]byte{}, DataType: aws.ToString(value.DataType)}
		}
		records[i] = events.SQSMessage{
			MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
			Md5OfBody: aws.ToString(m.MD5OfBody), Attributes: m.Attributes, MessageAttributes: attributes,
			EventSourceARN: s.ARN, EventSource: "aws:sqs", AWSRegion: s.Region,
		}
	}
	return events.SQSEvent{Records: records}
}

// done returns the messages that the function did not report as failed. As in AWS, the report of a message that is not in
// the batch fails the whole batch.
func done(messages []types.Message, answer events.SQSEventResponse) []types.Message {
	failed := make(map[string]bool, len(answer.BatchItemFailures))
	for _, failure := range answer.BatchItemFailures {
		failed[failure.ItemIdentifier] = true
	}
	var kept []types.Message
	known := make(map[string]bool, len(failed))
	for _, m := range messages { // SQS may deliver a message twice
		if id := aws.ToString(m.MessageId); failed[id] {
			known[id] = true
		} else {
			kept = append(kept, m)
		}
	}
	if len(known) < len(failed) {
		return nil
	}
	return kept
}

func remove(ctx context.Context, client Client, url string, messages []types.Message) error {
	if len(messages) == 0 {
		return nil
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(url), Entries: entries})
	if err != nil {
		return fmt.Errorf("delete messages: %w", err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("delete messages: %d refused: %s", len(out.Failed), aws.ToString(out.Failed[0].Code))
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

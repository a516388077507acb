package aws_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/infra/local/aws"
)

// clock is a settable time.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func start(t *testing.T, opts aws.Options) *aws.Server {
	t.Helper()
	s, err := aws.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// once is the configuration of clients that try a call one time only.
func once(s *aws.Server) awssdk.Config {
	c := s.Config()
	c.Retryer = func() awssdk.Retryer { return awssdk.NopRetryer{} }
	return c
}

type queueBench struct {
	*sqs.Client
	t     *testing.T
	clock *clock
}

func newQueueBench(t *testing.T) queueBench {
	c := newClock()
	s := start(t, aws.Options{Clock: c})
	return queueBench{sqs.NewFromConfig(s.Config()), t, c}
}

func (b queueBench) create(name string, attributes map[string]string) string {
	b.t.Helper()
	out, err := b.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		b.t.Fatal(err)
	}
	return *out.QueueUrl
}

func (b queueBench) send(url, body string) {
	b.t.Helper()
	if err := send(b.Client, url, body, 0); err != nil {
		b.t.Fatal(err)
	}
}

// send sends one message, delayed by so many seconds.
func send(client *sqs.Client, url, body string, delay int32) error {
	out, err := client.SendMessageBatch(context.Background(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: awssdk.String("1"), MessageBody: &body, DelaySeconds: delay},
	}})
	if err == nil && len(out.Failed) > 0 {
		err = errors.New(*out.Failed[0].Message)
	}
	return err
}

func (b queueBench) receive(url string) []types.Message {
	b.t.Helper()
	out, err := b.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out.Messages
}

func (b queueBench) bodies(url string) string {
	b.t.Helper()
	var all []string
	for _, m := range b.receive(url) {
		all = append(all, *m.Body)
	}
	return strings.Join(all, ",")
}

func (b queueBench) arn(url string) string {
	b.t.Helper()
	out, err := b.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	if err != nil {
		b.t.Fatal(err)
	}
	return out.Attributes["QueueArn"]
}

func TestQueueVisibility(t *testing.T) {
	t.Parallel()
	b, ctx := newQueueBench(t), context.Background()
	url := b.create("reports", map[string]string{"VisibilityTimeout": "60"})
	b.send(url, "one")
	first := b.receive(url)
	if len(first) != 1 || first[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %+v", first)
	}
	if got := b.bodies(url); got != "" {
		t.Fatalf("a message in flight was delivered: %s", got)
	}
	b.clock.Advance(61 * time.Second)
	second := b.receive(url)
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("after its timeout received %+v", second)
	}
	// The first handle is stale: deleting by it succeeds and deletes nothing.
	if _, err := b.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: first[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(61 * time.Second)
	third := b.receive(url)
	if len(third) != 1 {
		t.Fatal("a stale handle deleted the message")
	}
	if _, err := b.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: third[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Hour)
	if got := b.bodies(url); got != "" {
		t.Errorf("a deleted message was delivered: %s", got)
	}
}

// A consumer decides when a message that it could not handle comes again: sooner or later than the queue says.
func TestChangedVisibility(t *testing.T) {
	t.Parallel()
	b, ctx := newQueueBench(t), context.Background()
	url := b.create("reports", map[string]string{"VisibilityTimeout": "900"})
	b.send(url, "one")
	b.send(url, "two")
	first := b.receive(url)
	change := func(handle *string, seconds int32) error {
		_, err := b.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: handle, VisibilityTimeout: seconds})
		return err
	}
	out, err := b.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: awssdk.String("a"), ReceiptHandle: first[0].ReceiptHandle, VisibilityTimeout: 2},
		{Id: awssdk.String("b"), ReceiptHandle: first[1].ReceiptHandle, VisibilityTimeout: 1000},
		{Id: awssdk.String("c"), ReceiptHandle: awssdk.String("nonsense"), VisibilityTimeout: 2},
	}})
	if err != nil || len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "c" {
		t.Fatalf("%+v, %v", out, err)
	}
	b.clock.Advance(time.Second)
	if got := b.bodies(url); got != "" {
		t.Errorf("after one second: %s", got)
	}
	b.clock.Advance(time.Second)
	second := b.receive(url)
	if len(second) != 1 || *second[0].Body != "one" || second[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("after two seconds received %+v", second)
	}
	var idle *types.MessageNotInflight
	if err := change(first[0].ReceiptHandle, 0); !errors.As(err, &idle) {
		t.Errorf("by a stale handle: %v", err)
	}
	if err := change(second[0].ReceiptHandle, 43201); err == nil {
		t.Error("more than twelve hours were taken")
	}
	b.clock.Advance(899 * time.Second) // the queue's own timeout, from the last delivery
	if got := b.bodies(url); got != "" {
		t.Errorf("before the timeouts: %s", got)
	}
	if err := change(second[0].ReceiptHandle, 0); err != nil || b.bodies(url) != "one" {
		t.Errorf("0 seconds did not show the message at once: %v", err)
	}
	b.clock.Advance(98 * time.Second)
	if err := change(first[1].ReceiptHandle, 60); err != nil { // two: one second before its time
		t.Error(err)
	}
	b.clock.Advance(60 * time.Second)
	if err := change(first[1].ReceiptHandle, 60); !errors.As(err, &idle) {
		t.Errorf("a message that is not hidden any more: %v", err)
	}
	if got := b.bodies(url); got != "two" {
		t.Errorf("after 1059 seconds: %s", got)
	}
}

func TestQueueDelayAndRetention(t *testing.T) {
	t.Parallel()
	b := newQueueBench(t)
	url := b.create("later", map[string]string{"MessageRetentionPeriod": "120"})
	if err := send(b.Client, url, "delayed", 30); err != nil {
		t.Fatal(err)
	}
	if got := b.bodies(url); got != "" {
		t.Errorf("delivered early: %s", got)
	}
	b.clock.Advance(31 * time.Second)
	if got := b.bodies(url); got != "delayed" {
		t.Errorf("after the delay got %q", got)
	}
	b.clock.Advance(2 * time.Minute)
	if got := b.bodies(url); got != "" {
		t.Errorf("delivered past its retention: %s", got)
	}
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	b := newQueueBench(t)
	url := b.create("poll", nil)
	got := make(chan string)
	go func() {
		out, err := b.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		if err != nil || len(out.Messages) == 0 {
			got <- ""
			return
		}
		got <- *out.Messages[0].Body
	}()
	b.send(url, "hello") // before or during the poll: both must work
	select {
	case body := <-got:
		if body != "hello" {
			t.Errorf("polled %q", body)
		}
	case <-time.After(time.Minute):
		t.Error("a waiting poll was not woken by a message")
	}
}

func TestDeadLettersAndRedrive(t *testing.T) {
	t.Parallel()
	b, ctx := newQueueBench(t), context.Background()
	dead := b.create("work-dead", nil)
	policy, _ := json.Marshal(map[string]any{"deadLetterTargetArn": b.arn(dead), "maxReceiveCount": 2})
	url := b.create("work", map[string]string{"RedrivePolicy": string(policy), "VisibilityTimeout": "10"})
	b.send(url, "poison")
	for n := range 2 {
		if got := b.bodies(url); got != "poison" {
			t.Fatalf("receive %d: %q", n+1, got)
		}
		b.clock.Advance(11 * time.Second)
	}
	if got := b.bodies(url); got != "" {
		t.Fatalf("received a third time: %s", got)
	}
	letters := b.receive(dead)
	if len(letters) != 1 || letters[0].Attributes["DeadLetterQueueSourceArn"] != b.arn(url) || letters[0].Attributes["ApproximateReceiveCount"] != "3" {
		t.Fatalf("dead letters %+v", letters)
	}
	b.clock.Advance(time.Minute)
	arn := b.arn(dead)
	if _, err := b.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	back := b.receive(url)
	if len(back) != 1 || back[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("after redrive received %+v", back)
	}
	if got := b.bodies(dead); got != "" {
		t.Errorf("still among the dead letters: %s", got)
	}
	tasks, err := b.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn})
	if err != nil || len(tasks.Results) != 1 || *tasks.Results[0].Status != "COMPLETED" || tasks.Results[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("tasks %+v, %v", tasks, err)
	}
	work := b.arn(url)
	if _, err := b.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &work}); err == nil {
		t.Error("a queue that is nobody's dead letter queue was redriven")
	}
}

func TestQueueBatches(t *testing.T) {
	t.Parallel()
	b, ctx := newQueueBench(t), context.Background()
	url := b.create("batch", nil)
	entries := []types.SendMessageBatchRequestEntry{
		{Id: awssdk.String("a"), MessageBody: awssdk.String("1")},
		{Id: awssdk.String("b"), MessageBody: awssdk.String("bad \u0001")},
		{Id: awssdk.String("c"), MessageBody: awssdk.String("3")},
	}
	out, err := b.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "b" || *out.Failed[0].Code != "InvalidMessageContents" || !out.Failed[0].SenderFault {
		t.Errorf("batch answer %+v", out)
	}
	messages := b.receive(url)
	if len(messages) != 2 || *messages[0].MessageId != *out.Successful[0].MessageId || *messages[0].MD5OfBody != *out.Successful[0].MD5OfMessageBody {
		t.Fatalf("received %+v", messages)
	}
	deletes := []types.DeleteMessageBatchRequestEntry{
		{Id: awssdk.String("x"), ReceiptHandle: messages[0].ReceiptHandle}, {Id: awssdk.String("y"), ReceiptHandle: awssdk.String("nonsense")},
	}
	gone, err := b.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: deletes})
	if err != nil || len(gone.Successful) != 1 || len(gone.Failed) != 1 || *gone.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("delete batch %+v, %v", gone, err)
	}
	eleven := make([]types.SendMessageBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = types.SendMessageBatchRequestEntry{Id: awssdk.String(strconv.Itoa(i)), MessageBody: awssdk.String("m")}
	}
	var many *types.TooManyEntriesInBatchRequest
	if _, err := b.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: eleven}); !errors.As(err, &many) {
		t.Errorf("eleven entries: %v", err)
	}
	big := strings.Repeat("x", 600<<10)
	var long *types.BatchRequestTooLong
	if _, err := b.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: awssdk.String("a"), MessageBody: &big}, {Id: awssdk.String("b"), MessageBody: &big},
	}}); !errors.As(err, &long) {
		t.Errorf("1.2 MiB in a batch: %v", err)
	}
}

func TestQueueRefusals(t *testing.T) {
	t.Parallel()
	b, ctx := newQueueBench(t), context.Background()
	url := b.create("strict", nil)
	var missing *types.QueueDoesNotExist
	if _, err := b.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: awssdk.String("nowhere")}); !errors.As(err, &missing) {
		t.Errorf("a queue that is not there: %v", err)
	}
	if err := send(b.Client, url, strings.Repeat("x", 1<<20), 0); err != nil {
		t.Errorf("1 MiB exactly: %v", err)
	}
	if err := send(b.Client, url, strings.Repeat("x", 1<<20+1), 0); err == nil {
		t.Error("a message over 1 MiB was accepted")
	}
	var exists *types.QueueNameExists
	if _, err := b.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: awssdk.String("strict"), Attributes: map[string]string{"VisibilityTimeout": "7"}}); !errors.As(err, &exists) {
		t.Errorf("creating a queue with other attributes: %v", err)
	}
	var attribute *types.InvalidAttributeName
	if _, err := b.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Nope": "1"}}); !errors.As(err, &attribute) {
		t.Errorf("an unknown attribute: %v", err)
	}
	for name, in := range map[string]*sqs.ReceiveMessageInput{
		"eleven messages": {QueueUrl: &url, MaxNumberOfMessages: 11},
		"a long wait":     {QueueUrl: &url, WaitTimeSeconds: 21},
	} {
		if _, err := b.ReceiveMessage(ctx, in); err == nil {
			t.Errorf("receiving with %s was accepted", name)
		}
	}
}

func TestQueuesSurviveAKill(t *testing.T) {
	t.Parallel()
	dir, c, ctx := t.TempDir(), newClock(), context.Background()
	first := start(t, aws.Options{Dir: dir, Clock: c})
	b := queueBench{sqs.NewFromConfig(first.Config()), t, c}
	url := b.create("kept", map[string]string{"VisibilityTimeout": "60"})
	for _, body := range []string{"one", "two", "three"} {
		b.send(url, body)
	}
	got := b.receive(url)
	if _, err := b.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: got[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	// A second server over the same files, without closing the first, sees what a
	// killed process leaves behind. The object store holds a lock, so the queues
	// are opened alone.
	b = queueBench{sqs.NewFromConfig(start(t, aws.Options{Dir: copyQueues(t, dir), Clock: c}).Config()), t, c}
	if got := b.bodies(url); got != "" {
		t.Errorf("messages in flight were delivered after the restart: %s", got)
	}
	c.Advance(61 * time.Second)
	if got := b.bodies(url); got != "two,three" {
		t.Errorf("after the restart got %q, want two,three", got)
	}
}

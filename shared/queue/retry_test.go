package queue_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/infra/local/aws"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// postponer remembers for how long the messages of each receipt were hidden.
type postponer struct {
	waits map[string]time.Duration
	err   error
	left  time.Duration // until the deadline of the call
}

func (p *postponer) Postpone(ctx context.Context, _ queue.Name, waits []queue.Wait) error {
	if end, ok := ctx.Deadline(); ok && ctx.Err() == nil {
		p.left = time.Until(end)
	}
	for _, w := range waits {
		p.waits[w.Receipt] = w.For
	}
	return p.err
}

// received is a message with its body as the handle of its n-th delivery.
func received(body string, n int) events.SQSMessage {
	return events.SQSMessage{MessageId: body, Body: body, ReceiptHandle: body, Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(n)}}
}

func TestFailedMessagesComeBackAfterTheirBackoff(t *testing.T) {
	t.Parallel()
	const longest = 15 * time.Minute
	for n, most := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 3: 8 * time.Second, 9: 512 * time.Second,
		10: longest, 11: longest, 75: longest, catalog.MaxReceives - 1: longest, catalog.MaxReceives: 0} {
		seen := map[time.Duration]bool{}
		for range 20 {
			p := &postponer{waits: map[string]time.Duration{}}
			h := queue.Each(queue.Notify, 2, slog.New(slog.DiscardHandler), func(_ context.Context, m events.SQSMessage) error {
				switch m.Body {
				case "good":
					return nil
				case "panic":
					panic("oh")
				}
				return errors.New("busy")
			}, queue.WithPostponer(p))
			if _, err := h.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{received("good", n), received("bad", n), received("panic", n)}}); err != nil {
				t.Fatal(err)
			}
			if _, ok := p.waits["good"]; ok || len(p.waits) != 2 {
				t.Fatalf("postponed %v, want those that failed", p.waits)
			}
			for receipt, wait := range p.waits {
				if wait < most/2 || wait > most {
					t.Errorf("%s waits %v after delivery %d, want %v to %v", receipt, wait, n, most/2, most)
				}
				seen[wait] = true
			}
		}
		if most > 0 && len(seen) < 20 {
			t.Errorf("after delivery %d messages wait %d different times of 40: they come back together", n, len(seen))
		}
	}
}

func TestAFaultMayNameTheTimeOfTheNextDelivery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after, want time.Duration
		n           int
	}{{0, 0, 1}, {time.Minute, time.Minute, 1}, {time.Minute, time.Minute, 70}, {time.Hour, 15 * time.Minute, 3}, {time.Minute, 0, catalog.MaxReceives}} {
		p := &postponer{waits: map[string]time.Duration{}}
		h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), func(context.Context, events.SQSMessage) error {
			return queue.RetryAfter(errors.New("busy"), c.after)
		}, queue.WithPostponer(p))
		if _, err := h.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{received("m", c.n)}}); err != nil {
			t.Fatal(err)
		}
		if got, ok := p.waits["m"]; !ok || got != c.want {
			t.Errorf("%+v: waits %v", c, got)
		}
	}
	if queue.RetryAfter(nil, time.Minute) != nil {
		t.Error("no fault became one")
	}
}

// Messages are also postponed when the time of the call is over; a queue that refuses it costs the others nothing.
func TestPostponingGetsTimeOfItsOwn(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := &postponer{waits: map[string]time.Duration{}, err: errors.New("throttled")}
	ctx, cancel := context.WithCancel(t.Context())
	h := queue.Each(queue.Notify, 1, slog.New(slog.NewJSONHandler(&log, nil)), func(context.Context, events.SQSMessage) error {
		cancel()
		return errors.New("too slow")
	}, queue.WithPostponer(p))
	out, err := h.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{received("m", 1)}})
	if err != nil || len(out.BatchItemFailures) != 1 {
		t.Errorf("%v, %v", out, err)
	}
	if p.left <= 0 || p.left > 2*time.Second {
		t.Errorf("the call has %v, want 2s", p.left)
	}
	if !strings.Contains(log.String(), "throttled") {
		t.Errorf("log %s", log.String())
	}
}

// The client postpones in whole seconds, by the address of the queue that the process consumes.
func TestClientPostpones(t *testing.T) {
	t.Parallel()
	cloud, err := aws.Start(aws.Options{Clock: timestamp.NewManual(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	service := sqs.NewFromConfig(cloud.Config())
	made, err := service.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String("notify"), Attributes: map[string]string{"VisibilityTimeout": "900"}})
	if err != nil {
		t.Fatal(err)
	}
	url := awssdk.ToString(made.QueueUrl)
	_, err = service.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: awssdk.String("1"), MessageBody: awssdk.String("m")}}})
	if err != nil {
		t.Fatal(err)
	}
	receive := func() []types.Message {
		got, err := service.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		if err != nil {
			t.Fatal(err)
		}
		return got.Messages
	}
	for name, c := range map[string]queue.Config{"own": {Own: url}, "among all": {URLs: map[string]string{"notify": url}}} {
		first := receive()
		if len(first) != 1 {
			t.Fatalf("%s: %d messages", name, len(first))
		}
		client := queue.NewClient(service, c)
		handle := awssdk.ToString(first[0].ReceiptHandle)
		if err := client.Postpone(t.Context(), queue.Notify, []queue.Wait{{Receipt: handle, For: time.Millisecond}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := receive(); len(got) != 0 {
			t.Errorf("%s: a part of a second counts as none", name)
		}
		if err := client.Postpone(t.Context(), queue.Notify, []queue.Wait{{Receipt: handle}, {Receipt: "nonsense"}}); err == nil || !strings.Contains(err.Error(), "1 of 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := queue.NewClient(service, queue.Config{}).Postpone(t.Context(), queue.Notify, nil); err == nil {
		t.Error("without an address it does not fail")
	}
}

// A message that fails for about an hour is counted for an alarm: AWS does not count it as waiting.
func TestAMessageThatFailsForAnHourIsCounted(t *testing.T) {
	t.Parallel()
	for receives, counted := range map[int]bool{13: false, 14: true, catalog.MaxReceives - 1: true, catalog.MaxReceives: false} {
		var out bytes.Buffer
		h := queue.Each(queue.Notify, 1, slog.New(slog.DiscardHandler), func(context.Context, events.SQSMessage) error { return errors.New("busy") },
			queue.WithMetrics(telemetry.NewMetrics(&out, "test", "notify", timestamp.NewManual(time.Unix(0, 0)))))
		if _, err := h.Handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m",
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(receives)}}}}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "message_failing") != counted {
			t.Errorf("delivery %d: %s", receives, out.String())
		}
	}
}

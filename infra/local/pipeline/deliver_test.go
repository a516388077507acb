package pipeline_test

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lafaekstreet/backend/shared/queue"
)

// order is the order in which queues are served: the last step of a report first, so one round does one step only.
func order() []queue.Name {
	return []queue.Name{queue.Notify, queue.Anchor, queue.Geocode, queue.Validate, queue.Images, queue.Fetch}
}

// take receives up to ten messages.
func (s *system) take(name queue.Name) []events.SQSMessage {
	s.Helper()
	got, err := s.sqs.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{QueueUrl: awssdk.String(s.urls[name]), MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
	s.must(err)
	var out []events.SQSMessage
	for _, m := range got.Messages {
		out = append(out, events.SQSMessage{MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Attributes: m.Attributes})
	}
	return out
}

// hand gives a batch to a worker and deletes the messages that the worker did not report as failed.
func (s *system) hand(ctx context.Context, name queue.Name, to queue.Handler, batch []events.SQSMessage) {
	s.Helper()
	res, err := to.Handle(ctx, events.SQSEvent{Records: batch})
	s.must(err)
	failed := map[string]bool{}
	for _, f := range res.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	for _, m := range batch {
		if !failed[m.MessageId] {
			s.remove(name, m)
		}
	}
}

func (s *system) remove(name queue.Name, m events.SQSMessage) {
	_, _ = s.sqs.DeleteMessage(s.Context(), &sqs.DeleteMessageInput{QueueUrl: awssdk.String(s.urls[name]), ReceiptHandle: awssdk.String(m.ReceiptHandle)})
}

// deliver gives one batch of each queue to its worker. It reports whether there was a message.
func (s *system) deliver(names ...queue.Name) bool {
	s.Helper()
	any := false
	for _, name := range names {
		batch := s.take(name)
		if len(batch) == 0 {
			continue
		}
		any = true
		ctx, cancel := s.Context(), func() {}
		if s.limit > 0 && s.faults.Pending() != nil && (name == queue.Images || name == queue.Validate) {
			ctx, cancel = context.WithTimeout(ctx, s.limit)
		}
		s.hand(ctx, name, s.handlers[name], batch)
		cancel()
	}
	return any
}

// later moves everything that waits for a time one hour ahead: messages on queues and in the outbox, leases, pauses.
func (s *system) later() {
	s.Helper()
	s.clock.by.Add(int64(time.Hour))
	for _, sql := range []string{
		`UPDATE outbox SET not_before = not_before - interval '1 hour'`,
		`UPDATE notification_deliveries SET updated_at = updated_at - interval '1 hour' WHERE state IN ('claimed', 'sending', 'delayed')`,
		`UPDATE log_head SET signed_at = signed_at - interval '1 hour', leased_until = leased_until - interval '1 hour', wake_at = wake_at - interval '1 hour', budget_at = budget_at - interval '1 hour'`,
		`UPDATE log_messages SET next_attempt_at = next_attempt_at - interval '1 hour', created_at = created_at - interval '1 hour', updated_at = updated_at - interval '1 hour'`,
		`UPDATE ledger_circuit SET probe_at = probe_at - interval '1 hour' WHERE probe_at IS NOT NULL`,
		`UPDATE geocoder_turn SET next_at = now() - interval '1 hour', open_until = NULL`,
	} {
		_, err := s.owner.Exec(s.Context(), sql)
		s.must(err)
	}
}

// settle delivers messages and skips time until all work is done.
func (s *system) settle() {
	s.Helper()
	for idle, rounds := 0, 0; ; rounds++ {
		if rounds > 400 {
			s.Fatalf("after %d rounds there is still work:%s", rounds, s.left())
		}
		if s.deliver(order()...) {
			continue
		}
		if s.left() != "" {
			idle = 0
		} else if idle++; idle > 2 {
			return
		}
		s.later()
		s.sweep()
	}
}

// left describes unfinished work; it is empty if there is none.
func (s *system) left() string {
	s.Helper()
	out := ""
	for _, q := range s.cloud.SQS.Overview(1) {
		if len(q.DeadLetterOf) == 0 && q.Visible+q.InFlight+q.Delayed > 0 {
			out += " queue " + q.Name + ": " + q.Messages[0].Body
		}
	}
	var rows string
	const q = `SELECT concat_ws(' ', (SELECT 'outbox ' || count(*) FROM outbox HAVING count(*) > 0),
		(SELECT string_agg(report_number || ' ' || ai_status, ' ') FROM reports WHERE ai_status IN ('queued', 'processing')),
		(SELECT 'unconfirmed ' || count(*) FROM ledger_events WHERE log_index >=
			coalesce((SELECT max(size) FROM log_messages WHERE state = 'confirmed'), 0) HAVING count(*) > 0),
		(SELECT 'not shown ' || count(*) FROM log_messages WHERE shown < size HAVING count(*) > 0))`
	s.must(s.owner.QueryRow(s.Context(), q).Scan(&rows))
	return out + rows
}

// sweep runs relay once, within its timeout in Lambda.
func (s *system) sweep() {
	ctx, cancel := context.WithTimeout(s.Context(), 55*time.Second)
	defer cancel()
	_ = s.relay.Run(ctx, events.EventBridgeEvent{})
}

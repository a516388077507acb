package sqs

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// recheck bounds how long a long poll sleeps, so that it notices an injected clock.
const recheck = 50 * time.Millisecond

type receiveInput struct {
	QueueUrl                    string
	MaxNumberOfMessages         *int
	WaitTimeSeconds             *int
	VisibilityTimeout           *int
	MessageSystemAttributeNames []string
}

type received struct {
	MessageId     string
	ReceiptHandle string
	Body          string
	MD5OfBody     string
	Attributes    map[string]string `json:",omitempty"`
}

type receiveOutput struct {
	Messages []received `json:",omitempty"`
}

// within returns value, or fallback when value is nil. A value outside low and high is an error.
func within(name string, value *int, fallback, low, high int) (int, error) {
	if value == nil {
		return fallback, nil
	}
	if *value < low || *value > high {
		return 0, awsjson.Errorf("InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", *value, name, low, high)
	}
	return *value, nil
}

func (s *Service) receiveMessage(ctx context.Context, in receiveInput) (receiveOutput, error) {
	limit, err := within("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 1, MaxBatch)
	if err != nil {
		return receiveOutput{}, err
	}
	if _, err := within("VisibilityTimeout", in.VisibilityTimeout, 0, 0, 43200); err != nil {
		return receiveOutput{}, err
	}
	if _, err := within("WaitTimeSeconds", in.WaitTimeSeconds, 0, 0, 20); err != nil {
		return receiveOutput{}, err
	}
	var deadline <-chan time.Time
	for {
		out, changed, wait, err := s.tryReceive(in, limit)
		if err != nil || len(out.Messages) > 0 || wait <= 0 {
			return out, err
		}
		if deadline == nil {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			deadline = timer.C
		}
		tick := time.NewTimer(recheck)
		select {
		case <-changed:
		case <-tick.C:
		case <-deadline:
			tick.Stop()
			return out, nil
		case <-ctx.Done():
			tick.Stop()
			return out, nil
		}
		tick.Stop()
	}
}

// tryReceive takes the messages that are receivable now. It also returns a channel that is closed at the queue's next
// change, and how long the caller may wait for it.
func (s *Service) tryReceive(in receiveInput, limit int) (receiveOutput, <-chan struct{}, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return receiveOutput{}, nil, 0, err
	}
	wait, visibility := q.seconds("ReceiveMessageWaitTimeSeconds"), q.seconds("VisibilityTimeout")
	if in.WaitTimeSeconds != nil {
		wait = time.Duration(*in.WaitTimeSeconds) * time.Second
	}
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	now := s.opts.Now()
	if err := s.expire(q, now); err != nil {
		return receiveOutput{}, nil, 0, err
	}
	picked, err := s.pick(q, now, limit)
	if err != nil {
		return receiveOutput{}, nil, 0, err
	}
	deliveries := map[int64]delivery{}
	for _, m := range picked {
		d := m.delivery
		d.VisibleAt, d.Received = now.Add(visibility), d.Received+1
		if d.First.IsZero() {
			d.First = now
		}
		d.Receipt = base64.RawURLEncoding.EncodeToString([]byte(q.name + " " + m.ID + " " + uuid.NewString()))
		deliveries[m.Seq] = d
	}
	if len(picked) > 0 {
		if err := s.write(record{Queue: q.name, Deliver: deliveries}); err != nil {
			return receiveOutput{}, nil, 0, err
		}
	}
	var out receiveOutput
	for _, m := range picked {
		m.delivery = deliveries[m.Seq]
		out.Messages = append(out.Messages, s.render(m, in.MessageSystemAttributeNames))
	}
	return out, q.changed, wait, nil
}

// expire drops messages older than the retention period.
func (s *Service) expire(q *queue, now time.Time) error {
	var old []int64
	oldest := now.Add(-q.seconds("MessageRetentionPeriod"))
	for _, m := range q.messages {
		if m.Sent.Before(oldest) {
			old = append(old, m.Seq)
		}
	}
	if len(old) == 0 {
		return nil
	}
	if err := s.write(record{Queue: q.name, Delete: old}); err != nil {
		return err
	}
	q.drop(old)
	return nil
}

// pick chooses up to limit receivable messages, oldest first. A message that was received maxReceiveCount times goes
// to the dead-letter queue instead.
func (s *Service) pick(q *queue, now time.Time, limit int) ([]*message, error) {
	var picked, dead []*message
	policy, redrive := q.redrive()
	maxReceives, _ := strconv.Atoi(strings.Trim(policy.Max.String(), `"`))
	for _, m := range q.messages {
		if m.VisibleAt.After(now) {
			continue
		}
		if redrive && m.Received >= maxReceives {
			dead = append(dead, m)
			continue
		}
		if picked = append(picked, m); len(picked) == limit {
			break
		}
	}
	if len(dead) > 0 {
		target, err := s.byARN(policy.Target)
		if err != nil {
			return nil, err
		}
		for _, m := range dead {
			moved := *m
			moved.Source = s.arn(q.name)
			moved.Receipt, moved.VisibleAt = "", now
			if err := s.transfer(q, m, target, &moved); err != nil {
				return nil, err
			}
		}
	}
	return picked, nil
}

// transfer moves m from one queue to another. It writes the copy first, so a crash in between duplicates the message
// and does not lose it.
func (s *Service) transfer(from *queue, m *message, to *queue, moved *message) error {
	moved.Seq = s.seq + 1
	if err := s.write(record{Queue: to.name, Send: moved}); err != nil {
		return err
	}
	s.seq = moved.Seq
	to.messages = append(to.messages, moved)
	if err := s.write(record{Queue: from.name, Delete: []int64{m.Seq}}); err != nil {
		return err
	}
	from.drop([]int64{m.Seq})
	to.wake()
	return nil
}

func (s *Service) render(m *message, wanted []string) received {
	out := received{MessageId: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, MD5OfBody: md5Hex(m.Body), Attributes: map[string]string{}}
	all := map[string]string{
		"SenderId": s.opts.AccountID, "SentTimestamp": milliseconds(m.Sent),
		"ApproximateReceiveCount": strconv.Itoa(m.Received), "ApproximateFirstReceiveTimestamp": milliseconds(m.First),
	}
	if m.Source != "" {
		all["DeadLetterQueueSourceArn"] = m.Source
	}
	for name, value := range all {
		if slices.Contains(wanted, "All") || slices.Contains(wanted, name) {
			out.Attributes[name] = value
		}
	}
	return out
}

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

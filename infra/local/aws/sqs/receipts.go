package sqs

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// byReceipt finds the message a handle was given out for; nil when it is gone.
func (q *queue) byReceipt(handle string) (*message, error) {
	raw, err := base64.RawURLEncoding.DecodeString(handle)
	parts := strings.Split(string(raw), " ")
	if err != nil || len(parts) != 3 {
		return nil, awsjson.Errorf("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	if parts[0] != q.name {
		return nil, awsjson.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is not for this queue.")
	}
	_, m := q.find(parts[1])
	return m, nil
}

type receiptEntry struct {
	Id                string
	ReceiptHandle     string
	VisibilityTimeout *int
}

type receiptInput struct {
	QueueUrl string
	receiptEntry
}

// delete removes the message. A handle of an earlier delivery removes nothing
// from a standard queue, as the service allows, and is an error in a FIFO queue.
func (s *Service) delete(q *queue, handle string) error {
	m, err := q.byReceipt(handle)
	if err != nil || m == nil {
		return err
	}
	stale := m.Receipt != handle || q.fifo() && !m.inFlight(s.opts.Now())
	if stale {
		if q.fifo() {
			return awsjson.Errorf("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", handle)
		}
		return nil
	}
	if err := s.write(record{Queue: q.name, Delete: []int64{m.Seq}}); err != nil {
		return err
	}
	remove(q, []int64{m.Seq})
	q.wake()
	return nil
}

// setVisibility makes the message receivable that long from now.
func (s *Service) setVisibility(q *queue, e receiptEntry) error {
	if e.VisibilityTimeout == nil {
		return awsjson.Errorf("MissingParameter", "The request must contain the parameter VisibilityTimeout.")
	}
	seconds, err := within("VisibilityTimeout", e.VisibilityTimeout, 0, 0, 43200)
	if err != nil {
		return err
	}
	m, err := q.byReceipt(e.ReceiptHandle)
	if err != nil {
		return err
	}
	now := s.opts.Now()
	if m == nil || m.Receipt != e.ReceiptHandle || !m.inFlight(now) {
		return &awsjson.Error{
			Code: "MessageNotInflight", QueryCode: "AWS.SimpleQueueService.MessageNotInflight",
			Message: "Value " + e.ReceiptHandle + " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.",
		}
	}
	d := m.delivery
	d.VisibleAt = now.Add(time.Duration(seconds) * time.Second)
	if err := s.write(record{Queue: q.name, Deliver: map[int64]delivery{m.Seq: d}}); err != nil {
		return err
	}
	m.delivery = d
	q.wake()
	return nil
}

func (s *Service) deleteMessage(_ context.Context, in receiptInput) (empty, error) {
	return empty{}, s.onReceipt(in, func(q *queue, e receiptEntry) error { return s.delete(q, e.ReceiptHandle) })
}

func (s *Service) changeVisibility(_ context.Context, in receiptInput) (empty, error) {
	return empty{}, s.onReceipt(in, s.setVisibility)
}

func (s *Service) onReceipt(in receiptInput, f func(*queue, receiptEntry) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return err
	}
	return f(q, in.receiptEntry)
}

type receiptBatchInput struct {
	QueueUrl string
	Entries  []receiptEntry
}

type idOnly struct{ Id string }

type receiptBatchOutput struct {
	Successful []idOnly
	Failed     []failed
}

func (s *Service) deleteMessageBatch(_ context.Context, in receiptBatchInput) (receiptBatchOutput, error) {
	return s.onReceipts(in, func(q *queue, e receiptEntry) error { return s.delete(q, e.ReceiptHandle) })
}

func (s *Service) changeVisibilityBatch(_ context.Context, in receiptBatchInput) (receiptBatchOutput, error) {
	return s.onReceipts(in, s.setVisibility)
}

func (s *Service) onReceipts(in receiptBatchInput, f func(*queue, receiptEntry) error) (receiptBatchOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return receiptBatchOutput{}, err
	}
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch(ids); err != nil {
		return receiptBatchOutput{}, err
	}
	var out receiptBatchOutput
	for _, e := range in.Entries {
		if err := f(q, e); err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, idOnly{e.Id})
	}
	return out, nil
}

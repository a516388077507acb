package sqs

import (
	"context"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// visibilityEntry says how many seconds a message that is in flight stays hidden, from now on.
type visibilityEntry struct {
	receiptEntry
	VisibilityTimeout int
}

// hide changes how long the message of a receipt handle stays hidden. As with the service, only the handle of the newest
// delivery of a message that is in flight can do so.
func (s *Service) hide(q *queue, e visibilityEntry) error {
	if _, err := within("VisibilityTimeout", &e.VisibilityTimeout, 0, 0, 43200); err != nil {
		return err
	}
	m, err := q.byReceipt(e.ReceiptHandle)
	if err != nil {
		return err
	}
	now := s.opts.Now()
	if m == nil || m.Receipt != e.ReceiptHandle || m.state(now) != inFlight {
		return &awsjson.Error{Code: "MessageNotInflight", Message: "The message referred to is not in flight.", QueryCode: "AWS.SimpleQueueService.MessageNotInflight"}
	}
	d := m.delivery
	d.VisibleAt = now.Add(time.Duration(e.VisibilityTimeout) * time.Second)
	if err := s.write(record{Queue: q.name, Deliver: map[int64]delivery{m.Seq: d}}); err != nil {
		return err
	}
	m.delivery = d
	q.wake()
	return nil
}

type visibilityInput struct {
	QueueUrl string
	visibilityEntry
}

func (s *Service) changeVisibility(_ context.Context, in visibilityInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return empty{}, err
	}
	return empty{}, s.hide(q, in.visibilityEntry)
}

type visibilityBatchInput struct {
	QueueUrl string
	Entries  []visibilityEntry
}

type visibilityBatchOutput struct {
	Successful []idOnly
	Failed     []failed
}

func (s *Service) changeVisibilityBatch(_ context.Context, in visibilityBatchInput) (visibilityBatchOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return visibilityBatchOutput{}, err
	}
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch(ids); err != nil {
		return visibilityBatchOutput{}, err
	}
	var out visibilityBatchOutput
	for _, e := range in.Entries {
		if err := s.hide(q, e); err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, idOnly{e.Id})
	}
	return out, nil
}

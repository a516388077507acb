package sqs

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// byReceipt returns the message that a receipt handle was given for, or nil when the message is gone.
func (q *queue) byReceipt(handle string) (*message, error) {
	raw, err := base64.RawURLEncoding.DecodeString(handle)
	parts := strings.Split(string(raw), " ")
	if err != nil || len(parts) != 3 {
		return nil, awsjson.Errorf("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	if parts[0] != q.name {
		return nil, awsjson.Errorf("ReceiptHandleIsInvalid", "The input receipt handle is not for this queue.")
	}
	return q.find(parts[1]), nil
}

type receiptEntry struct {
	Id            string
	ReceiptHandle string
}

// remove deletes the message of a receipt handle. The handle of an earlier delivery deletes nothing and is no error,
// as with the service.
func (s *Service) remove(q *queue, handle string) error {
	m, err := q.byReceipt(handle)
	if err != nil || m == nil || m.Receipt != handle {
		return err
	}
	if err := s.write(record{Queue: q.name, Delete: []int64{m.Seq}}); err != nil {
		return err
	}
	q.drop([]int64{m.Seq})
	return nil
}

type deleteInput struct {
	QueueUrl string
	receiptEntry
}

func (s *Service) deleteMessage(_ context.Context, in deleteInput) (empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return empty{}, err
	}
	return empty{}, s.remove(q, in.ReceiptHandle)
}

type deleteBatchInput struct {
	QueueUrl string
	Entries  []receiptEntry
}

type idOnly struct{ Id string }

type deleteBatchOutput struct {
	Successful []idOnly
	Failed     []failed
}

func (s *Service) deleteMessageBatch(_ context.Context, in deleteBatchInput) (deleteBatchOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return deleteBatchOutput{}, err
	}
	ids := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch(ids); err != nil {
		return deleteBatchOutput{}, err
	}
	var out deleteBatchOutput
	for _, e := range in.Entries {
		if err := s.remove(q, e.ReceiptHandle); err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, idOnly{e.Id})
	}
	return out, nil
}

package sqs

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// entry is one message to send.
type entry struct {
	Id           string
	MessageBody  string
	DelaySeconds *int
}

type sent struct {
	Id               string
	MessageId        string
	MD5OfMessageBody string
}

// Send puts body on the queue named by arn, as S3 does for its notifications.
func (s *Service) Send(arn, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byARN(arn)
	if err != nil {
		return err
	}
	_, err = s.send(q, entry{MessageBody: body})
	return err
}

// HasQueue reports whether the queue named by arn exists.
func (s *Service) HasQueue(arn string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.byARN(arn)
	return err == nil
}

func (s *Service) send(q *queue, e entry) (sent, error) {
	if err := e.check(); err != nil {
		return sent{}, err
	}
	now, delay := s.opts.Now(), q.seconds("DelaySeconds")
	if e.DelaySeconds != nil {
		delay = time.Duration(*e.DelaySeconds) * time.Second
	}
	m := &message{ID: uuid.NewString(), Seq: s.seq + 1, Body: e.MessageBody, Sent: now, delivery: delivery{VisibleAt: now.Add(delay)}}
	if err := s.write(record{Queue: q.name, Send: m}); err != nil {
		return sent{}, err
	}
	s.seq = m.Seq
	q.messages = append(q.messages, m)
	q.wake()
	return sent{Id: e.Id, MessageId: m.ID, MD5OfMessageBody: md5Hex(e.MessageBody)}, nil
}

func (e entry) check() error {
	if e.MessageBody == "" {
		return awsjson.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	if len(e.MessageBody) > MaxMessageBytes {
		return awsjson.Errorf("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", MaxMessageBytes)
	}
	if !utf8.ValidString(e.MessageBody) || strings.ContainsFunc(e.MessageBody, forbidden) {
		return awsjson.Errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	}
	_, err := within("DelaySeconds", e.DelaySeconds, 0, 0, 900)
	return err
}

func forbidden(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

type failed struct {
	Id          string
	Code        string
	Message     string
	SenderFault bool
}

func failure(id string, err error) failed {
	var e *awsjson.Error
	if errors.As(err, &e) {
		return failed{Id: id, Code: e.Code, Message: e.Message, SenderFault: true}
	}
	return failed{Id: id, Code: "InternalError", Message: err.Error()}
}

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch refuses a batch that is empty or too long, or whose ids are invalid or repeated.
func checkBatch(ids []string) error {
	if len(ids) == 0 {
		return &awsjson.Error{Code: "EmptyBatchRequest", Message: "There should be at least one entry in the request.", QueryCode: "AWS.SimpleQueueService.EmptyBatchRequest"}
	}
	if len(ids) > MaxBatch {
		return &awsjson.Error{
			Code: "TooManyEntriesInBatchRequest", Message: fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", MaxBatch, len(ids)),
			QueryCode: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
		}
	}
	for i, id := range ids {
		if !batchID.MatchString(id) {
			return &awsjson.Error{Code: "InvalidBatchEntryId", Message: "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.", QueryCode: "AWS.SimpleQueueService.InvalidBatchEntryId"}
		}
		if slices.Contains(ids[:i], id) {
			return &awsjson.Error{Code: "BatchEntryIdsNotDistinct", Message: "Id " + id + " repeated.", QueryCode: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"}
		}
	}
	return nil
}

type sendBatchInput struct {
	QueueUrl string
	Entries  []entry
}

type sendBatchOutput struct {
	Successful []sent
	Failed     []failed
}

func (s *Service) sendMessageBatch(_ context.Context, in sendBatchInput) (sendBatchOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return sendBatchOutput{}, err
	}
	ids, total := make([]string, len(in.Entries)), 0
	for i, e := range in.Entries {
		ids[i] = e.Id
		total += len(e.MessageBody)
	}
	if err := checkBatch(ids); err != nil {
		return sendBatchOutput{}, err
	}
	if total > MaxMessageBytes {
		return sendBatchOutput{}, &awsjson.Error{
			Code: "BatchRequestTooLong", Message: fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", MaxMessageBytes, total),
			QueryCode: "AWS.SimpleQueueService.BatchRequestTooLong",
		}
	}
	var out sendBatchOutput
	for _, e := range in.Entries {
		ok, err := s.send(q, e)
		if err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, ok)
	}
	return out, nil
}

func md5Hex(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

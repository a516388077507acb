package sqs

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// dedupWindow is how long a FIFO queue remembers a deduplication id.
const dedupWindow = 5 * time.Minute

type messageAttribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// entry is one message to send, alone or in a batch.
type entry struct {
	Id                      string
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]messageAttribute
	MessageSystemAttributes map[string]messageAttribute
	MessageGroupId          string
	MessageDeduplicationId  string
}

func (e entry) bytes() int {
	n := len(e.MessageBody)
	for name, a := range e.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

type sendInput struct {
	QueueUrl string
	entry
}

type sent struct {
	Id                     string `json:",omitempty"`
	MessageId              string
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
	SequenceNumber         string `json:",omitempty"`
}

func (s *Service) sendMessage(_ context.Context, in sendInput) (sent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return sent{}, err
	}
	return s.send(q, in.entry)
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
	if err := q.check(e); err != nil {
		return sent{}, err
	}
	now := s.opts.Now()
	out := sent{Id: e.Id, MD5OfMessageBody: md5Hex([]byte(e.MessageBody)), MD5OfMessageAttributes: md5OfAttributes(e.MessageAttributes)}
	m := &message{
		ID: uuid.NewString(), Seq: s.seq + 1, Body: e.MessageBody, Attributes: e.MessageAttributes,
		Group: e.MessageGroupId, Dedup: e.MessageDeduplicationId, Sent: now,
	}
	if trace := e.MessageSystemAttributes["AWSTraceHeader"]; trace.StringValue != nil {
		m.Trace = *trace.StringValue
	}
	delay := q.seconds("DelaySeconds")
	if e.DelaySeconds != nil {
		delay = time.Duration(*e.DelaySeconds) * time.Second
	}
	m.VisibleAt = now.Add(delay)
	if q.fifo() {
		if m.Dedup == "" {
			sum := sha256.Sum256([]byte(e.MessageBody))
			m.Dedup = hex.EncodeToString(sum[:])
		}
		maps.DeleteFunc(q.dedup, func(_ string, d deduplicated) bool { return !d.until.After(now) })
		if earlier, ok := q.dedup[m.Dedup]; ok {
			out.MessageId, out.SequenceNumber = earlier.id, sequence(earlier.seq)
			return out, nil
		}
		out.SequenceNumber = sequence(m.Seq)
	}
	out.MessageId = m.ID
	if err := s.write(record{Queue: q.name, Send: m}); err != nil {
		return sent{}, err
	}
	s.seq = m.Seq
	s.place(q, m)
	q.wake()
	return out, nil
}

func sequence(n int64) string { return fmt.Sprintf("%020d", n) }

func (q *queue) check(e entry) error {
	if e.MessageBody == "" {
		return awsjson.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	limit := MaxMessageBytes
	if _, err := fmt.Sscan(q.attributes["MaximumMessageSize"], &limit); err != nil {
		limit = MaxMessageBytes
	}
	if e.bytes() > limit {
		return awsjson.Errorf("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	if !utf8.ValidString(e.MessageBody) || strings.ContainsFunc(e.MessageBody, forbidden) {
		return awsjson.Errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	}
	if len(e.MessageAttributes) > 10 {
		return awsjson.Errorf("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(e.MessageAttributes))
	}
	if e.DelaySeconds != nil && (*e.DelaySeconds < 0 || *e.DelaySeconds > 900) {
		return awsjson.Errorf("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.", *e.DelaySeconds)
	}
	if !q.fifo() {
		if e.MessageDeduplicationId != "" {
			return awsjson.Errorf("InvalidParameterValue", "The request includes a parameter that is not valid for this queue type")
		}
		return nil
	}
	if e.MessageGroupId == "" {
		return awsjson.Errorf("MissingParameter", "The request must contain the parameter MessageGroupId.")
	}
	if e.DelaySeconds != nil && *e.DelaySeconds > 0 {
		return awsjson.Errorf("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", *e.DelaySeconds)
	}
	if e.MessageDeduplicationId == "" && q.attributes["ContentBasedDeduplication"] != "true" {
		return awsjson.Errorf("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
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
		total += e.bytes()
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

func md5Hex(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes follows "Calculating the MD5 message digest for message
// attributes" of the SQS developer guide.
func md5OfAttributes(attributes map[string]messageAttribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(p []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add([]byte(name))
		add([]byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			b = append(b, 2)
			add(a.BinaryValue)
			continue
		}
		b = append(b, 1)
		if a.StringValue != nil {
			add([]byte(*a.StringValue))
		}
	}
	return md5Hex(b)
}

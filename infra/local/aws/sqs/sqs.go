// Package sqs stands in for Amazon SQS: standard and FIFO queues, long polling,
// visibility timeouts, dead letters and redrive, by the JSON protocol.
package sqs

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
	"github.com/lafaekstreet/backend/infra/local/journal"
)

// Limits of the service, in bytes and messages.
const (
	MaxMessageBytes = 1 << 20
	MaxBatch        = 10
	maxInflight     = 120_000
)

// Options configures a Service.
type Options struct {
	// Dir keeps the queues across restarts; empty keeps them in memory.
	Dir string
	// URL is the base of queue URLs, without a slash at the end.
	URL, Region, AccountID string
	Now                    func() time.Time
}

// Service holds the queues of one account.
type Service struct {
	opts Options

	mu      sync.Mutex
	queues  map[string]*queue
	journal *journal.Journal
	seq     int64
	moves   []moveTask
}

// New opens the queues kept in opts.Dir.
func New(opts Options) (*Service, error) {
	s := &Service{opts: opts, queues: map[string]*queue{}}
	path := ""
	if opts.Dir != "" {
		path = filepath.Join(opts.Dir, "queues.jsonl")
	}
	var err error
	if s.journal, err = journal.Open(path, s.replay); err != nil {
		return nil, fmt.Errorf("sqs: %w", err)
	}
	if err := s.compact(); err != nil {
		return nil, fmt.Errorf("sqs: %w", err)
	}
	return s, nil
}

// Close ends the service; what was acknowledged stays.
func (s *Service) Close() error { return s.journal.Close() }

// Protocol is how SQS words its answers.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "sqs", ContentType: "application/x-amz-json-1.0", Namespace: "com.amazonaws.sqs#", QueryErrors: true,
		Internal:  awsjson.Error{Code: "InternalFailure", Message: "The request processing has failed because of an unknown error, exception or failure.", Status: 500},
		Throttled: awsjson.Error{Code: "RequestThrottled", Message: "The request was denied due to request throttling.", Status: 400},
	}
}

// Operations are the calls served, by name.
func (s *Service) Operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateQueue":                  awsjson.Op(s.createQueue),
		"DeleteQueue":                  awsjson.Op(s.deleteQueue),
		"GetQueueUrl":                  awsjson.Op(s.queueURL),
		"ListQueues":                   awsjson.Op(s.listQueues),
		"GetQueueAttributes":           awsjson.Op(s.queueAttributes),
		"SetQueueAttributes":           awsjson.Op(s.setQueueAttributes),
		"PurgeQueue":                   awsjson.Op(s.purgeQueue),
		"SendMessage":                  awsjson.Op(s.sendMessage),
		"SendMessageBatch":             awsjson.Op(s.sendMessageBatch),
		"ReceiveMessage":               awsjson.Op(s.receiveMessage),
		"DeleteMessage":                awsjson.Op(s.deleteMessage),
		"DeleteMessageBatch":           awsjson.Op(s.deleteMessageBatch),
		"ChangeMessageVisibility":      awsjson.Op(s.changeVisibility),
		"ChangeMessageVisibilityBatch": awsjson.Op(s.changeVisibilityBatch),
		"ListDeadLetterSourceQueues":   awsjson.Op(s.deadLetterSources),
		"StartMessageMoveTask":         awsjson.Op(s.startMove),
		"ListMessageMoveTasks":         awsjson.Op(s.listMoves),
		"ListQueueTags":                awsjson.Op(s.listTags),
		"TagQueue":                     awsjson.Op(s.tagQueue),
	}
}

// queue is one queue; Service.mu guards it.
type queue struct {
	name       string
	attributes map[string]string
	tags       map[string]string
	created    time.Time
	modified   time.Time
	// messages are in the order of their sequence numbers.
	messages []*message
	// dedup maps a FIFO deduplication id to the message sent with it.
	dedup map[string]deduplicated
	// changed is closed and replaced whenever a message may have become receivable.
	changed chan struct{}
}

type deduplicated struct {
	id    string
	seq   int64
	until time.Time
}

// message is a message as the journal keeps it.
type message struct {
	ID         string                      `json:"id"`
	Seq        int64                       `json:"seq"`
	Body       string                      `json:"body"`
	Attributes map[string]messageAttribute `json:"attributes,omitempty"`
	Trace      string                      `json:"trace,omitempty"`
	Group      string                      `json:"group,omitempty"`
	Dedup      string                      `json:"dedup,omitempty"`
	Sent       time.Time                   `json:"sent"`
	Source     string                      `json:"source,omitempty"`
	delivery
}

// delivery is the part of a message that changes.
type delivery struct {
	// VisibleAt is when the message may be received: delayed or in flight before.
	VisibleAt time.Time `json:"visible_at"`
	Received  int       `json:"received,omitempty"`
	First     time.Time `json:"first,omitzero"`
	// Receipt is the handle of the newest delivery, the only one that counts.
	Receipt string `json:"receipt,omitempty"`
}

func (m *message) inFlight(now time.Time) bool { return m.Receipt != "" && m.VisibleAt.After(now) }

func newQueue(name string, now time.Time) *queue {
	return &queue{name: name, attributes: map[string]string{}, created: now, modified: now, dedup: map[string]deduplicated{}, changed: make(chan struct{})}
}

func (q *queue) fifo() bool { return strings.HasSuffix(q.name, ".fifo") }

func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) find(id string) (int, *message) {
	for i, m := range q.messages {
		if m.ID == id {
			return i, m
		}
	}
	return -1, nil
}

func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.opts.Region + ":" + s.opts.AccountID + ":" + name
}

func (s *Service) url(name string) string { return s.opts.URL + "/" + s.opts.AccountID + "/" + name }

// byURL accepts any host, as queue URLs are kept in configuration across ports.
func (s *Service) byURL(url string) (*queue, error) {
	return s.byName(url[strings.LastIndexByte(url, '/')+1:])
}

func (s *Service) byARN(arn string) (*queue, error) {
	return s.byName(arn[strings.LastIndexByte(arn, ':')+1:])
}

func (s *Service) byName(name string) (*queue, error) {
	if q, ok := s.queues[name]; ok {
		return q, nil
	}
	return nil, &awsjson.Error{Code: "QueueDoesNotExist", Message: "The specified queue does not exist.", QueryCode: "AWS.SimpleQueueService.NonExistentQueue"}
}

// record is one line of the journal. Exactly one of the pointers is set.
type record struct {
	Queue   string             `json:"queue"`
	Create  *created           `json:"create,omitempty"`
	Drop    bool               `json:"drop,omitempty"`
	Send    *message           `json:"send,omitempty"`
	Deliver map[int64]delivery `json:"deliver,omitempty"`
	Delete  []int64            `json:"delete,omitempty"`
}

type created struct {
	Attributes map[string]string `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	Created    time.Time         `json:"created"`
	Modified   time.Time         `json:"modified"`
}

func (s *Service) replay(line []byte) error {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	if r.Create != nil {
		q := s.queues[r.Queue]
		if q == nil {
			q = newQueue(r.Queue, r.Create.Created)
			s.queues[r.Queue] = q
		}
		q.attributes, q.tags, q.modified = r.Create.Attributes, r.Create.Tags, r.Create.Modified
		return nil
	}
	q := s.queues[r.Queue]
	if q == nil {
		return errors.New("record of a queue that was never created: " + r.Queue)
	}
	switch {
	case r.Drop:
		delete(s.queues, r.Queue)
	case r.Send != nil:
		s.seq = max(s.seq, r.Send.Seq)
		s.place(q, r.Send)
	default:
		for _, m := range q.messages {
			if d, ok := r.Deliver[m.Seq]; ok {
				m.delivery = d
			}
		}
		remove(q, r.Delete)
	}
	return nil
}

// place adds m to q in memory, with its deduplication.
func (s *Service) place(q *queue, m *message) {
	q.messages = append(q.messages, m)
	if m.Dedup != "" {
		q.dedup[m.Dedup] = deduplicated{id: m.ID, seq: m.Seq, until: m.Sent.Add(dedupWindow)}
	}
}

func remove(q *queue, seqs []int64) {
	if len(seqs) > 0 {
		q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return slices.Contains(seqs, m.Seq) })
	}
}

// compactAt is the journal's size in bytes that is worth rewriting.
const compactAt = 64 << 20

func (s *Service) write(r record) error {
	if err := s.journal.Append(r); err != nil {
		return err
	}
	if s.journal.Size() > compactAt {
		return s.compact()
	}
	return nil
}

func (s *Service) compact() error {
	var records []any
	for name, q := range s.queues {
		records = append(records, record{Queue: name, Create: q.snapshot()})
		for _, m := range q.messages {
			records = append(records, record{Queue: name, Send: m})
		}
	}
	return s.journal.Rewrite(records)
}

func (q *queue) snapshot() *created {
	return &created{Attributes: q.attributes, Tags: q.tags, Created: q.created, Modified: q.modified}
}

// Package sqs stands in for Amazon SQS: standard queues with long polling, visibility timeouts, dead-letter queues and
// redrive, over the JSON protocol.
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

// Close ends the service. Acknowledged messages stay on disk.
func (s *Service) Close() error { return s.journal.Close() }

// Protocol describes the answers of SQS.
func Protocol() *awsjson.Protocol {
	return &awsjson.Protocol{
		Service: "sqs", ContentType: "application/x-amz-json-1.0", Namespace: "com.amazonaws.sqs#", QueryErrors: true,
		Internal:  awsjson.Error{Code: "InternalFailure", Message: "The request processing has failed because of an unknown error, exception or failure.", Status: 500},
		Throttled: awsjson.Error{Code: "RequestThrottled", Message: "The request was denied due to request throttling.", Status: 400},
	}
}

// Operations are the operations served, by name.
func (s *Service) Operations() map[string]awsjson.Operation {
	return map[string]awsjson.Operation{
		"CreateQueue":                  awsjson.Op(s.createQueue),
		"GetQueueUrl":                  awsjson.Op(s.queueURL),
		"GetQueueAttributes":           awsjson.Op(s.queueAttributes),
		"SetQueueAttributes":           awsjson.Op(s.setQueueAttributes),
		"SendMessageBatch":             awsjson.Op(s.sendMessageBatch),
		"ReceiveMessage":               awsjson.Op(s.receiveMessage),
		"ChangeMessageVisibility":      awsjson.Op(s.changeVisibility),
		"ChangeMessageVisibilityBatch": awsjson.Op(s.changeVisibilityBatch),
		"DeleteMessage":                awsjson.Op(s.deleteMessage),
		"DeleteMessageBatch":           awsjson.Op(s.deleteMessageBatch),
		"StartMessageMoveTask":         awsjson.Op(s.startMove),
		"ListMessageMoveTasks":         awsjson.Op(s.listMoves),
	}
}

// queue is one queue. Service.mu guards it.
type queue struct {
	name       string
	attributes map[string]string
	// messages are in the order of their sequence numbers.
	messages []*message
	// changed is closed and replaced whenever a message may have become receivable.
	changed chan struct{}
}

func newQueue(name string) *queue {
	return &queue{name: name, attributes: map[string]string{}, changed: make(chan struct{})}
}

// message is a message as the journal keeps it.
type message struct {
	ID     string    `json:"id"`
	Seq    int64     `json:"seq"`
	Body   string    `json:"body"`
	Sent   time.Time `json:"sent"`
	Source string    `json:"source,omitempty"` // ARN of the queue whose dead letter it is
	delivery
}

// delivery is the part of a message that changes.
type delivery struct {
	// VisibleAt is when the message may be received. Until then it is delayed or in flight.
	VisibleAt time.Time `json:"visible_at"`
	Received  int       `json:"received,omitempty"` // times
	First     time.Time `json:"first,omitzero"`     // when it was first received
	// Receipt is the handle of the newest delivery. Older handles delete nothing.
	Receipt string `json:"receipt,omitempty"`
}

// state says what may be done with a message.
type state string

const (
	visible  state = "visible"
	inFlight state = "in_flight"
	delayed  state = "delayed"
)

func (m *message) state(now time.Time) state {
	switch {
	case !m.VisibleAt.After(now):
		return visible
	case m.Receipt != "":
		return inFlight
	}
	return delayed
}

func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *queue) find(id string) *message {
	i := slices.IndexFunc(q.messages, func(m *message) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return q.messages[i]
}

// drop removes messages from memory, by sequence number.
func (q *queue) drop(seqs []int64) {
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return slices.Contains(seqs, m.Seq) })
}

func (q *queue) snapshot() *created { return &created{Attributes: q.attributes} }

func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.opts.Region + ":" + s.opts.AccountID + ":" + name
}

func (s *Service) url(name string) string { return s.opts.URL + "/" + s.opts.AccountID + "/" + name }

// byURL accepts any host: a URL kept in configuration stays valid when the port changes.
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

// record is one line of the journal: a queue's attributes, a message sent, or messages delivered or deleted.
type record struct {
	Queue   string             `json:"queue"`
	Create  *created           `json:"create,omitempty"`
	Send    *message           `json:"send,omitempty"`
	Deliver map[int64]delivery `json:"deliver,omitempty"`
	Delete  []int64            `json:"delete,omitempty"`
}

type created struct {
	Attributes map[string]string `json:"attributes"`
}

func (s *Service) replay(line []byte) error {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	q := s.queues[r.Queue]
	if r.Create != nil {
		if q == nil {
			q = newQueue(r.Queue)
			s.queues[r.Queue] = q
		}
		q.attributes = r.Create.Attributes
		return nil
	}
	if q == nil {
		return errors.New("record of a queue that was never created: " + r.Queue)
	}
	if r.Send != nil {
		s.seq = max(s.seq, r.Send.Seq)
		q.messages = append(q.messages, r.Send)
		return nil
	}
	for _, m := range q.messages {
		if d, ok := r.Deliver[m.Seq]; ok {
			m.delivery = d
		}
	}
	q.drop(r.Delete)
	return nil
}

// compactAt is the size of the journal in bytes from which it is rewritten.
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

// compact rewrites the journal with the queues and messages that exist.
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

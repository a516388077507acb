package sqs

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Queue is one queue as the local console shows it.
type Queue struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	ARN  string `json:"arn"`
	// DeadLetterOf names the queues that this queue is the dead-letter queue of.
	DeadLetterOf []string `json:"dead_letter_of,omitempty"`
	Visible      int      `json:"visible"`
	InFlight     int      `json:"in_flight"`
	Delayed      int      `json:"delayed"`
	// Messages are the oldest ones. Looking at them does not receive them.
	Messages []Message `json:"messages"`
}

// Message is one message as the local console shows it.
type Message struct {
	ID       string    `json:"id"`
	Body     string    `json:"body"`
	SentAt   time.Time `json:"sent_at"`
	Received int       `json:"received"` // times
	State    state     `json:"state"`
}

// Overview describes every queue by name, each with up to limit messages.
func (s *Service) Overview(limit int) []Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	out := []Queue{}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		o := Queue{Name: name, URL: s.url(name), ARN: s.arn(name), DeadLetterOf: s.sourcesOf(q), Messages: []Message{}}
		n := q.counts(now)
		o.Visible, o.InFlight, o.Delayed = n.visible, n.inFlight, n.delayed
		for _, m := range q.messages[:min(limit, len(q.messages))] {
			o.Messages = append(o.Messages, Message{ID: m.ID, Body: m.Body, SentAt: m.Sent.UTC(), Received: m.Received, State: m.state(now)})
		}
		out = append(out, o)
	}
	return out
}

// Redrive sends each message of the dead-letter queue called name to the queue it came from, as StartMessageMoveTask
// does, and returns how many were moved.
func (s *Service) Redrive(name string) (int, error) {
	if _, err := s.startMove(context.Background(), startMoveInput{SourceArn: s.arn(name)}); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moves[len(s.moves)-1].moved, nil
}

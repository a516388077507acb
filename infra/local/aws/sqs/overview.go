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
	// DeadLetterOf names the queues whose dead letters end here.
	DeadLetterOf []string `json:"dead_letter_of,omitempty"`
	Visible      int      `json:"visible"`
	InFlight     int      `json:"in_flight"`
	Delayed      int      `json:"delayed"`
	// Messages are the oldest at hand, without being received.
	Messages []Message `json:"messages"`
}

// Message is one message as the local console shows it.
type Message struct {
	ID       string    `json:"id"`
	Body     string    `json:"body"`
	SentAt   time.Time `json:"sent_at"`
	Received int       `json:"received"`
	State    string    `json:"state"`
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
			state := "visible"
			if m.inFlight(now) {
				state = "in_flight"
			} else if m.VisibleAt.After(now) {
				state = "delayed"
			}
			o.Messages = append(o.Messages, Message{ID: m.ID, Body: m.Body, SentAt: m.Sent.UTC(), Received: m.Received, State: state})
		}
		out = append(out, o)
	}
	return out
}

// Redrive moves the dead letters of the queue called name back to where they
// came from, as StartMessageMoveTask does, and tells how many.
func (s *Service) Redrive(name string) (int, error) {
	if _, err := s.startMove(context.Background(), startMoveInput{SourceArn: s.arn(name)}); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moves[len(s.moves)-1].moved, nil
}

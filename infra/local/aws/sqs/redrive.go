package sqs

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/aws/awsjson"
)

// moveTask is a finished redrive. The stand-in moves all messages at once.
type moveTask struct {
	source, destination string
	moved               int
	at                  time.Time
}

type startMoveInput struct {
	SourceArn      string
	DestinationArn string
}

type startMoveOutput struct{ TaskHandle string }

// startMove sends the messages of a dead-letter queue to the destination, or each to the queue it came from when none
// is named. Their receive counts start again at 0.
func (s *Service) startMove(_ context.Context, in startMoveInput) (startMoveOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := s.byARN(in.SourceArn)
	if err != nil {
		return startMoveOutput{}, &awsjson.Error{Code: "ResourceNotFoundException", Message: "The resource that you specified for the SourceArn parameter doesn't exist.", Status: 404}
	}
	if len(s.sourcesOf(from)) == 0 {
		return startMoveOutput{}, awsjson.Errorf("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
	}
	now, moved := s.opts.Now(), 0
	for _, m := range slices.Clone(from.messages) {
		if m.state(now) == inFlight {
			continue
		}
		destination := in.DestinationArn
		if destination == "" {
			destination = m.Source
		}
		to, err := s.byARN(destination)
		if err != nil {
			return startMoveOutput{}, &awsjson.Error{Code: "ResourceNotFoundException", Message: "The destination queue of a message doesn't exist.", Status: 404}
		}
		back := *m
		back.Source, back.Sent, back.delivery = "", now, delivery{VisibleAt: now}
		if err := s.transfer(from, m, to, &back); err != nil {
			return startMoveOutput{}, err
		}
		moved++
	}
	s.moves = append(s.moves, moveTask{source: in.SourceArn, destination: in.DestinationArn, moved: moved, at: now})
	return startMoveOutput{uuid.NewString()}, nil
}

type listMovesInput struct {
	SourceArn  string
	MaxResults *int
}

type moveResult struct {
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	StartedTimestamp                  int64
}

type listMovesOutput struct{ Results []moveResult }

func (s *Service) listMoves(_ context.Context, in listMovesInput) (listMovesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit, err := within("MaxResults", in.MaxResults, 1, 1, 10)
	if err != nil {
		return listMovesOutput{}, err
	}
	var out listMovesOutput
	for _, t := range slices.Backward(s.moves) {
		if t.source == in.SourceArn && len(out.Results) < limit {
			out.Results = append(out.Results, moveResult{
				Status: "COMPLETED", SourceArn: t.source, DestinationArn: t.destination, StartedTimestamp: t.at.UnixMilli(),
				ApproximateNumberOfMessagesMoved: t.moved, ApproximateNumberOfMessagesToMove: t.moved,
			})
		}
	}
	return out, nil
}

// sourcesOf returns the names of the queues whose dead-letter queue is q, sorted.
func (s *Service) sourcesOf(q *queue) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if p, ok := s.queues[name].redrive(); ok && p.Target == s.arn(q.name) {
			out = append(out, name)
		}
	}
	return out
}

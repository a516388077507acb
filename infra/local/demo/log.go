package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// The parts that a stage may not have yet: WITHOUT="ai ledger".
const (
	partAI     = "ai"
	partLedger = "ledger"
)

// parts reads the list of parts that the demo does not wait for.
func parts(list string) (map[string]bool, error) {
	out := make(map[string]bool)
	for _, p := range strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' }) {
		if p != partAI && p != partLedger {
			return nil, fmt.Errorf("WITHOUT=%q: only ai and ledger can be left out", p)
		}
		out[p] = true
	}
	return out, nil
}

// published waits for a checkpoint of the public log: without the ledger, this is what shows that the event of the report is kept.
func (s *story) published(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for {
		answer, err := s.api.Do(ctx, apiclient.Request{Path: "//log/checkpoint"})
		if err == nil && answer.Status == 200 {
			lines := strings.Split(string(answer.Body), "\n")
			if len(lines) < 2 {
				return fmt.Errorf("the checkpoint of the log is %q", answer.Body)
			}
			s.say("log", "a checkpoint of %s, with %s entries", lines[0], lines[1])
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s the public log has no checkpoint", s.patience)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// leave says what was not tried, and what the demo leaves in a system that is not local.
func (s *story) leave(number string) {
	if s.without[partAI] {
		s.say("not tried", "the verdict of the AI")
	}
	if s.without[partLedger] {
		s.say("not tried", "the ledger, and the proof by it")
	}
	if s.local {
		return
	}
	s.say("left", "the report %s: an administrator removes it at %s/r/%s, with a reason", number, s.api.URL, number)
	s.say("left", "the account %s: delete it at %s/me. Entries of the public log stay for good; they say no more than that a report was there", s.account, s.api.URL)
}

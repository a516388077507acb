package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Special keys of a scripted answer. They replace the whole answer of the next call.
const (
	// InputKey is the input of the tool call, unchanged and unchecked.
	InputKey = "_input"
	// TextKey is a text to answer with instead of the tool call.
	TextKey = "_text"
)

// script is the queue of scripted answers.
type script struct {
	mu      sync.Mutex
	answers []scripted
}

// scripted is one answer. Its keys are in the order in which they were written.
type scripted struct {
	keys   []string
	values map[string]json.RawMessage
}

// Script queues answers for the next Converse calls.
//
// An answer is a JSON object. It goes to the next call whose tool has a property named like the first key of the answer.
// Its keys that the tool has replace the computed values, unchecked. The other keys stay in the queue as an answer of
// their own. So {"is_relevant": true, "severity_score": 9} scripts both calls about a report, and
// {"is_relevant": false, "confidence": 0.95} changes no call whose tool has only a confidence. An answer with InputKey
// or TextKey goes to the very next call.
func (s *Service) Script(answers []json.RawMessage) error {
	parsed := make([]scripted, 0, len(answers))
	for i, raw := range answers {
		a, err := parseAnswer(raw)
		if err != nil {
			return fmt.Errorf("bedrock: answer %d: %w", i, err)
		}
		parsed = append(parsed, a)
	}
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.answers = append(s.script.answers, parsed...)
	return nil
}

// Scripted returns how many answers are in the queue.
func (s *Service) Scripted() int {
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	return len(s.script.answers)
}

// ClearScript empties the queue.
func (s *Service) ClearScript() {
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	s.script.answers = nil
}

func parseAnswer(raw json.RawMessage) (scripted, error) {
	a := scripted{}
	if err := json.Unmarshal(raw, &a.values); err != nil || len(a.values) == 0 {
		return scripted{}, errors.New("want a JSON object with at least one key")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil {
		return scripted{}, err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return scripted{}, err
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return scripted{}, err
		}
		a.keys = append(a.keys, key.(string))
	}
	return a, nil
}

// apply merges the scripted answer for tool, if there is one, into answer. The second value is not empty when the answer
// is to be that text instead of a tool call.
func (s *script) apply(tool *toolSpec, answer map[string]any) (map[string]any, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.answers {
		if text, ok := a.values[TextKey]; ok {
			s.answers = slices.Delete(s.answers, i, i+1)
			var words string
			_ = json.Unmarshal(text, &words)
			return nil, words
		}
		if input, ok := a.values[InputKey]; ok {
			s.answers = slices.Delete(s.answers, i, i+1)
			var verbatim map[string]any
			_ = json.Unmarshal(input, &verbatim)
			return verbatim, ""
		}
		has := func(key string) bool { _, ok := tool.InputSchema.JSON.Properties[key]; return ok }
		if !has(a.keys[0]) {
			continue
		}
		merged, left := maps.Clone(answer), scripted{values: a.values}
		for _, key := range a.keys {
			if !has(key) {
				left.keys = append(left.keys, key)
				continue
			}
			var value any
			_ = json.Unmarshal(a.values[key], &value)
			merged[key] = value
		}
		if len(left.keys) > 0 {
			s.answers[i] = left
		} else {
			s.answers = slices.Delete(s.answers, i, i+1)
		}
		return merged, ""
	}
	return answer, ""
}

// Call is one answered Converse call.
type Call struct {
	At     time.Time      `json:"at"`
	Tool   string         `json:"tool"`
	Text   string         `json:"text"`
	Images int            `json:"images"`
	Answer map[string]any `json:"answer"`
}

// maxCalls is how many calls are remembered.
const maxCalls = 200

type callLog struct {
	mu    sync.Mutex
	calls []Call
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls = append(l.calls, c); len(l.calls) > maxCalls {
		l.calls = slices.Delete(l.calls, 0, len(l.calls)-maxCalls)
	}
}

// Calls returns the newest answered Converse calls, oldest first, at most 200.
func (s *Service) Calls() []Call {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return slices.Clone(s.calls.calls)
}

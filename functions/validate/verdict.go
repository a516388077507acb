package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
)

// Bounds of what is kept of an answer, in characters.
const (
	maxTitle   = 80
	maxText    = 600
	maxReason  = 300
	maxWord    = 60
	maxHazards = 5
	// maxAnswer bounds a whole answer, in bytes.
	maxAnswer = 16 << 10
)

// errMalformed reports an answer that is not the form that was demanded.
var errMalformed = errors.New("answer is malformed")

// relevance is the verdict of the first question.
type relevance struct {
	Relevant   bool
	Confidence float64 // 0 to 1
	Reason     string
}

// damage is the verdict of the second question.
type damage struct {
	DamageType    string
	IssueType     report.IssueType
	Score         int // 1 to 10
	Confidence    float64
	Title         string
	Description   string
	Repair        string
	RepairUrgency string
	Hazards       []string
}

// parseRelevance is strict where leniency could reject a report: without a clear
// yes or no and a confidence between 0 and 1 there is no verdict.
func parseRelevance(raw []byte) (relevance, error) {
	fields, err := parseFields(raw)
	if err != nil {
		return relevance{}, err
	}
	var v relevance
	var ok bool
	if v.Relevant, ok = boolean(fields["is_relevant"]); !ok {
		return relevance{}, fmt.Errorf("%w: is_relevant is no boolean", errMalformed)
	}
	if v.Confidence, ok = number(fields["confidence"]); !ok || v.Confidence < 0 || v.Confidence > 1 {
		return relevance{}, fmt.Errorf("%w: confidence is not between 0 and 1", errMalformed)
	}
	v.Reason = words(fields["reason"], maxReason)
	return v, nil
}

// parseDamage is lenient: the report is real, and whatever is odd about the
// details is brought into bounds. Only a severity that is no number is refused.
func parseDamage(raw []byte) (damage, error) {
	fields, err := parseFields(raw)
	if err != nil {
		return damage{}, err
	}
	score, ok := number(fields["severity_score"])
	if !ok {
		return damage{}, fmt.Errorf("%w: severity_score is no number", errMalformed)
	}
	d := damage{
		DamageType: words(fields["damage_type"], maxWord),
		Score:      int(math.Round(max(1, min(10, score)))),
		Title:      words(fields["title"], maxTitle), Description: words(fields["description"], maxText),
		Repair: words(fields["recommended_repair"], maxText), RepairUrgency: urgency(words(fields["repair_urgency"], maxWord)),
		Hazards: []string{},
	}
	d.IssueType, _ = report.ParseIssueType(words(fields["issue_type"], maxWord))
	if c, ok := number(fields["confidence"]); ok {
		d.Confidence = max(0, min(1, c))
	}
	if list, ok := fields["hazards"].([]any); ok {
		for _, item := range list[:min(len(list), maxHazards)] {
			if text := words(item, maxReason); text != "" {
				d.Hazards = append(d.Hazards, text)
			}
		}
	}
	return d, nil
}

func parseFields(raw []byte) (map[string]any, error) {
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("%w: %d bytes", errMalformed, len(raw))
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("%w: no object", errMalformed)
	}
	return fields, nil
}

// boolean is the truth v tells, and whether it tells one.
func boolean(v any) (bool, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "yes":
			return true, true
		case "false", "no":
			return false, true
		}
	}
	return false, false
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

// words is one line of plain text: no control characters, no mark-up, at most
// limit characters. Anything but a string is empty.
func words(v any, limit int) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '<' || r == '>' || r == unicode.ReplacementChar:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		s = strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return s
}

// storable is raw as the database takes it, nil when there is too much of it.
func storable(raw []byte) json.RawMessage {
	if len(raw) > maxAnswer || len(raw) == 0 {
		return nil
	}
	return database.JSON(raw)
}

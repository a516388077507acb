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

// Bounds of a parsed answer, in characters unless a line says otherwise.
const (
	maxTitle   = 80
	maxText    = 600
	maxReason  = 300
	maxWord    = 60
	maxHazards = 5        // items
	maxAnswer  = 16 << 10 // bytes of the whole answer
)

// errMalformed is the error for an answer that has not the required form.
var errMalformed = errors.New("answer is malformed")

// relevance is the answer to the first question.
type relevance struct {
	Relevant   bool
	Confidence float64 // 0 to 1
	Reason     string
	Translated report.AITranslations // its Reason
}

// damage is the answer to the second question.
type damage struct {
	DamageType    string
	IssueType     report.IssueType
	Score         int     // 1 to 10
	Confidence    float64 // 0 to 1
	Title         string
	Description   string
	Repair        string
	RepairUrgency string
	Hazards       []string
	Translated    report.AITranslations // Title, Description and Repair
}

// parseRelevance reads the answer about relevance. It is strict, because this answer
// can reject a report: is_relevant must be a clear yes or no, and the confidence must
// be between 0 and 1.
func parseRelevance(raw []byte) (relevance, error) {
	fields, err := parseFields(raw)
	if err != nil {
		return relevance{}, err
	}
	var v relevance
	var ok bool
	if v.Relevant, ok = parseBool(fields["is_relevant"]); !ok {
		return relevance{}, fmt.Errorf("%w: is_relevant is not a boolean", errMalformed)
	}
	if v.Confidence, ok = parseNumber(fields["confidence"]); !ok || v.Confidence < 0 || v.Confidence > 1 {
		return relevance{}, fmt.Errorf("%w: confidence is not between 0 and 1", errMalformed)
	}
	v.Reason = plainText(fields["reason"], maxReason)
	v.Translated = translated(fields, func(in func(string, int) string) report.AIWords {
		return report.AIWords{RelevanceReason: in("reason", maxReason)}
	})
	return v, nil
}

// parseDamage reads the answer about the damage. Only severity_score must be a
// number. Every other value is shortened or brought into its range, or left empty.
func parseDamage(raw []byte) (damage, error) {
	fields, err := parseFields(raw)
	if err != nil {
		return damage{}, err
	}
	score, ok := parseNumber(fields["severity_score"])
	if !ok {
		return damage{}, fmt.Errorf("%w: severity_score is not a number", errMalformed)
	}
	d := damage{
		DamageType: plainText(fields["damage_type"], maxWord),
		Score:      int(math.Round(max(1, min(10, score)))),
		Title:      plainText(fields["title"], maxTitle), Description: plainText(fields["description"], maxText),
		Repair: plainText(fields["recommended_repair"], maxText), RepairUrgency: parseUrgency(plainText(fields["repair_urgency"], maxWord)),
		Hazards: []string{},
		Translated: translated(fields, func(in func(string, int) string) report.AIWords {
			return report.AIWords{Title: in("title", maxTitle), Description: in("description", maxText), RecommendedRepair: in("recommended_repair", maxText)}
		}),
	}
	d.IssueType, _ = report.ParseIssueType(plainText(fields["issue_type"], maxWord))
	if c, ok := parseNumber(fields["confidence"]); ok {
		d.Confidence = max(0, min(1, c))
	}
	if list, ok := fields["hazards"].([]any); ok {
		for _, item := range list[:min(len(list), maxHazards)] {
			if text := plainText(item, maxReason); text != "" {
				d.Hazards = append(d.Hazards, text)
			}
		}
	}
	return d, nil
}

// translated reads the words of an answer in each language but English: in reads the member name_<language>.
func translated(fields map[string]any, words func(in func(name string, limit int) string) report.AIWords) report.AITranslations {
	out := report.AITranslations{}
	for _, l := range promptLanguages() {
		w := words(func(name string, limit int) string { return plainText(fields[name+"_"+string(l)], limit) })
		if w != (report.AIWords{}) {
			out[l] = w
		}
	}
	return out
}

func parseFields(raw []byte) (map[string]any, error) {
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("%w: %d bytes", errMalformed, len(raw))
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("%w: not a JSON object", errMalformed)
	}
	return fields, nil
}

// parseBool reads a JSON boolean or the words true, yes, false and no. The second
// result is false for anything else.
func parseBool(v any) (bool, bool) {
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

// parseNumber reads a JSON number or a string with one; it must be finite.
func parseNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

// plainText returns v as one line without control characters and angle brackets, cut
// to limit characters. It returns "" if v is not a string.
func plainText(v any, limit int) string {
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

// storableJSON returns raw as the database can store it, or nil if it is empty or
// larger than maxAnswer.
func storableJSON(raw []byte) json.RawMessage {
	if len(raw) > maxAnswer || len(raw) == 0 {
		return nil
	}
	return database.JSON(raw)
}

package validate

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// The model reads texts of strangers, so its answer may be as long as they want.
func TestTextsOfAnAnswerAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 700)
	raw, err := json.Marshal(map[string]any{"severity_score": 5, "damage_type": long, "title": long, "description": long,
		"recommended_repair": long, "hazards": []string{long, "b", "c", "d", "e", "f"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := parseDamage(raw)
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRelevance([]byte(`{"is_relevant": true, "confidence": 1, "reason": "` + long + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		want       int // characters
	}{{"damage type", d.DamageType, 60}, {"title", d.Title, 80}, {"description", d.Description, 600}, {"repair", d.Repair, 600},
		{"hazard", d.Hazards[0], 300}, {"reason", r.Reason, 300}} {
		if n := utf8.RuneCountInString(c.text); n != c.want {
			t.Errorf("%s has %d characters, want %d", c.name, n, c.want)
		}
	}
	if len(d.Hazards) != 5 {
		t.Errorf("%d hazards, want 5", len(d.Hazards))
	}
}

func TestAnAnswerOfOver16KilobytesIsNeitherReadNorStored(t *testing.T) {
	t.Parallel()
	answer := func(size int) []byte {
		raw := `{"is_relevant": true, "confidence": 1, "reason": "`
		return []byte(raw + strings.Repeat("x", size-len(raw)-2) + `"}`)
	}
	if _, err := parseRelevance(answer(16 << 10)); err != nil || storableJSON(answer(16<<10)) == nil {
		t.Errorf("an answer of 16 KiB is refused: %v", err)
	}
	if _, err := parseRelevance(answer(16<<10 + 1)); !malformed(err) || storableJSON(answer(16<<10+1)) != nil {
		t.Errorf("a longer answer is read: %v", err)
	}
}

package report

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Severity is how bad the damage is. The priority of a report, how soon it should be repaired, has the same values.
type Severity string

// The severities.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities lists them, mildest first.
func Severities() []Severity { return []Severity{Low, Medium, High, Critical} }

// ParseSeverity reads a severity, ignoring case and separators; false for an unknown word.
func ParseSeverity(word string) (Severity, bool) { return parse(word, Severities()) }

// ReadSeverity reads a severity, or a score of 1 to 10 that stands for one; false for anything else.
func ReadSeverity(text string) (Severity, bool) {
	if score, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return SeverityOf(score), score >= 1 && score <= 10
	}
	return ParseSeverity(text)
}

// SeverityOf is the severity of a score of 1 to 10; a lower score counts as 1, a higher one as 10.
func SeverityOf(score int) Severity {
	switch {
	case score <= 3:
		return Low
	case score <= 6:
		return Medium
	case score <= 8:
		return High
	}
	return Critical
}

// SetSeverity is the part of an UPDATE of reports that sets the severity which a person chose. It also sets the priority. If
// the report has a score, it sets the nearest score of that severity. The parameter, such as "$2", is a Severity as text;
// null changes nothing.
func SetSeverity(parameter string) string {
	return strings.ReplaceAll(`severity = coalesce($?::text, severity), priority = coalesce($?::text, priority),
		severity_score = CASE WHEN severity_score IS NOT NULL THEN CASE $?::text
			WHEN 'low' THEN least(severity_score, 3)
			WHEN 'medium' THEN least(greatest(severity_score, 4), 6)
			WHEN 'high' THEN least(greatest(severity_score, 7), 8)
			WHEN 'critical' THEN greatest(severity_score, 9)
			ELSE severity_score END END`, "$?", parameter)
}

// Schema implements huma.SchemaProvider.
func (Severity) Schema(huma.Registry) *huma.Schema { return enumSchema("How bad it is", Severities()) }

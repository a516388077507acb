package report

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Severity is how bad it is; Priority, how soon it should be seen to, has the same words.
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

// ParseSeverity reads a severity tolerantly.
func ParseSeverity(word string) (Severity, bool) { return parse(word, Severities()) }

// SeverityOf is the word for a score of 1 to 10; scores outside count as the nearest inside.
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

// Graded is the part of an update that gives reports the severity a person found:
// it is also how soon they should be seen to, and a score, where there is one,
// goes no further than it has to for its word to be that one. Null leaves all
// three as they are. The parameter holds a Severity as text.
func Graded(parameter string) string {
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

// AIStatus is how far the AI's judgement of a report is.
type AIStatus string

// The AI statuses.
const (
	AIQueued      AIStatus = "queued"
	AIProcessing  AIStatus = "processing"
	AICompleted   AIStatus = "completed"
	AIRejected    AIStatus = "rejected"
	AINeedsReview AIStatus = "needs_review"
	AIFailed      AIStatus = "failed"
)

// AIStatuses lists them.
func AIStatuses() []AIStatus {
	return []AIStatus{AIQueued, AIProcessing, AICompleted, AIRejected, AINeedsReview, AIFailed}
}

// Schema implements huma.SchemaProvider.
func (AIStatus) Schema(huma.Registry) *huma.Schema {
	return enumSchema("How far the AI's judgement is", AIStatuses())
}

// LedgerStatus is how far a report's newest event is on its way to the public ledger.
type LedgerStatus string

// The ledger statuses.
const (
	LedgerQueued     LedgerStatus = "queued"
	LedgerSubmitting LedgerStatus = "submitting"
	LedgerSubmitted  LedgerStatus = "submitted"
	LedgerConfirmed  LedgerStatus = "confirmed"
	LedgerFailed     LedgerStatus = "failed"
)

// LedgerStatuses lists them.
func LedgerStatuses() []LedgerStatus {
	return []LedgerStatus{LedgerQueued, LedgerSubmitting, LedgerSubmitted, LedgerConfirmed, LedgerFailed}
}

// Schema implements huma.SchemaProvider.
func (LedgerStatus) Schema(huma.Registry) *huma.Schema {
	return enumSchema("How far the newest event is on its way to the public ledger", LedgerStatuses())
}

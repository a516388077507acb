package report

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Status is the state of a report.
type Status string

// The statuses.
const (
	Pending    Status = "pending"
	Verified   Status = "verified"
	InProgress Status = "in_progress"
	Fixed      Status = "fixed"
	Rejected   Status = "rejected"
	Duplicate  Status = "duplicate"
)

// Statuses lists them in the order of a report's life.
func Statuses() []Status {
	return []Status{Pending, Verified, InProgress, Fixed, Rejected, Duplicate}
}

// ParseStatus reads a status, ignoring case and separators, and accepts the words of other systems. It is false for an
// unknown word.
func ParseStatus(word string) (Status, bool) {
	switch fold(word) {
	case "resolved", "closed", "done":
		return Fixed, true
	case "ongoing", "working":
		return InProgress, true
	case "submitted", "new", "open":
		return Pending, true
	}
	return parse(word, Statuses())
}

// ParseList reads a comma-separated list with read. It also returns the first word that read does not know, or "".
func ParseList[T any](list string, read func(string) (T, bool)) ([]T, string) {
	var values []T
	for word := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(word) == "" {
			continue
		}
		v, ok := read(word)
		if !ok {
			return nil, word
		}
		values = append(values, v)
	}
	return values, ""
}

// Schema implements huma.SchemaProvider.
func (Status) Schema(huma.Registry) *huma.Schema {
	return enumSchema("Where the report stands", Statuses())
}

// AIStatus is the state of the AI's assessment of a report.
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

// ParseAIStatus reads an AI status, ignoring case and separators. It is false for an unknown word.
func ParseAIStatus(word string) (AIStatus, bool) { return parse(word, AIStatuses()) }

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

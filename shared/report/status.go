package report

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Status is where a report stands.
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

// ParseStatus reads a status, tolerating case, separators and the words other
// systems use for ours.
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

// ParseList reads a comma-separated list with read, and returns the first word it does not know, if any.
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

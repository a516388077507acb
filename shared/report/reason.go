package report

import (
	"github.com/danielgtaylor/huma/v2"
)

// ReasonCode is why a report is rejected, or removed by an administrator.
type ReasonCode string

// The reason codes. Other needs a note.
const (
	ReasonIrrelevant    ReasonCode = "irrelevant"
	ReasonOffensive     ReasonCode = "offensive"
	ReasonPersonalData  ReasonCode = "personal_data"
	ReasonDuplicateSpam ReasonCode = "duplicate_spam"
	ReasonUnsafe        ReasonCode = "unsafe"
	ReasonOther         ReasonCode = "other"
)

// ReasonCodes lists them.
func ReasonCodes() []ReasonCode {
	return []ReasonCode{ReasonIrrelevant, ReasonOffensive, ReasonPersonalData, ReasonDuplicateSpam, ReasonUnsafe, ReasonOther}
}

// ParseReasonCode reads a reason code, ignoring case and separators. It is false for an unknown word.
func ParseReasonCode(word string) (ReasonCode, bool) { return parse(word, ReasonCodes()) }

// Schema implements huma.SchemaProvider.
func (ReasonCode) Schema(huma.Registry) *huma.Schema {
	return enumSchema("Why a report was rejected or removed", ReasonCodes())
}

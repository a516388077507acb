package reportwrite

import (
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/warning"
)

// ReasonOf reads the reason_code of a move. A move that is no rejection has no use for one: w gets a warning.
func ReasonOf(to report.Status, word *string, w *warning.Collector) (report.ReasonCode, error) {
	if to == report.Rejected {
		return ReadReason(word)
	}
	if word != nil && strings.TrimSpace(*word) != "" {
		w.Add("reason_code", warning.NotTaken)
	}
	return "", nil
}

// ReadReason reads the reason_code of a request; "" where there is none.
func ReadReason(word *string) (report.ReasonCode, error) {
	if word == nil || *word == "" {
		return "", nil
	}
	code, ok := report.ParseReasonCode(*word)
	if !ok {
		return "", problem.InvalidField("reason_code", "irrelevant, offensive, personal_data, duplicate_spam, unsafe or other")
	}
	return code, nil
}

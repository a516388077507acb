package opendata

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

type csvEncoder struct {
	w *csv.Writer
}

func newCSV(w io.Writer) *csvEncoder { return &csvEncoder{csv.NewWriter(w)} }

func (e *csvEncoder) begin() error {
	return e.w.Write([]string{"report_number", "id", "issue_type", "severity", "status", "title", "description", "latitude", "longitude",
		"municipality", "district", "suco", "street", "created_at", "updated_at", "resolved_at"})
}

func (e *csvEncoder) row(r *row) error {
	resolved := ""
	if r.ResolvedAt != nil {
		resolved = timestamp.Of(*r.ResolvedAt).String()
	}
	return e.w.Write([]string{r.Number, r.ID.String(), r.IssueType, r.Severity, r.Status, cell(r.Title), cell(r.Description),
		strconv.FormatFloat(r.Latitude, 'f', -1, 64), strconv.FormatFloat(r.Longitude, 'f', -1, 64),
		cell(r.Municipality), cell(r.District), cell(r.Suco), cell(r.Street),
		timestamp.Of(r.CreatedAt).String(), timestamp.Of(r.UpdatedAt).String(), resolved})
}

func (e *csvEncoder) end() error {
	e.w.Flush()
	return e.w.Error()
}

// cell puts an apostrophe before text that a spreadsheet would run as a formula (OWASP, CSV injection).
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

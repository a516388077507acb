package staff

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// Bounds of a part of an export. Lambda limits an answer to 6 MB of JSON, in which each quote and line break of the text takes one
// more byte.
const (
	maxExportRows  = 5_000
	maxExportBytes = 4 << 20 // tested every 100 reports, of at most some 20 kB each
)

func (g *Group) registerExport(api *httpapi.API) {
	csvFile := map[string]*huma.MediaType{"text/csv; charset=utf-8": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/staff/export.csv", Tags: []string{name}, Summary: "Export the reports of a queue as CSV",
			Description: "In parts of up to 5,000 reports and 4 MB. The header Next-Cursor is there while there are more: send it as cursor for the next part. " +
				"It has no pages: page, page_size and limit are refused. Without kind, all reports: of an official those of the agency and those that no agency has in its area and kinds. " +
				"The file begins with a byte order mark. Text that a spreadsheet would run as a formula has an apostrophe before it. There is no contact data, " +
				"and no name of the reporter of an anonymous report. Each part is recorded in the audit log.",
			Responses: map[string]*huma.Response{"200": {Description: "A part of the export", Content: csvFile}},
		},
		Roles: identity.Staff(), Cache: httpapi.Never,
	}
	httpapi.Register(api, op, g.exportCSV)
}

type exportInput struct {
	Kind string `query:"kind" enum:"new,needs_review,flagged,assigned,mine,overdue" doc:"Default: all reports"`
	reportread.QueueOrder
}

type exportOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	NextCursor  string `header:"Next-Cursor" doc:"cursor of the next part; absent with the last"`
	Body        []byte
}

func (g *Group) exportCSV(ctx context.Context, in *exportInput) (*exportOutput, error) {
	out := &exportOutput{ContentType: "text/csv; charset=utf-8", Disposition: `attachment; filename="queue.csv"`}
	kind := report.Queue(in.Kind)
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		file := newExportFile()
		next, err := g.reader.Export(ctx, tx.Tx, identity.Must(ctx), kind, in.QueueOrder, maxExportRows, file.add)
		if err != nil {
			return err
		}
		if out.Body, err = file.bytes(); err != nil {
			return err
		}
		out.NextCursor = next
		return audit.Record(ctx, tx, audit.Entry{Action: "report.export", Entity: "queue", EntityID: in.Kind,
			After: map[string]any{"reports": file.rows, "agency": in.Agency, "first_part": in.Cursor == "", "more": next != ""}})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// exportFile is a part of an export while it is written.
type exportFile struct {
	buffer bytes.Buffer
	w      *csv.Writer
	rows   int
}

// newExportFile begins with a byte order mark, by which a spreadsheet knows UTF-8, and the names of the columns.
func newExportFile() *exportFile {
	f := &exportFile{}
	f.buffer.WriteString("\ufeff")
	f.w = csv.NewWriter(&f.buffer)
	_ = f.w.Write(exportHeader()) // to memory: it cannot fail
	return f
}

func exportHeader() []string {
	return []string{"report_number", "id", "issue_type", "severity", "status", "title", "description", "latitude", "longitude", "municipality", "district", "suco",
		"street", "created_at", "updated_at", "resolved_at", "address", "source", "priority", "agency", "assigned_to", "due_at", "reporter", "ai_status", "ai_is_relevant",
		"ai_confidence", "ai_reason", "ai_recommended_repair", "possible_duplicates_count", "flags_count", "confirmations_count", "comments_count", "appeal_reason",
		"content_hidden"}
}

// add writes a report. It returns false, and writes nothing, when the part is full.
func (f *exportFile) add(r *reportread.Exported) (bool, error) {
	if f.rows%100 == 99 {
		f.w.Flush()
	}
	if f.buffer.Len() >= maxExportBytes {
		return false, nil
	}
	f.rows++
	text := opendata.Cell
	return true, f.w.Write([]string{r.Number, r.ID.String(), r.IssueType, string(r.Severity), r.Status, text(r.Title), text(r.Description),
		strconv.FormatFloat(r.Latitude, 'f', -1, 64), strconv.FormatFloat(r.Longitude, 'f', -1, 64), text(r.Municipality), text(r.District), text(r.Suco),
		text(r.Street), timestamp.Of(r.CreatedAt).String(), timestamp.Of(r.UpdatedAt).String(), timeCell(r.ResolvedAt), text(r.Address), r.Source, string(r.Priority),
		r.Agency, text(r.AssignedTo), timeCell(r.DueAt), text(r.Reporter), r.AIStatus, boolCell(r.IsRelevant), confidenceCell(r.Confidence), textCell(r.RelevanceReason),
		textCell(r.RecommendedRepair), strconv.Itoa(r.Duplicates), strconv.Itoa(r.Flags), strconv.Itoa(r.Confirmations), strconv.Itoa(r.Comments), text(r.AppealReason),
		strconv.FormatBool(r.ContentHidden)})
}

// bytes is the part.
func (f *exportFile) bytes() ([]byte, error) {
	f.w.Flush()
	return f.buffer.Bytes(), f.w.Error()
}

func timeCell(t *time.Time) string {
	if t == nil {
		return ""
	}
	return timestamp.Of(*t).String()
}

func textCell(text *string) string {
	if text == nil {
		return ""
	}
	return opendata.Cell(*text)
}

func boolCell(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func confidenceCell(c *float32) string {
	if c == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*c), 'f', -1, 32)
}

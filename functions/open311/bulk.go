package open311

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerBulk(a *httpapi.API) {
	o := read("/requests.csv", "Reports as GeoReport Bulk")
	o.Responses = responses(o.Method)
	o.Responses["200"] = &huma.Response{Description: "The reports that match", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	httpapi.Register(a, o, g.bulk)
}

type bulkInput struct{ Call }

type bulkOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Truncated   string `header:"X-Truncated" doc:"true when there are more reports than these"`
	Body        []byte
}

// bulkColumns are the fields of GeoReport Bulk, in its order.
func bulkColumns() []string {
	return []string{"service_request_id", "requested_datetime", "updated_datetime", "closed_date", "status_description", "status_notes", "source",
		"service_name", "service_subtype", "description", "agency_responsible", "address", "lat", "long"}
}

// bulk has the reports of a search, newest first: those of the page that the client names, else up to the bound.
func (g *Group) bulk(ctx context.Context, in *bulkInput) (*bulkOutput, error) {
	if err := g.checkJurisdiction(ctx, in.Jurisdiction); err != nil {
		return nil, err
	}
	f, err := in.filters(g.clock.Now(), g.bounds)
	if err != nil {
		return nil, err
	}
	file := newCSVFile(g.bounds.mostBytes(&in.Call))
	file.write(bulkColumns()...)
	more, err := g.bulkPages(ctx, file, f, in.text("page") == "" && in.text("page_size") == "")
	if err != nil {
		return nil, err
	}
	out := &bulkOutput{ContentType: CSV.contentType(), Disposition: `attachment; filename="requests.csv"`, Body: file.body.Bytes()}
	if more {
		out.Truncated = "true"
	}
	return out, nil
}

// bulkPages writes a page of reports, with all also those after it up to the bound. It is true where there are more.
func (g *Group) bulkPages(ctx context.Context, file *csvFile, f filters, all bool) (bool, error) {
	for rows := 0; ; {
		found, err := g.reader.List(ctx, reportread.Public(), f.query, f.scopes...)
		if err != nil {
			return false, err
		}
		if f.beyond {
			if _, err := afterLast(document{}, len(found.Items) > 0); err != nil {
				return false, err
			}
		}
		fit, err := g.bulkRows(ctx, file, found.Items)
		if err != nil {
			return false, err
		}
		rows += len(found.Items)
		if !fit || !all || found.NextCursor == nil || rows >= g.bounds.rows {
			return !fit || found.HasNext, nil
		}
		f.query.Cursor = *found.NextCursor
	}
}

// bulkRows writes reports. It is false where the file has no place for all of them.
func (g *Group) bulkRows(ctx context.Context, file *csvFile, all []reportread.Summary) (bool, error) {
	ids := make([]uuid.UUID, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	details, err := g.reader.Details(ctx, ids, false)
	if err != nil {
		return false, err
	}
	for i := range all {
		if !file.write(bulkRow(ctx, &all[i], details[all[i].ID].Details)...) {
			return false, nil
		}
	}
	return true, nil
}

func bulkRow(ctx context.Context, s *reportread.Summary, d reportread.Details) []string {
	updated, closed, agency := w3Text(updatedAt(s, d)), "", ""
	if statusWord(s.Status) == statusClosed {
		closed = updated
	}
	if s.AssignedAgency != nil {
		agency = s.AssignedAgency.Name
	}
	degrees := func(d float64) string { return strconv.FormatFloat(d, 'f', -1, 64) }
	return []string{s.ReportNumber, w3Text(s.CreatedAt.Time), updated, closed, statusWord(s.Status), opendata.Cell(statusNotes(ctx, s, d.Note)), string(s.Source),
		s.IssueType.Label(locale.FromContext(ctx)), "", opendata.Cell(description(s)), opendata.Cell(agency), opendata.Cell(address(s)), degrees(s.Latitude), degrees(s.Longitude)}
}

// csvFile is a file of at most some bytes.
type csvFile struct {
	body bytes.Buffer
	out  *csv.Writer
	most int
}

func newCSVFile(most int) *csvFile {
	f := &csvFile{most: most}
	f.out = csv.NewWriter(&f.body)
	f.out.UseCRLF = true // RFC 4180
	return f
}

// write adds a row; false where the file has no place for it.
func (f *csvFile) write(cells ...string) bool {
	before := f.body.Len()
	_ = f.out.Write(cells) // writing to a buffer cannot fail
	f.out.Flush()
	if f.body.Len() > f.most {
		f.body.Truncate(before)
		return false
	}
	return true
}

package public

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// maxExported bounds the rows of a filtered export. Without filters the export is a file with all reports.
const maxExported = 10_000

// Bounds of a filtered export, in bytes before compression. Lambda limits an answer to 6 MB of JSON. A plain text needs one
// more byte for each quote in it; a compressed one is sent as base64, four bytes for three. gzip makes reports three times
// smaller or better.
const (
	maxPlain  = 4 << 20  // sent as it is
	maxPacked = 12 << 20 // sent with gzip
)

// startSize is the room for an export from the beginning, in bytes: a buffer that grows from nothing copies a large export several times.
const startSize = 1 << 20

// fileLink is how long a link to the file is valid.
const fileLink = 15 * time.Minute

func (p *Public) registerExports(a *httpapi.API) {
	for _, f := range opendata.Formats() {
		o := read("/api/v1/public/export."+string(f), "Open data as "+string(f),
			"Without filters: 302 to a file with all reports, written again each hour, and within 15 minutes after something was hidden, rejected or removed. Links to a file from before answer 404 within a minute after that. Until there is a new file, and with the filters of the lists: up to 10,000 reports, newest first, "+
				"and 4 MB when the client does not accept gzip. The header X-Truncated says when there are more.")
		content(&o, "The reports that match", f.ContentType())
		o.Responses["302"] = &huma.Response{Description: "The whole set is at Location", Headers: map[string]*huma.Header{
			"Location": {Schema: &huma.Schema{Type: huma.TypeString, Format: "uri"}}}}
		o.Cache = httpapi.Never // the address of the file expires
		httpapi.Register(a, o, func(ctx context.Context, in *exportInput) (*exportOutput, error) { return p.export(ctx, f, in) })
	}
}

type exportInput struct {
	reportread.Query
	Encodings string `header:"Accept-Encoding" hidden:"true"`
}

type exportOutput struct {
	Status      int
	Location    string `header:"Location"`
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Truncated   string `header:"X-Truncated" doc:"true when there are more reports than these"`
	Body        []byte
}

func (p *Public) export(ctx context.Context, f opendata.Format, in *exportInput) (*exportOutput, error) {
	whole, err := p.wholeFile(ctx, in.Query)
	if err != nil {
		return nil, err
	}
	if whole {
		there, err := p.links.Exists(ctx, f.Key())
		if err != nil {
			return nil, problem.New(problem.Unavailable, "unavailable").After(5 * time.Second).Because(err)
		}
		if there {
			link, err := p.links.Fresh(ctx, f.Key(), fileLink)
			if err != nil {
				return nil, err
			}
			return &exportOutput{Status: http.StatusFound, Location: link}, nil
		}
		// There is no file yet, or one that has to be written again: the answer has as many reports as fit.
	}
	condition, args, err := p.reader.Condition(ctx, reportread.Public(), in.Query)
	if err != nil {
		return nil, err
	}
	query := opendata.ExportColumns + `WHERE ` + condition + fmt.Sprintf(` ORDER BY r.created_at DESC, r.id DESC LIMIT %d`, maxExported+1)
	var body bytes.Buffer
	body.Grow(startSize)
	most := opendata.ExportBound{Rows: maxExported, Bytes: maxPlain}
	if httpapi.TakesGzip([]string{in.Encodings}) {
		most.Bytes = maxPacked
	}
	_, more, err := opendata.WriteExportUpTo(ctx, most, p.db, f, &body, query, args...)
	if err != nil {
		return nil, err
	}
	out := &exportOutput{Status: http.StatusOK, ContentType: f.ContentType(), Disposition: `attachment; filename="reports.` + string(f) + `"`, Body: body.Bytes()}
	if more {
		out.Truncated = "true"
	}
	return out, nil
}

// wholeFile reports whether the answer is the file with all reports. It is not while the file may have something that went out
// of public sight.
func (p *Public) wholeFile(ctx context.Context, q reportread.Query) (bool, error) {
	if !unfiltered(q) {
		return false, nil
	}
	var stale bool
	if err := p.db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM export_requests WHERE report_id <> $1)`, uuid.Nil).Scan(&stale); err != nil {
		return false, fmt.Errorf("look for what the files must not have: %w", err)
	}
	return !stale, nil
}

// unfiltered reports whether a query has no filter. Page and order are not filters.
func unfiltered(q reportread.Query) bool {
	q.Query, q.Sort, q.Order, q.Cursor = page.Query{}, "", "", ""
	return reflect.ValueOf(q).IsZero()
}

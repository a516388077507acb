package public

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/opendata"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/reportread"
)

// maxExported bounds the rows of a filtered export; the whole set is a file.
const maxExported = 10_000

// A function's answer ends at 6 MB, in which each quote of a text takes a byte more, and each three bytes of what is
// packed take four: what a filtered export takes as it is and packed, in bytes. Reports pack to a third at the worst.
const (
	maxPlain  = 4 << 20
	maxPacked = 12 << 20
)

// fileLink is how long the address of a file can be used.
const fileLink = 15 * time.Minute

func (p *Public) registerExports(a *httpapi.API) {
	for _, f := range opendata.Formats() {
		o := read("/api/v1/public/export."+string(f), "Open data as "+string(f),
			"Without filters: 302 to a file with every report, renewed each hour. With the filters of the lists: up to 10,000 reports at once, newest first, "+
				"and 4 MB where gzip is not accepted; a header says when there are more.")
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
	if unfiltered(in.Query) {
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
		// The first file is not written yet: what fits is sent at once.
	}
	condition, args, err := p.reader.Condition(ctx, reportread.Public(), in.Query)
	if err != nil {
		return nil, err
	}
	query := opendata.ExportColumns + `WHERE ` + condition + fmt.Sprintf(` ORDER BY r.created_at DESC, r.id DESC LIMIT %d`, maxExported+1)
	var body bytes.Buffer
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

// unfiltered reports that a query names no filter; pages and order do not count.
func unfiltered(q reportread.Query) bool {
	q.Query, q.Sort, q.Order, q.Cursor = page.Query{}, "", "", ""
	return reflect.ValueOf(q).IsZero()
}

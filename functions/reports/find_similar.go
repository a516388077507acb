package reports

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerFindSimilar(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/reports/similar", Tags: []string{tag},
			Summary: "Find reports that may be about the same problem",
			Description: "For an upload of the caller's before its report is created, with the place; or for a report. " +
				"Open reports within 250 m, those with the most similar pictures first.",
		},
		Aliases: pointAliases(),
	}
	httpapi.Register(api, op.WithProblems(report.Problems()...).WithProblems(upload.ErrUnknown), g.findSimilar)
}

type similarInput struct {
	UploadID  string     `query:"image_upload_id" doc:"An upload of the caller's" format:"uuid"`
	ReportID  report.Ref `query:"report_id" doc:"Or a report, by id or number"`
	Latitude  optional   `query:"latitude" minimum:"-90" maximum:"90" doc:"Degrees, WGS 84; wanted with an upload (alias: lat)"`
	Longitude optional   `query:"longitude" minimum:"-180" maximum:"180" doc:"Aliases: lng, lon"`
	Limit     int        `query:"limit" minimum:"1" maximum:"50" default:"20"`
}

type similarOutput struct {
	Body struct {
		_     struct{}             `schema:"ReportSimilarPage"`
		Items []reportread.Similar `json:"items"`
	}
}

func (g *Group) findSimilar(ctx context.Context, in *similarInput) (*similarOutput, error) {
	caller := identity.Must(ctx)
	v := reportread.ViewerOf(caller)
	like := reportread.SimilarQuery{Owner: caller.UserID, Limit: in.Limit}
	placed := in.Latitude.set && in.Longitude.set
	if placed {
		if !report.ValidPoint(in.Latitude.value, in.Longitude.value) {
			return nil, problem.InvalidField("latitude", "outside the range of coordinates")
		}
		like.Point = &reportread.Point{Latitude: in.Latitude.value, Longitude: in.Longitude.value}
	}
	switch {
	case in.ReportID != "":
		id, err := in.ReportID.Resolve(ctx, g.db)
		if err != nil {
			return nil, err
		}
		like.ReportID = &id
	case in.UploadID == "" && !placed:
		return nil, problem.InvalidField("image_upload_id", "image_upload_id, report_id or a place is needed")
	}
	if in.UploadID != "" && in.ReportID == "" {
		id, err := uuid.Parse(strings.TrimSpace(in.UploadID))
		if err != nil {
			return nil, problem.InvalidField("image_upload_id", "expected a UUID")
		}
		like.UploadID = &id
	}
	items, err := g.reader.Similar(ctx, v, like)
	if err != nil {
		return nil, err
	}
	out := &similarOutput{}
	out.Body.Items = items
	return out, nil
}

// optional is a number that may be left out; 0 is a number like others.
type optional struct {
	value float64
	set   bool
}

// Schema implements huma.SchemaProvider.
func (optional) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Format: "double"}
}

// Receiver implements huma.ParamWrapper.
func (o *optional) Receiver() reflect.Value { return reflect.ValueOf(&o.value).Elem() }

// OnParamSet implements huma.ParamReactor.
func (o *optional) OnParamSet(isSet bool, _ any) { o.set = isSet }

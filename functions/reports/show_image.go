package reports

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerShowImage(api *httpapi.API) {
	show := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/reports/{id}/images/{img_id}/{rendition}", Tags: []string{tag}, Summary: "See a picture",
			Description: "Redirects to an address that works for 15 to 30 minutes.", DefaultStatus: http.StatusFound,
			Responses: map[string]*huma.Response{"302": {Description: "The picture is at Location"}},
		},
		Cache: httpapi.Never,
	}
	httpapi.Register(api, show.WithProblems(report.Problems()...).WithProblems(reportwrite.ErrNoPicture, errImageNotReady.With("image_status", "stored")), g.showImage)
}

type renditionInput struct {
	ImageInput
	Rendition string `path:"rendition" enum:"display,thumbnail"`
}

type redirectOutput struct {
	Location string `header:"Location"`
}

func (g *Group) showImage(ctx context.Context, in *renditionInput) (*redirectOutput, error) {
	image, err := g.reader.Image(ctx, reportread.ViewerOf(identity.Must(ctx)), in.ID, in.ImageID)
	if err != nil {
		return nil, err
	}
	url := image.ImageURL
	if in.Rendition == string(upload.Thumbnail) {
		url = image.ThumbnailURL
	}
	if url == nil {
		return nil, errImageNotReady.With("image_status", image.Status)
	}
	return &redirectOutput{Location: *url}, nil
}

package public

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// maxImage is the largest rendition in bytes that is given out: the answer of a function has at most 6 MB, in base64.
const maxImage = 4_400_000

func (p *Public) registerImage(a *httpapi.API) {
	op := read("/api/v1/public/reports/{id}/images/{img_id}/{rendition}", "See a published picture",
		"A JPEG. The address lasts: share cards, feeds and mails may have it. It is 404 or 410 as soon as the public may not see the picture any more; "+
			"caches keep it for five minutes at most.")
	op.Cache = httpapi.FewMinutes
	content(&op, "The picture", "image/jpeg")
	httpapi.Register(a, op.WithProblems(report.Problems()...).WithProblems(errImageNotFound), p.image)
}

type imageInput struct {
	report.RefInput
	ImageID   uuid.UUID `path:"img_id" format:"uuid"`
	Rendition string    `path:"rendition" enum:"display,thumbnail"`
}

type imageOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (p *Public) image(ctx context.Context, in *imageInput) (*imageOutput, error) {
	key, err := p.reader.PublicPicture(ctx, in.ID, in.ImageID, upload.Rendition(in.Rendition))
	if err != nil {
		return nil, err
	}
	body, err := p.links.Read(ctx, key, maxImage)
	if errors.Is(err, storage.ErrNotFound) { // it was moved since, or is lost
		return nil, errImageNotFound.Because(err)
	}
	if err != nil {
		return nil, problem.New(problem.Unavailable, "unavailable").After(5 * time.Second).Because(err)
	}
	return &imageOutput{ContentType: upload.JPEG.ContentType(), Body: body}, nil
}

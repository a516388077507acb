package reports

import (
	"context"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerHideImage(api *httpapi.API) {
	const path = "/images/{img_id}"
	hide := changeOperation(http.MethodPost, path+"/hide", "Hide a picture", "Others than the reporter and staff no longer see it. With the answer "+
		"the addresses that were given out before are useless. The reporter is told why. A picture that a moderator has hidden already stays so.")
	hide.Roles, hide.Aliases, hide.Lenient = identity.Moderators(), reportwrite.HideAliases(), &httpapi.Lenient{Strict: reportwrite.HideStrict()}
	httpapi.Register(api, hide.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoPicture), g.hideImage)
	show := changeOperation(http.MethodPost, path+"/unhide", "Show a picture again", "As it is now: what was made black stays black. The reporter is told.")
	show.Roles = identity.Moderators()
	httpapi.Register(api, show.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoPicture), g.showImageAgain)
	redact := changeOperation(http.MethodPost, path+"/redact", "Make parts of a picture black", "Boxes are fractions of the upright picture; what lies "+
		"outside is cut off. They add to those of before, and cannot be undone. At once nobody but the reporter and staff sees the picture, and its addresses are useless; it is "+
		"pending until it is made anew, a few seconds later. The original is deleted. It needs no new verdict. The reporter is told why.")
	redact.Roles, redact.Aliases = identity.Moderators(), reportwrite.HideAliases()
	redact.Lenient = &httpapi.Lenient{Strict: []string{"reason_code", "expected_version", "boxes"}}
	httpapi.Register(api, redact.WithProblems(reportwrite.Problems()...).WithProblems(reportwrite.ErrNoPicture, reportwrite.ErrPictureNotReady.With("image_status", "stored")), g.redactImage)
}

type hideImageInput struct {
	ImageInput
	reportwrite.HideInput
}

func (g *Group) hideImage(ctx context.Context, in *hideImageInput) (*imageOutput, error) {
	x, err := in.Hiding(report.ActorOf(identity.Must(ctx)))
	if err != nil {
		return nil, err
	}
	return g.moderateImage(ctx, in.ImageInput, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked, p *reportwrite.LockedPicture) (*upload.Moving, error) {
		return h.HidePicture(ctx, tx, g.renditions, p, x)
	})
}

type showImageAgainInput struct {
	ImageInput
	reportwrite.ShowInput
}

func (g *Group) showImageAgain(ctx context.Context, in *showImageAgainInput) (*imageOutput, error) {
	return g.moderateImage(ctx, in.ImageInput, in.Expect(httpapi.IfMatch(in.IfMatch)), func(tx *outbox.Tx, h *reportwrite.Locked, p *reportwrite.LockedPicture) (*upload.Moving, error) {
		return nil, h.ShowPicture(ctx, tx, p, report.ActorOf(identity.Must(ctx)), in.Note())
	})
}

type redactImageInput struct {
	ImageInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_               struct{}     `schema:"ImageRedact"`
		Boxes           []report.Box `json:"boxes" minItems:"1" maxItems:"50"`
		ReasonCode      *string      `json:"reason_code,omitempty" words:"reason_code" doc:"Demanded: irrelevant, offensive, personal_data, duplicate_spam, unsafe or other. Told to the reporter" example:"personal_data"`
		Note            *string      `json:"note,omitempty" maxLength:"2000" doc:"For staff. Demanded for the reason other, where the reporter reads it too"`
		ExpectedVersion *int         `json:"expected_version,omitempty" doc:"409 when the report has another version"`
	}
}

// hiding is the request as one to hide, and its boxes cut to the picture.
func (in *redactImageInput) hiding(by report.Actor) (reportwrite.Hiding, reportwrite.Expect, []report.Box, error) {
	as := reportwrite.HideInput{IfMatch: in.IfMatch}
	as.Body.ReasonCode, as.Body.Note, as.Body.ExpectedVersion = in.Body.ReasonCode, in.Body.Note, in.Body.ExpectedVersion
	x, err := as.Hiding(by)
	if err != nil {
		return x, reportwrite.Expect{}, nil, err
	}
	boxes := make([]report.Box, len(in.Body.Boxes))
	for i, box := range in.Body.Boxes {
		var ok bool
		if boxes[i], ok = box.Cut(); !ok {
			return x, reportwrite.Expect{}, nil, problem.InvalidField("boxes", "x, y, width and height are fractions from 0 to 1, and a part lies in the picture")
		}
	}
	return x, as.Expect(httpapi.IfMatch(as.IfMatch)), boxes, nil
}

func (g *Group) redactImage(ctx context.Context, in *redactImageInput) (*imageOutput, error) {
	x, expect, boxes, err := in.hiding(report.ActorOf(identity.Must(ctx)))
	if err != nil {
		return nil, err
	}
	return g.moderateImage(ctx, in.ImageInput, expect, func(tx *outbox.Tx, h *reportwrite.Locked, p *reportwrite.LockedPicture) (*upload.Moving, error) {
		return h.RedactPicture(ctx, tx, g.renditions, p, x, boxes)
	})
}

// moderateImage makes a change of a picture by a moderator and answers with the picture. It fails with a 503 if the change was
// made and the objects of before could not be deleted yet: the same request again deletes them, and relay does within a minute.
func (g *Group) moderateImage(ctx context.Context, in ImageInput, expect reportwrite.Expect,
	do func(tx *outbox.Tx, h *reportwrite.Locked, p *reportwrite.LockedPicture) (*upload.Moving, error)) (*imageOutput, error) {
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	caller := identity.Must(ctx)
	var h *reportwrite.Locked
	var moving *upload.Moving
	var after *reportread.Asked
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var picture *database.Ask[reportwrite.LockedPicture]
		if h, err = lockVisible(ctx, tx, about, "", func(p database.Pipeline) { picture = reportwrite.LockPicture(p, about, in.ImageID) }); err != nil {
			return err
		}
		if err := expect.Check(h); err != nil {
			return err
		}
		locked := picture.Get()
		if moving, err = do(tx, h, &locked); err != nil {
			return err
		}
		after = g.reader.Ask(tx, reportread.ViewerOf(caller), h.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := moving.Err(); err != nil {
		return nil, problem.New(problem.Unavailable, "unavailable").After(2 * time.Second).Because(err)
	}
	full, err := after.Report(ctx)
	if err != nil {
		return nil, err
	}
	for _, image := range full.Images {
		if image.ID == in.ImageID {
			image.Receipt = h.Receipt(ctx, g.receipts, caller)
			return &imageOutput{Body: image}, nil
		}
	}
	return nil, reportwrite.ErrNoPicture
}

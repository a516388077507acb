package reportread

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/upload"
)

// detail is a row of summaryColumns and detailColumns.
type detail struct {
	row    *summaryRow
	report Report
}

func scanDetail(row pgx.CollectableRow) (*detail, error) {
	d := &detail{row: &summaryRow{}, report: Report{AI: &Assessment{}}}
	var captured, appealed, analyzed *time.Time
	var reason *string
	var hiddenBy *report.HiddenBy
	var hiddenFor *report.ReasonCode
	out, a := &d.report, d.report.AI
	err := row.Scan(append(d.row.targets(), &out.Confirmed, &captured, &appealed, &reason, &out.OriginalWords, &hiddenBy, &hiddenFor, &d.row.heldBack, &out.ReporterLanguage, &a.IsRelevant, &a.Confidence, &a.DamageType, &a.Severity,
		&a.SeverityScore, &a.RecommendedRepair, &a.translations, &analyzed)...)
	out.CapturedAt, a.AnalyzedAt = timestamp.OfPtr(captured), timestamp.OfPtr(analyzed)
	if appealed != nil && reason != nil {
		out.Appeal = &Appeal{Reason: *reason, At: timestamp.Of(*appealed)}
	}
	if hiddenBy != nil && hiddenFor != nil {
		out.WordsHidden = &Hiding{By: *hiddenBy, ReasonCode: *hiddenFor}
	}
	return d, err
}

// stepRow is a change of status; override is true for one that a person's replacement of the AI's verdict made.
type stepRow struct {
	Step
	names    [3]*string // of the agency, in English, Tetum and Portuguese
	override bool
}

func scanStep(row pgx.CollectableRow) (stepRow, error) {
	var s stepRow
	err := row.Scan(&s.OldStatus, &s.NewStatus, &s.ChangedBy, &s.Agency, &s.names[0], &s.names[1], &s.names[2], &s.Note, &s.CreatedAt.Time, &s.override)
	return s, err
}

// candidateRow is a possible duplicate; hidden is report.HiddenSQL of it.
type candidateRow struct {
	Candidate
	hidden bool
}

func scanCandidate(row pgx.CollectableRow) (candidateRow, error) {
	var c candidateRow
	err := row.Scan(&c.ID, &c.ReportNumber, &c.Status, &c.Similarity, &c.DistanceMeters, &c.hidden)
	return c, err
}

type imageRow struct {
	Image
	state      upload.State
	upload     uuid.UUID
	generation int
}

func scanImage(row pgx.CollectableRow) (imageRow, error) {
	var i imageRow
	err := row.Scan(&i.ID, &i.Kind, &i.state, &i.upload, &i.generation, &i.Width, &i.Height, &i.Blurhash, &i.CreatedAt.Time, &i.IsPublic, &i.Hidden, &i.HiddenReason, &i.Redacted)
	return i, err
}

func (r *Reader) image(ctx context.Context, i imageRow) (Image, error) {
	out := i.Image
	out.Status = ImageStatus(i.state)
	if i.state != upload.Processed {
		out.Width, out.Height, out.Blurhash = nil, nil, nil
		return out, nil
	}
	var err error
	if out.ImageURL, err = r.link(ctx, i.upload, i.generation, upload.Display); err != nil {
		return Image{}, err
	}
	out.ThumbnailURL, err = r.link(ctx, i.upload, i.generation, upload.Thumbnail)
	return out, err
}

// Image reads one picture of a report that v may see. It fails with a 404 when there is none.
func (r *Reader) Image(ctx context.Context, v Viewer, ref report.Ref, imageID uuid.UUID) (Image, error) {
	full, err := r.ReportNamed(ctx, v, ref)
	if err != nil {
		return Image{}, err
	}
	for _, i := range full.Images {
		if i.ID == imageID {
			return i, nil
		}
	}
	return Image{}, problem.New(problem.NotFound, "image_not_found")
}

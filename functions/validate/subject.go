package validate

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/upload"
)

// subject is a report and its pictures that need a verdict: evidence, and those of disputes.
type subject struct {
	id          uuid.UUID
	issueType   report.IssueType
	title       string
	description string
	status      report.Status
	aiStatus    report.AIStatus
	version     int       // of the report at the time of reading
	pictures    []picture // oldest first
}

// picture is one of them.
type picture struct {
	id         uuid.UUID // of report_images
	uploadID   uuid.UUID
	state      upload.State
	attachedAt time.Time
	verdict    report.PictureVerdict
	evidence   bool // else of a dispute
	generation int
}

func (p picture) displayKey() string {
	return upload.RenditionKey(p.uploadID, p.generation, upload.Display)
}

// pictureTimeout is how long the worker waits for a picture after it was attached.
// After that the report is judged without it.
const pictureTimeout = 24 * time.Hour

// coming reports whether the picture is expected: it will be processed or refused.
func (p picture) coming(now time.Time) bool {
	return p.state != upload.Processed && p.state != upload.Refused && now.Sub(p.attachedAt) <= pictureTimeout
}

const picturesQuery = `
	SELECT i.id, i.upload_id, u.state, i.created_at, i.verdict, i.kind = 'evidence', u.generation FROM report_images i JOIN uploads u ON u.id = i.upload_id
	WHERE i.report_id = $1 AND i.kind <> 'resolution' AND i.deleted_at IS NULL ORDER BY i.created_at, i.id`

func scanPicture(row pgx.CollectableRow) (picture, error) {
	var p picture
	err := row.Scan(&p.id, &p.uploadID, &p.state, &p.attachedAt, &p.verdict, &p.evidence, &p.generation)
	return p, err
}

// readSubject returns report.ErrNotFound for an unknown or deleted report.
func (w *Worker) readSubject(ctx context.Context, id uuid.UUID) (subject, error) {
	const q = `SELECT id, issue_type, title, description, status, ai_status, version FROM reports WHERE id = $1 AND deleted_at IS NULL`
	batch := &database.Batch{}
	found := database.AskRow(batch, func(row pgx.CollectableRow) (subject, error) {
		var s subject
		err := row.Scan(&s.id, &s.issueType, &s.title, &s.description, &s.status, &s.aiStatus, &s.version)
		return s, err
	}, q, id).Missing(report.ErrNotFound)
	pictures := database.AskRows(batch, scanPicture, picturesQuery, id)
	if err := batch.Send(ctx, w.db); err != nil {
		return subject{}, fmt.Errorf("read report: %w", err)
	}
	s := found.Get()
	s.pictures = pictures.Get()
	return s, nil
}

// awaited returns the pictures that can be judged now.
func (s subject) awaited() []picture {
	var out []picture
	for _, p := range s.pictures {
		if p.verdict == report.PictureAwaited && p.state == upload.Processed {
			out = append(out, p)
		}
	}
	return out
}

// coming reports whether a picture of the report is expected.
func (s subject) coming(now time.Time) bool {
	for _, p := range s.pictures {
		if p.verdict == report.PictureAwaited && p.coming(now) {
			return true
		}
	}
	return false
}

// undecided reports whether the AI decides about the report, and not about its new pictures alone. Staff decide about a
// report that was sent back to pending: it has a verdict of the AI already.
func (s subject) undecided() bool {
	return s.status == report.Pending && s.aiStatus != report.AICompleted && s.aiStatus != report.AIRejected
}

// readiness says whether a subject can be judged now.
type readiness int

// The values of readiness.
const (
	ready           readiness = iota
	alreadyJudged             // nothing waits for a verdict
	decidedByStaff            // a person decided before there was a verdict
	pictureNotReady           // a picture is not processed yet; the images worker sends a new message
	noPicture                 // there is no usable picture
)

func (s subject) readiness(now time.Time) readiness {
	waiting := len(s.awaited()) > 0
	switch {
	case s.status == report.Rejected && s.aiStatus != report.AIQueued && s.aiStatus != report.AIProcessing && s.aiStatus != report.AIFailed:
		return alreadyJudged // nobody but its reporter and staff sees its pictures
	case !s.undecided() && waiting && s.status != report.Rejected:
		return ready
	case s.aiStatus == report.AICompleted || s.aiStatus == report.AIRejected:
		return alreadyJudged
	case s.status != report.Pending:
		return decidedByStaff
	case s.coming(now):
		return pictureNotReady // all pictures are judged together
	case waiting:
		return ready
	case s.aiStatus == report.AINeedsReview: // it waits for a person already
		return alreadyJudged
	}
	return noPicture
}

// missingPictureReason is the text of the verdict for a subject with noPicture.
func (s subject) missingPictureReason() string {
	if len(s.pictures) == 0 {
		return "the report has no picture"
	}
	switch newest := s.pictures[len(s.pictures)-1]; newest.state {
	case upload.Refused:
		return "the picture was refused"
	case upload.Processed:
		return "a person has to look at the pictures"
	}
	return "the picture never arrived"
}

// markProcessing sets the AI status to processing, if the report still has the version that was read. Without this
// check a second run could overwrite needs_review of the first one, and no person would see the report. One that the models
// could not judge before stays in the staff queue while they are asked again.
func (w *Worker) markProcessing(ctx context.Context, s subject) error {
	const q = `UPDATE reports SET ai_status = 'processing' WHERE id = $1 AND version = $2 AND ai_status IN ('queued', 'needs_review') AND status = 'pending'`
	if _, err := w.db.Exec(ctx, q, s.id, s.version); err != nil {
		return fmt.Errorf("mark report as processing: %w", err)
	}
	return nil
}

// endWaitSQL sets the AI status of a report that a person has decided. It changes only statuses that wait for the AI;
// needs_review stays, because an appeal may have set it.
const endWaitSQL = `UPDATE reports SET ai_status = 'completed', version = version + 1, updated_at = now()
	WHERE id = $1 AND status <> 'pending' AND ai_status IN ('queued', 'processing', 'failed')`

// endWait ends the wait for a verdict, because a person has decided.
func (w *Worker) endWait(ctx context.Context, s subject) error {
	if _, err := w.db.Exec(ctx, endWaitSQL, s.id); err != nil {
		return fmt.Errorf("end wait for a verdict: %w", err)
	}
	return nil
}

// markFailed puts a report that could not be judged into the staff queue, unless a person has decided meanwhile. Its
// pictures then wait for a person; so does a picture that came after the decision. A later delivery, also of a dead letter that
// was sent again, judges a pending report.
func (w *Worker) markFailed(ctx context.Context, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	const q = `
		WITH late AS (
			UPDATE report_images i SET verdict = 'unsure' FROM reports r, uploads u
			WHERE r.id = $1 AND i.report_id = r.id AND r.status NOT IN ('pending', 'rejected') AND r.deleted_at IS NULL AND u.id = i.upload_id
			  AND u.state = 'processed' AND i.kind <> 'resolution' AND i.deleted_at IS NULL AND i.verdict = 'awaited'
			RETURNING i.id)
		UPDATE reports SET version = version + 1, updated_at = now(),
			ai_status = CASE WHEN status = 'pending' THEN 'failed' WHEN EXISTS (SELECT FROM late) THEN 'needs_review' ELSE 'completed' END
		WHERE id = $1 AND (ai_status IN ('queued', 'processing') OR EXISTS (SELECT FROM late)) AND deleted_at IS NULL`
	if _, err := w.db.Exec(ctx, q, id); err != nil {
		return fmt.Errorf("mark report as failed: %w", err)
	}
	return nil
}

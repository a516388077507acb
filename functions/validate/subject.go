package validate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/storage"
)

// subject is a report and its newest evidence picture, which the models look at.
type subject struct {
	id          uuid.UUID
	issueType   report.IssueType
	title       string
	description string
	status      report.Status
	aiStatus    report.AIStatus
	version     int       // of the report at the time of reading
	imageID     uuid.UUID // uuid.Nil without a picture
	uploadID    uuid.UUID
	uploadState string
	attachedAt  time.Time
	judged      bool // this picture has a verdict already
}

// consumer is this worker's name in processed_messages.
const consumer = "validate"

// processedKey is the key in processed_messages: the picture's id, or the report's
// id if there is no picture.
func (s subject) processedKey() string {
	if s.imageID == uuid.Nil {
		return s.id.String()
	}
	return s.imageID.String()
}

func (s subject) displayKey() string {
	return storage.Renditions + s.uploadID.String() + "/display.jpg"
}

// readSubject returns report.ErrNotFound for an unknown or deleted report.
func (w *Worker) readSubject(ctx context.Context, id uuid.UUID) (subject, error) {
	const q = `
		SELECT r.id, r.issue_type, r.title, r.description, r.status, r.ai_status, r.version,
		       coalesce(i.id, '00000000-0000-0000-0000-000000000000'), coalesce(i.upload_id, '00000000-0000-0000-0000-000000000000'),
		       coalesce(u.state, ''), coalesce(i.created_at, r.created_at),
		       EXISTS (SELECT FROM processed_messages p WHERE p.consumer = $2 AND p.message_key = coalesce(i.id, r.id)::text)
		FROM reports r
		LEFT JOIN LATERAL (SELECT * FROM report_images i WHERE i.report_id = r.id AND i.kind = 'evidence' AND i.deleted_at IS NULL
			ORDER BY i.created_at DESC, i.id DESC LIMIT 1) i ON true
		LEFT JOIN uploads u ON u.id = i.upload_id
		WHERE r.id = $1 AND r.deleted_at IS NULL`
	var s subject
	err := w.db.QueryRow(ctx, q, id, consumer).Scan(&s.id, &s.issueType, &s.title, &s.description, &s.status, &s.aiStatus, &s.version,
		&s.imageID, &s.uploadID, &s.uploadState, &s.attachedAt, &s.judged)
	if errors.Is(err, pgx.ErrNoRows) {
		return subject{}, report.ErrNotFound
	}
	if err != nil {
		return subject{}, fmt.Errorf("read report: %w", err)
	}
	return s, nil
}

// readiness says whether a subject can be judged now.
type readiness int

// The values of readiness.
const (
	ready           readiness = iota
	alreadyJudged             // it has a verdict
	decidedByStaff            // a person decided before there was a verdict
	pictureNotReady           // the picture is not processed yet; the images worker sends a new message
	noPicture                 // there is no usable picture
)

// pictureTimeout is how long the worker waits for a picture after it was attached.
// After that a person must look at the report.
const pictureTimeout = 24 * time.Hour

func (s subject) readiness(now time.Time) readiness {
	switch {
	case s.judged || s.aiStatus == report.AICompleted || s.aiStatus == report.AIRejected:
		return alreadyJudged
	case s.status != report.Pending:
		return decidedByStaff
	case s.uploadState == "processed":
		return ready
	case s.aiStatus == report.AINeedsReview: // it waits for a person already
		return alreadyJudged
	case s.imageID == uuid.Nil || s.uploadState == "refused" || now.Sub(s.attachedAt) > pictureTimeout:
		return noPicture
	}
	return pictureNotReady
}

// missingPictureReason is the text of the verdict for a subject with noPicture.
func (s subject) missingPictureReason() string {
	switch {
	case s.imageID == uuid.Nil:
		return "the report has no picture"
	case s.uploadState == "refused":
		return "the picture was refused"
	}
	return "the picture never arrived"
}

// markProcessing sets the AI status to processing, if the report still has the version that was read. Without this
// check a second run could overwrite needs_review of the first one, and no person would see the report.
func (w *Worker) markProcessing(ctx context.Context, s subject) error {
	const q = `UPDATE reports SET ai_status = 'processing' WHERE id = $1 AND version = $2 AND ai_status IN ('queued', 'failed', 'needs_review') AND status = 'pending'`
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

// markFailed puts a report that could not be judged into the staff queue, unless a person has decided meanwhile.
// A redrive of the dead letter judges it again.
func (w *Worker) markFailed(ctx context.Context, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	const q = `UPDATE reports SET ai_status = CASE WHEN status = 'pending' THEN 'failed' ELSE 'completed' END, version = version + 1, updated_at = now()
		WHERE id = $1 AND ai_status IN ('queued', 'processing') AND deleted_at IS NULL`
	if _, err := w.db.Exec(ctx, q, id); err != nil {
		return fmt.Errorf("mark report as failed: %w", err)
	}
	return nil
}

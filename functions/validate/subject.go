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

// subject is a report and the picture it is judged by: its newest evidence.
type subject struct {
	id          uuid.UUID
	issueType   report.IssueType
	title       string
	description string
	status      report.Status
	aiStatus    report.AIStatus
	version     int       // of the report when it was read
	imageID     uuid.UUID // zero without a picture
	uploadID    uuid.UUID
	uploadState string
	attachedAt  time.Time
	judged      bool // this picture has had its verdict
}

// consumer names this worker in the processed marks; the key is the picture's
// id, or the report's where there is none.
const consumer = "validate"

func (s subject) markKey() string {
	if s.imageID == uuid.Nil {
		return s.id.String()
	}
	return s.imageID.String()
}

func (s subject) displayKey() string {
	return storage.Renditions + s.uploadID.String() + "/display.jpg"
}

func (w *Worker) subject(ctx context.Context, id uuid.UUID) (subject, error) {
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

// readiness says what can be done about a subject.
type readiness int

const (
	ready     readiness = iota
	settled             // it has had its verdict
	overtaken           // people have decided before there was one
	notYet              // its picture is on its way; the images worker will ask again
	hopeless            // there is no picture to judge by
)

// patience is how long a picture may be on its way before a person is asked.
const patience = 24 * time.Hour

func (s subject) readiness(now time.Time) readiness {
	switch {
	case s.judged || s.aiStatus == report.AICompleted || s.aiStatus == report.AIRejected:
		return settled
	case s.status != report.Pending:
		return overtaken
	case s.uploadState == "processed":
		return ready
	case s.aiStatus == report.AINeedsReview: // nothing new to tell the person who is to decide
		return settled
	case s.imageID == uuid.Nil || s.uploadState == "refused" || now.Sub(s.attachedAt) > patience:
		return hopeless
	}
	return notYet
}

func (s subject) hopelessness() string {
	switch {
	case s.imageID == uuid.Nil:
		return "the report has no picture"
	case s.uploadState == "refused":
		return "the picture was refused"
	}
	return "the picture never arrived"
}

// processing shows that somebody is at it, unless anything has happened to the report since it was read: a run that came
// second would take back what the first one left for a person, and nobody would ever look at the report again.
func (w *Worker) processing(ctx context.Context, s subject) error {
	const q = `UPDATE reports SET ai_status = 'processing' WHERE id = $1 AND version = $2 AND ai_status IN ('queued', 'failed', 'needs_review') AND status = 'pending'`
	if _, err := w.db.Exec(ctx, q, s.id, s.version); err != nil {
		return fmt.Errorf("show that the report is being judged: %w", err)
	}
	return nil
}

// endWait is for a report people have decided about. What they left in its AI status themselves, such as an appeal that
// waits for a person, is not the wait for a verdict.
const endWait = `UPDATE reports SET ai_status = 'completed', version = version + 1, updated_at = now()
	WHERE id = $1 AND status <> 'pending' AND ai_status IN ('queued', 'processing', 'failed')`

// overtaken ends the wait for a verdict nobody needs any more.
func (w *Worker) overtaken(ctx context.Context, s subject) error {
	if _, err := w.db.Exec(ctx, endWait, s.id); err != nil {
		return fmt.Errorf("show that people have decided: %w", err)
	}
	return nil
}

// fail shows staff a report that could not be judged, unless they have decided about it meanwhile. Sending the dead letter
// again judges it after all.
func (w *Worker) fail(ctx context.Context, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	const q = `UPDATE reports SET ai_status = CASE WHEN status = 'pending' THEN 'failed' ELSE 'completed' END, version = version + 1, updated_at = now()
		WHERE id = $1 AND ai_status IN ('queued', 'processing') AND deleted_at IS NULL`
	if _, err := w.db.Exec(ctx, q, id); err != nil {
		return fmt.Errorf("show that the report could not be judged: %w", err)
	}
	return nil
}

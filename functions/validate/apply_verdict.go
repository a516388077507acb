package validate

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
)

// applyVerdict writes a verdict in one transaction, once for each picture: the
// report's AI fields and status, the embedding, the duplicate candidates and the
// ledger event. A change of status also notifies the reporter and the followers.
func (w *Worker) applyVerdict(ctx context.Context, s subject, v verdict) error {
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := reportwrite.Lock(tx, report.AboutID(s.id))
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock report: %w", err)
		}
		h := locked.Get()
		first, err := tx.Once(ctx, consumer, s.processedKey())
		if err != nil || !first {
			return err
		}
		if h.Status != report.Pending { // a person has decided meanwhile
			_, err := tx.Exec(ctx, endWaitSQL, s.id)
			return err
		}
		if err := w.storeEmbedding(ctx, tx, s, v); err != nil {
			return err
		}
		id, err := w.recordVerdict(ctx, tx, s, v)
		if err != nil {
			return err
		}
		duplicates, err := w.storeDuplicates(ctx, tx, s, v)
		if err != nil {
			return err
		}
		if err := w.updateReport(ctx, tx, s, v, id, duplicates); err != nil {
			return err
		}
		return w.changeStatus(ctx, tx, h, v)
	})
	if err != nil {
		return err
	}
	w.metrics.Add(metricOf(v.status))
	return nil
}

// metricOf returns the metric that counts verdicts of status s.
func metricOf(s report.AIStatus) catalog.Metric {
	switch s {
	case report.AICompleted:
		return catalog.ValidateCompleted
	case report.AIRejected:
		return catalog.ValidateRejected
	default:
		return catalog.ValidateNeedsReview
	}
}

// recordVerdict stores the verdict as one row of ai_analyses, the row that clients
// read, and returns its id.
func (w *Worker) recordVerdict(ctx context.Context, tx *outbox.Tx, s subject, v verdict) (uuid.UUID, error) {
	calls := v.calls
	if calls == nil { // no model was asked
		calls = &callLog{reportID: s.id, imageID: s.imageID, runID: database.NewID()}
	}
	row := analysis{id: database.NewID(), stage: stageVerdict, model: w.cfg.Models.Model, status: string(v.status), hash: []byte{},
		relevance: v.relevance, damage: v.damage}
	if v.why != "" {
		row.err = &v.why
	}
	return row.id, calls.insert(ctx, tx, row)
}

func (w *Worker) storeEmbedding(ctx context.Context, tx *outbox.Tx, s subject, v verdict) error {
	if v.embedding == nil {
		return nil
	}
	const q = `
		INSERT INTO report_embeddings (image_id, report_id, model, embedding) VALUES ($1, $2, $3, $4)
		ON CONFLICT (image_id, model) DO UPDATE SET embedding = excluded.embedding`
	if _, err := tx.Exec(ctx, q, s.imageID, s.id, w.cfg.Models.Embedding, pgvector.NewVector(v.embedding)); err != nil {
		return fmt.Errorf("store embedding: %w", err)
	}
	return nil
}

// updateReport writes the AI fields of the report. The model's title is used only
// if the citizen gave none; no other text of the citizen is changed.
func (w *Worker) updateReport(ctx context.Context, tx *outbox.Tx, s subject, v verdict, analysis uuid.UUID, duplicates int) error {
	var score *int
	var severity, priority, title *string
	if v.damage != nil {
		grade := report.SeverityOf(v.damage.Score)
		severityText, priorityText := string(grade), string(priorityOf(grade, *v.damage, duplicates))
		score, severity, priority, title = &v.damage.Score, &severityText, &priorityText, &v.damage.Title
	}
	const q = `
		UPDATE reports SET ai_status = $2, ai_analysis_id = $3, severity_score = coalesce($4, severity_score),
			severity = coalesce($5, severity), priority = coalesce($6, priority),
			title = CASE WHEN title = '' THEN coalesce($7, '') ELSE title END,
			version = version + 1, updated_at = now()
		WHERE id = $1`
	if _, err := tx.Exec(ctx, q, s.id, v.status, analysis, score, severity, priority, title); err != nil {
		return fmt.Errorf("write verdict: %w", err)
	}
	return nil
}

// manyReports is the number of possible duplicates that raises the priority.
const manyReports = 3

// priorityOf returns the severity as priority, one step higher if the repair is
// immediate or there are manyReports possible duplicates.
func priorityOf(s report.Severity, d damage, duplicates int) report.Severity {
	if d.RepairUrgency != urgencyImmediate && duplicates < manyReports {
		return s
	}
	switch s {
	case report.Low:
		return report.Medium
	case report.Medium:
		return report.High
	}
	return report.Critical
}

// changeStatus changes the report's status to what the verdict says and records the
// verdict in the ledger. A needs_review verdict changes no status; it is recorded in
// the ledger only if it changed the report's severity.
func (w *Worker) changeStatus(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, v verdict) error {
	m := reportwrite.Move{By: report.AI()}
	switch v.status {
	case report.AICompleted:
		m.To = report.Verified
	case report.AIRejected:
		why, err := w.rejectionReason(ctx, tx, h)
		if err != nil {
			return err
		}
		m.To, m.Note = report.Rejected, why
	default:
		if v.damage == nil {
			return nil
		}
	}
	assessment := ledger.Assessment{Relevant: v.relevance.Relevant, Confidence: v.relevance.Confidence, Model: w.cfg.Models.Model}
	if v.damage != nil {
		assessment.Severity, assessment.DamageType = string(report.SeverityOf(v.damage.Score)), v.damage.DamageType
	}
	if err := h.Reread(ctx, tx, m.By); err != nil {
		return err
	}
	if err := h.Event(ctx, tx, ledger.Event{Type: ledger.AIValidated, At: w.clock.Now(), AI: &assessment}, m.By); err != nil || m.To == "" {
		return err
	}
	return h.Move(ctx, tx, m)
}

// rejectionReason returns why the report is rejected, in its author's language.
func (w *Worker) rejectionReason(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked) (string, error) {
	language := string(locale.Default)
	if h.UserID != nil {
		const q = `SELECT coalesce((SELECT preferred_language FROM users WHERE id = $1), $2)`
		if err := tx.QueryRow(ctx, q, *h.UserID, language).Scan(&language); err != nil {
			return "", fmt.Errorf("read author's language: %w", err)
		}
	}
	l, _ := locale.Parse(language)
	text, _ := locale.Text(l, "notification.reason.irrelevant", nil)
	if text == "" {
		return "irrelevant", nil
	}
	return strings.ToUpper(text[:1]) + text[1:], nil
}

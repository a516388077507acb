package validate

import (
	"context"
	"fmt"
	"slices"
	"time"

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
// report's AI fields and status, the pictures' verdicts, the embeddings, the duplicate
// candidates and the ledger event. A change of status also notifies the reporter and
// the followers. It returns false, and writes nothing, if the report has other pictures, words or
// another type than the verdict saw, or if a person has decided meanwhile.
func (w *Worker) applyVerdict(ctx context.Context, s subject, v verdict) (bool, error) {
	settled := false
	err := w.outbox.Do(ctx, func(tx *outbox.Tx) error {
		locked := reportwrite.LockForChange(tx, report.AboutID(s.id), report.AI())
		pictures := database.AskRows(tx, scanPicture, picturesQuery, s.id)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("lock report: %w", err)
		}
		h, now := locked.Get(), s
		now.status, now.aiStatus, now.pictures = h.Status, h.AIStatus, pictures.Get()
		now.issueType, now.title, now.description = h.IssueType, h.Title, h.Description
		if settled = v.saw(s, now, w.clock.Now()); !settled {
			return nil
		}
		return w.write(ctx, tx, h, s, v)
	})
	if err != nil {
		return false, err
	}
	if settled && s.undecided() {
		w.metrics.Add(metricOf(v.status))
	}
	return settled, nil
}

// saw reports whether now, the report as it is, has the state, pictures and words of s. If not, the verdict about s does not count.
func (v verdict) saw(s, now subject, at time.Time) bool {
	if s.undecided() != now.undecided() || s.undecided() && now.coming(at) || !s.sameWords(now) {
		return false
	}
	waiting := now.awaited()
	if len(waiting) != len(v.pictures) {
		return false
	}
	for i, p := range waiting {
		if v.pictures[i].picture.id != p.id {
			return false
		}
	}
	return len(v.pictures) > 0 || now.aiStatus != report.AINeedsReview
}

// sameWords reports whether now, the report as it is, has the words and the type that the models were given.
func (s subject) sameWords(now subject) bool {
	return s.issueType == now.issueType && s.title == now.title && s.description == now.description
}

// write is the transaction of applyVerdict.
func (w *Worker) write(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, s subject, v verdict) error {
	decided := w.recordJudgements(tx, s, v)
	if !s.undecided() {
		v.writeLate(tx, h)
		return v.tellIrrelevant(ctx, tx, h)
	}
	duplicates, err := w.storeDuplicates(ctx, tx, s, v)
	if err != nil {
		return err
	}
	v.updateReport(tx, s, decided, duplicates)
	if d := v.damage(); d != nil { // the deadline goes by it
		h.Severity = report.SeverityOf(d.Score)
	}
	if err := w.changeStatus(ctx, tx, h, v); err != nil || v.status == report.AIRejected {
		return err
	}
	return v.tellIrrelevant(ctx, tx, h)
}

// tellIrrelevant tells the reporter of evidence that others will not see. A rejection has a notification of its own.
func (v verdict) tellIrrelevant(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked) error {
	for _, j := range v.pictures {
		if j.outcome == report.PictureIrrelevant && j.picture.evidence {
			if err := h.TellIrrelevant(ctx, tx, j.picture.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeLate ends a verdict about pictures that came to a report after its own verdict. It changes neither the report's
// status nor its severity. If a model is unsure, a person looks at the picture.
func (v verdict) writeLate(tx *outbox.Tx, h *reportwrite.Locked) {
	const q = `UPDATE reports SET version = version + 1, updated_at = now(),
		ai_status = CASE WHEN status IN ('pending', 'rejected') THEN ai_status WHEN $2 THEN 'needs_review'
		                 WHEN ai_status IN ('queued', 'processing', 'failed') THEN 'completed' ELSE ai_status END WHERE id = $1`
	tx.Queue(q, h.ID, v.review)
	if slices.ContainsFunc(v.pictures, func(j judgement) bool { return j.outcome == report.PictureRelevant }) { // others are shown it from now on
		h.Event(tx, ledger.Event{Type: ledger.Amended}, report.AI())
	}
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

// recordJudgements stores the verdict about each picture, its embedding, and one row of ai_analyses for it, which is what
// clients read. It returns the id of the row that decides about the report.
func (w *Worker) recordJudgements(p database.Pipeline, s subject, v verdict) uuid.UUID {
	if len(v.pictures) == 0 {
		return w.recordVerdict(p, s, judgement{outcome: report.PictureUnsure, why: v.why})
	}
	var decided uuid.UUID
	for i := range v.pictures {
		j := &v.pictures[i]
		id := w.recordVerdict(p, s, *j)
		if j == v.deciding {
			decided = id
		}
		p.Queue(`UPDATE report_images SET verdict = $2 WHERE id = $1`, j.picture.id, j.outcome)
		w.storeEmbedding(p, s, *j)
	}
	return decided
}

// recordVerdict stores the verdict about a picture as one row of ai_analyses and returns its id.
func (w *Worker) recordVerdict(p database.Pipeline, s subject, j judgement) uuid.UUID {
	calls := j.calls
	if calls == nil { // no model was asked
		calls = &callLog{reportID: s.id, imageID: j.picture.id, runID: database.NewID()}
	}
	row := analysis{id: database.NewID(), stage: stageVerdict, model: w.cfg.Models.Model, status: string(j.status()), hash: []byte{},
		relevance: j.relevance, damage: j.damage}
	if j.why != "" {
		row.err = &j.why
	}
	calls.insert(p, row)
	return row.id
}

func (w *Worker) storeEmbedding(p database.Pipeline, s subject, j judgement) {
	if j.embedding == nil {
		return
	}
	const q = `
		INSERT INTO report_embeddings (image_id, report_id, model, embedding) VALUES ($1, $2, $3, $4)
		ON CONFLICT (image_id, model) DO UPDATE SET embedding = excluded.embedding`
	p.Queue(q, j.picture.id, s.id, w.cfg.Models.Embedding, pgvector.NewVector(j.embedding))
}

// updateReport writes the AI fields of the report. The model's title is used only
// if the citizen gave none, in the citizen's language; no other text of the citizen is changed.
func (v verdict) updateReport(p database.Pipeline, s subject, analysis uuid.UUID, duplicates int) {
	var score *int
	var severity, priority, title *string
	var translated report.AITranslations
	if d := v.damage(); d != nil {
		grade := report.SeverityOf(d.Score)
		severityText, priorityText := string(grade), string(priorityOf(grade, *d, duplicates))
		score, severity, priority, title = &d.Score, &severityText, &priorityText, &d.Title
		translated = d.Translated
	}
	status := v.status
	if v.review && status == report.AICompleted {
		status = report.AINeedsReview
	}
	const q = `
		UPDATE reports r SET ai_status = $2, ai_analysis_id = $3, severity_score = coalesce($4, severity_score),
			severity = coalesce($5, severity), priority = coalesce($6, priority),
			title = CASE WHEN title = '' AND NOT ` + report.ErasedSQL + `
				THEN coalesce($8::jsonb -> (SELECT preferred_language FROM users WHERE id = r.user_id) ->> 'title', $7, '') ELSE title END,
			version = version + 1, updated_at = now()
		WHERE id = $1`
	p.Queue(q, s.id, status, analysis, score, severity, priority, title, translated)
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
// verdict in the ledger. A needs_review verdict changes no status.
func (w *Worker) changeStatus(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, v verdict) error {
	m := reportwrite.Move{By: report.AI(), Renditions: w.renditions}
	switch v.status {
	case report.AICompleted:
		m.To = report.Verified
	case report.AIRejected:
		why, err := w.rejectionReason(ctx, tx, h)
		if err != nil {
			return err
		}
		m.To, m.Note = report.Rejected, why
	}
	assessment := ledger.Assessment{Model: w.cfg.Models.Model}
	if v.deciding != nil && v.deciding.relevance != nil {
		assessment.Relevant, assessment.Confidence = v.deciding.relevance.Relevant, v.deciding.relevance.Confidence
	}
	if d := v.damage(); d != nil {
		assessment.Severity, assessment.DamageType = string(report.SeverityOf(d.Score)), d.DamageType
	}
	if m.To != "" { // first: a payload has the assessment once the report is not pending
		if err := h.Move(ctx, tx, m); err != nil {
			return err
		}
	}
	h.Event(tx, ledger.Event{Type: ledger.AIValidated, AI: &assessment}, m.By)
	return nil
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
	return locale.Capitalized(text), nil
}

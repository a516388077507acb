package validate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// callLog is the recorder that writes the model calls of one run to ai_analyses.
// Each call has a transaction of its own, because it costs money even if the run fails.
type callLog struct {
	db       *database.DB
	clock    timestamp.Clock
	log      *slog.Logger
	reportID uuid.UUID
	imageID  uuid.UUID // uuid.Nil without a picture
	runID    uuid.UUID
	budget   dailyBudget
	paid     bool // this run has counted the picture
}

// pay implements recorder.
func (l *callLog) pay(ctx context.Context) error {
	if l.paid {
		return nil
	}
	err := l.budget.pay(ctx, l.reportID, l.imageID)
	l.paid = err == nil
	return err
}

// find implements recorder.
func (l *callLog) find(ctx context.Context, stage string, a answer) ([]byte, error) {
	const q = `
		SELECT raw FROM ai_analyses
		WHERE image_id = $1 AND stage = $2 AND model = $3 AND prompt_version = $4 AND input_hash = $5
		  AND status <> 'failed' AND raw IS NOT NULL
		ORDER BY created_at DESC LIMIT 1`
	var raw []byte
	err := l.db.QueryRow(ctx, q, l.imageID, stage, a.model, promptVersion, a.inputHash[:]).Scan(&raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an earlier answer: %w", err)
	}
	return raw, nil
}

// record implements recorder. It also adds the call's tokens to ai_usage.
func (l *callLog) record(ctx context.Context, c call) error {
	status := report.AICompleted
	var failure *string
	if c.answer.err != nil {
		status = report.AIFailed
		text := errorText(c.answer.err)
		failure = &text
		l.log.WarnContext(ctx, "model call failed", "stage", c.stage, "report_id", l.reportID, "error", c.answer.err)
	}
	row := analysis{id: database.NewID(), stage: c.stage, model: c.answer.model, hash: c.answer.inputHash[:], status: string(status), err: failure,
		raw: storableJSON(c.answer.raw), latency: int(c.answer.latency.Milliseconds()),
		input: c.answer.inputTokens, output: c.answer.outputTokens, relevance: c.relevance, damage: c.damage}
	err := l.db.InTx(ctx, func(tx *database.Tx) error { // one round trip, because all workers wait for the row of the month
		l.insert(tx, row)
		const usage = `
			INSERT INTO ai_usage (month, input_tokens, output_tokens) VALUES (date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC')::date, $2, $3)
			ON CONFLICT (month) DO UPDATE SET input_tokens = ai_usage.input_tokens + excluded.input_tokens,
				output_tokens = ai_usage.output_tokens + excluded.output_tokens`
		tx.Last().Queue(usage, l.clock.Now(), row.input, row.output)
		return nil
	})
	if err != nil {
		return fmt.Errorf("record model call: %w", err)
	}
	return nil
}

// analysis is one row of ai_analyses.
type analysis struct {
	id                     uuid.UUID
	stage, model, status   string
	hash                   []byte
	raw                    json.RawMessage
	err                    *string
	latency, input, output int
	relevance              *relevance
	damage                 *damage
}

// insert writes a row of ai_analyses.
func (l *callLog) insert(p database.Pipeline, a analysis) {
	var r struct {
		relevant   *bool
		confidence *float64
		reason     *string
	}
	if a.relevance != nil {
		r.relevant, r.confidence, r.reason = &a.relevance.Relevant, &a.relevance.Confidence, &a.relevance.Reason
	}
	var d damage
	var score *int
	var confidence *float64
	var severity *string
	if a.damage != nil {
		d = *a.damage
		word := string(report.SeverityOf(d.Score))
		score, confidence, severity = &d.Score, &d.Confidence, &word
	}
	if d.Hazards == nil {
		d.Hazards = []string{}
	}
	const q = `
		INSERT INTO ai_analyses (id, report_id, image_id, run_id, stage, model, prompt_version, input_hash, status,
			is_relevant, relevance_confidence, relevance_reason, damage_type, issue_type, severity, severity_score, confidence,
			title, description, recommended_repair, repair_urgency, hazards, raw, error, latency_ms, input_tokens, output_tokens, translations)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, nullif($12, ''), nullif($13, ''), nullif($14, ''), $15, $16, $17,
			nullif($18, ''), nullif($19, ''), nullif($20, ''), nullif($21, ''), $22, $23, $24, $25, $26, $27, $28)`
	var image *uuid.UUID
	if l.imageID != uuid.Nil {
		image = &l.imageID
	}
	p.Queue(q, a.id, l.reportID, image, l.runID, a.stage, a.model, promptVersion, a.hash, a.status,
		r.relevant, r.confidence, r.reason, d.DamageType, string(d.IssueType), severity, score, confidence,
		d.Title, d.Description, d.Repair, d.RepairUrgency, d.Hazards, a.raw, a.err, a.latency, a.input, a.output, translationsOf(a))
}

// translationsOf joins the translations of both answers; nil where there is none.
func translationsOf(a analysis) report.AITranslations {
	out := report.AITranslations{}
	if a.damage != nil {
		maps.Copy(out, a.damage.Translated)
	}
	if a.relevance != nil {
		for l, w := range a.relevance.Translated {
			all := out[l]
			all.RelevanceReason = w.RelevanceReason
			out[l] = all
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// errorText returns an error as one line of at most 300 characters.
func errorText(err error) string { return plainText(err.Error(), 300) }

// tokensUsed returns the input and output tokens of all calls of this month (UTC).
func tokensUsed(ctx context.Context, q database.Querier, clock timestamp.Clock) (int64, error) {
	const sum = `SELECT input_tokens + output_tokens FROM ai_usage WHERE month = date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC')::date`
	var n int64
	err := q.QueryRow(ctx, sum, clock.Now()).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read AI budget: %w", err)
	}
	return n, nil
}

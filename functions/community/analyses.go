package community

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerAnalyses(api *httpapi.API) {
	const path = "/api/v1/reports/{id}/ai-analysis"
	op := func(path, summary, description string) httpapi.Operation {
		return httpapi.Operation{Operation: huma.Operation{Method: http.MethodGet, Path: path, Tags: []string{name}, Summary: summary, Description: description}}
	}
	httpapi.Register(api, op(path, "List the AI's analyses of a report, newest first",
		"With the overrides of staff. Before the verdict its reporter and staff alone see them.").WithProblems(report.Problems()...).WithProblems(errAnalysisPending), g.listAnalyses)
	httpapi.Register(api, op(path+"/latest", "Show the newest analysis of a report",
		"404 `analysis_pending` while there is none that the caller may see.").WithProblems(report.Problems()...).WithProblems(errAnalysisPending), g.latestAnalysis)
}

// Analysis is one verdict about a report, of the AI or of a person who replaced the AI's.
type Analysis struct {
	ID                  uuid.UUID        `json:"id"`
	ReportID            uuid.UUID        `json:"report_id"`
	ImageID             *uuid.UUID       `json:"image_id"`
	Model               string           `json:"model"`
	PromptVersion       string           `json:"prompt_version"`
	Status              report.AIStatus  `json:"status"`
	IsRelevant          *bool            `json:"is_relevant"`
	RelevanceConfidence *float64         `json:"relevance_confidence" minimum:"0" maximum:"1"`
	RelevanceReason     *string          `json:"relevance_reason" doc:"That of a person is for staff"`
	DamageType          *string          `json:"damage_type"`
	IssueType           *string          `json:"issue_type"`
	Severity            *report.Severity `json:"severity"`
	SeverityScore       *int             `json:"severity_score" minimum:"1" maximum:"10"`
	Confidence          *float64         `json:"confidence" minimum:"0" maximum:"1"`
	Title               *string          `json:"title"`
	Description         *string          `json:"description"`
	RecommendedRepair   *string          `json:"recommended_repair"`
	RepairUrgency       *string          `json:"repair_urgency"`
	Hazards             []string         `json:"hazards"`
	LatencyMS           int              `json:"latency_ms"`
	InputTokens         int              `json:"input_tokens"`
	OutputTokens        int              `json:"output_tokens"`
	CreatedAt           timestamp.Time   `json:"created_at"`
	// Translations are the words in the other languages, as the public log commits to them.
	Translations report.AITranslations `json:"translations,omitempty" doc:"The words in other languages than English. relevance_reason, title, description and recommended_repair are in the reader's language, and in English for Accept-Language: en"`
}

var errAnalysisPending = problem.New(problem.NotFound, "analysis_pending")

// maxAnalyses is how many analyses are listed; a report rarely has more than two.
const maxAnalyses = 100

// readAnalyses returns the verdicts about a report, newest first, if the caller may read
// the report. Each verdict has the sums of latency and tokens of all model calls of its
// run. The single calls are not shown to clients. While the report has no verdict, its reporter and staff alone see them;
// the same holds while its words or one of its pictures are hidden, and for the analyses of a picture that others do not see.
func (g *Group) readAnalyses(ctx context.Context, ref report.Ref, limit int) ([]Analysis, error) {
	const q = `
		SELECT a.id, a.report_id, a.image_id, a.model, a.prompt_version, a.status, a.is_relevant, a.relevance_confidence,
			CASE WHEN a.stage <> 'override' OR $4 THEN a.relevance_reason END, a.damage_type, a.issue_type, a.severity, a.severity_score,
			a.confidence, a.title, a.description, a.recommended_repair, a.repair_urgency, a.hazards, c.latency, c.input, c.output, a.created_at, a.translations
		FROM ai_analyses a JOIN reports r ON r.id = a.report_id LEFT JOIN report_images ri ON ri.id = a.image_id, LATERAL (
			SELECT sum(latency_ms) AS latency, sum(input_tokens) AS input, sum(output_tokens) AS output
			FROM ai_analyses WHERE report_id = a.report_id AND run_id = a.run_id) c
		WHERE a.report_id = ` + report.IDSQL + ` AND a.stage IN ('verdict', 'override')
		  AND ($4 OR r.user_id = $5 OR a.image_id IS NULL OR ` + report.PublicPictureSQL + `)
		ORDER BY a.created_at DESC, a.id DESC LIMIT $3`
	about, err := ref.About()
	if err != nil {
		return nil, err
	}
	batch := &database.Batch{}
	caller := identity.Must(ctx)
	readable := reportread.ViewerOf(caller).MayReadAnalyses(batch, about)
	found := database.AskRows(batch, scanAnalysis, q, about.Args(limit, caller.Role.IsStaff(), caller.UserID)...)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("read analyses: %w", err)
	}
	if !readable.Get() {
		return nil, errAnalysisPending
	}
	out := found.Get()
	for i := range out {
		a := &out[i]
		a.Translations.Put(locale.FromContext(ctx), &a.Title, &a.Description, &a.RecommendedRepair, &a.RelevanceReason)
	}
	return out, nil
}

func scanAnalysis(row pgx.CollectableRow) (Analysis, error) {
	var a Analysis
	var at time.Time
	err := row.Scan(&a.ID, &a.ReportID, &a.ImageID, &a.Model, &a.PromptVersion, &a.Status, &a.IsRelevant,
		&a.RelevanceConfidence, &a.RelevanceReason, &a.DamageType, &a.IssueType, &a.Severity, &a.SeverityScore,
		&a.Confidence, &a.Title, &a.Description, &a.RecommendedRepair, &a.RepairUrgency, &a.Hazards, &a.LatencyMS,
		&a.InputTokens, &a.OutputTokens, &at, &a.Translations)
	a.CreatedAt = timestamp.Of(at)
	return a, err
}

type analysesOutput struct{ Body []Analysis }

func (g *Group) listAnalyses(ctx context.Context, in *report.RefInput) (*analysesOutput, error) {
	all, err := g.readAnalyses(ctx, in.ID, maxAnalyses)
	if err != nil {
		return nil, err
	}
	return &analysesOutput{Body: all}, nil
}

type analysisOutput struct{ Body Analysis }

func (g *Group) latestAnalysis(ctx context.Context, in *report.RefInput) (*analysisOutput, error) {
	all, err := g.readAnalyses(ctx, in.ID, 1)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errAnalysisPending
	}
	return &analysisOutput{Body: all[0]}, nil
}

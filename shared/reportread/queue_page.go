package reportread

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// maxQueued is the largest total of a queue and the largest count of it.
const maxQueued = 10_000

// QueueCounts are the numbers of reports in the queues of a caller, each at most maxQueued.
type QueueCounts struct {
	New         int `json:"new" doc:"Each of these counts is exact up to 10,000"`
	NeedsReview int `json:"needs_review"`
	Flagged     int `json:"flagged"`
	Assigned    int `json:"assigned"`
	Mine        int `json:"mine"`
	Overdue     int `json:"overdue"`
	DueToday    int `json:"due_today" doc:"Due later today, in Timor-Leste; of an official, those of the agency"`
}

// StaffSummary is a report as a queue shows it.
type StaffSummary struct {
	_ struct{} `schema:"StaffReport"`
	Summary
	AssignedTo              *Colleague `json:"assigned_to" doc:"The person of the agency who has it"`
	AI                      *QueueAI   `json:"ai" doc:"null before the AI has judged"`
	PossibleDuplicatesCount int        `json:"possible_duplicates_count"`
	Appeal                  *Appeal    `json:"appeal" doc:"Why the reporter considers the rejection wrong"`
	FlagsCount              int        `json:"flags_count" doc:"Open flags of the report and of its comments"`
}

// Colleague is somebody of the staff.
type Colleague struct {
	ID       uuid.UUID `json:"id"`
	FullName string    `json:"full_name"`
}

// QueueAI is the latest judgement of the AI, or of a person who corrected it, as a queue shows it.
type QueueAI struct {
	_                 struct{} `schema:"QueueAnalysis"`
	IsRelevant        *bool    `json:"is_relevant"`
	Confidence        *float64 `json:"confidence" minimum:"0" maximum:"1"`
	RelevanceReason   *string  `json:"relevance_reason" doc:"In the reader's language, where the model gave it"`
	RecommendedRepair *string  `json:"recommended_repair" doc:"In the reader's language, where the model gave it"`
}

// QueuePage is one page of a queue.
type QueuePage struct {
	page.Envelope[StaffSummary]
	NextCursor *string     `json:"next_cursor" doc:"Opaque; send it as cursor for the next page. null on the last"`
	Counts     QueueCounts `json:"counts" doc:"Of all queues, from the same snapshot as the items, with the filter agency alone. total of a queue without other filters is its count"`
}

// queueColumns are the columns of a queueRow after summaryColumns, of reports r joined by summaryJoins and queueJoins.
const queueColumns = `, w.id, w.full_name, n.id IS NOT NULL, n.is_relevant, n.relevance_confidence, n.relevance_reason, n.recommended_repair, n.translations,
	` + candidatesCountSQL + `,
	r.appealed_at, r.appeal_reason, r.flags_count`

// candidatesCountSQL is the number of possible duplicates that staff see of report r.
const candidatesCountSQL = `(SELECT count(*) FROM duplicate_candidates c JOIN reports o ON o.id = c.candidate_id
	WHERE c.report_id = r.id AND o.deleted_at IS NULL AND o.status <> 'rejected')`

const queueJoins = ` LEFT JOIN users w ON w.id = r.assigned_user_id AND ` + report.ColleagueSQL + ` LEFT JOIN ai_analyses n ON n.id = r.ai_analysis_id`

// staffSummaries is the listing of StaffSummary for v. It binds what it needs to the arguments of w.
func staffSummaries(v Viewer, w *where) listing {
	return listing{summaryColumns + v.following(w) + queueColumns, summaryJoins + queueJoins, maxCounted, maxQueued}
}

// queueRow is a row of staffSummaries.
type queueRow struct {
	summaryRow
	staff        StaffSummary // without its Summary
	colleague    *uuid.UUID
	fullName     *string
	analysed     bool
	ai           QueueAI
	translations report.AITranslations
	appealed     *time.Time
	appeal       *string
}

func (q *queueRow) targets() []any {
	s := &q.staff
	return append(q.summaryRow.targets(), &q.colleague, &q.fullName, &q.analysed, &q.ai.IsRelevant, &q.ai.Confidence, &q.ai.RelevanceReason,
		&q.ai.RecommendedRepair, &q.translations, &s.PossibleDuplicatesCount, &q.appealed, &q.appeal, &s.FlagsCount)
}

// presentQueued makes the StaffSummary out of a row.
func (r *Reader) presentQueued(ctx context.Context, v Viewer, q *queueRow) (StaffSummary, error) {
	var err error
	out := q.staff
	if out.Summary, err = r.present(ctx, v, &q.summaryRow); err != nil {
		return StaffSummary{}, err
	}
	if q.appealed != nil && q.appeal != nil {
		out.Appeal = &Appeal{Reason: *q.appeal, At: timestamp.Of(*q.appealed)}
	}
	if q.colleague != nil {
		out.AssignedTo = &Colleague{ID: *q.colleague, FullName: *q.fullName}
	}
	if q.analysed {
		q.translations.Put(locale.FromContext(ctx), nil, nil, &q.ai.RecommendedRepair, &q.ai.RelevanceReason)
		out.AI = &q.ai
	}
	return out, nil
}

// Queue reads a page of a queue for a member of the staff. All of it is of one snapshot of the database.
func (r *Reader) Queue(ctx context.Context, c identity.Caller, kind report.Queue, q QueueQuery) (QueuePage, error) {
	batch, v, list := &database.Batch{}, ViewerOf(c), q.list(kind)
	list.Query = q.Query
	w, err := r.queued(ctx, c, kind, q.QueueFilters)
	if err != nil {
		return QueuePage{}, err
	}
	q.check(batch)
	found, err := askPage(batch, staffSummaries(v, w), exactGeometry(), w, list, (*queueRow).targets)
	if err != nil {
		return QueuePage{}, err
	}
	counts, err := askCounts(batch, c, q.AgencyFilter)
	if err != nil {
		return QueuePage{}, err
	}
	if err := batch.SendSnapshot(ctx, r.db); err != nil {
		return QueuePage{}, fmt.Errorf("read queue: %w", err)
	}
	h := found.Get()
	items := make([]StaffSummary, len(h.rows))
	for i, row := range h.rows {
		if items[i], err = r.presentQueued(ctx, v, row); err != nil {
			return QueuePage{}, fmt.Errorf("read queue: %w", err)
		}
	}
	out := QueuePage{Envelope: page.NewEnvelope(q.Query, items, h.total), Counts: counts.Get()}
	out.HasNext = h.more
	out.NextCursor = nextCursor(list, exactGeometry(), h, func(q *queueRow) *summaryRow { return &q.summaryRow })
	return out, nil
}

// queued is the condition that a caller finds reports r in a queue, with filters. "" is as for queueCondition.
func (r *Reader) queued(ctx context.Context, c identity.Caller, kind report.Queue, f QueueFilters) (*where, error) {
	w := &where{}
	condition := queueCondition(w, kind, c)
	scan := condition
	if kind == report.QueueOverdue { // the same in the terms of reports_open_due_idx, where the scan then ends
		scan += " AND " + dueSQL + " < now()"
	}
	w.andEither(condition, scan)
	if err := f.filter(c, w); err != nil {
		return nil, err
	}
	return w, f.Filters.filter(ctx, r.municipalities, ViewerOf(c), exactGeometry(), w)
}

// Counts counts the reports in the queues of a member of the staff, by an agency filter.
func (r *Reader) Counts(ctx context.Context, c identity.Caller, f AgencyFilter) (QueueCounts, error) {
	batch := &database.Batch{}
	f.check(batch)
	batch.Queue(useIndexes)
	counts, err := askCounts(batch, c, f)
	if err != nil {
		return QueueCounts{}, err
	}
	if err := batch.Send(ctx, r.db); err != nil {
		return QueueCounts{}, fmt.Errorf("count queues: %w", err)
	}
	return counts.Get(), nil
}

// askCounts adds the statement that counts the queues to a pipeline.
func askCounts(p database.Pipeline, c identity.Caller, f AgencyFilter) (*database.Ask[QueueCounts], error) {
	sql, args, err := countsSQL(c, f)
	if err != nil {
		return nil, err
	}
	return database.AskRow(p, pgx.RowToStructByPos[QueueCounts], sql, args...), nil
}

// countsSQL is the statement for QueueCounts, in the order of its members.
func countsSQL(c identity.Caller, f AgencyFilter) (string, []any, error) {
	var w where
	if err := f.filter(c, &w); err != nil {
		return "", nil, err
	}
	count := func(condition string) string {
		return `(SELECT count(*) FROM (SELECT FROM reports r WHERE ` + condition + ` AND ` + w.sql() + ` LIMIT ` + strconv.Itoa(maxQueued) + `) q)`
	}
	var counts []string
	for _, kind := range report.Queues() {
		counts = append(counts, count(queueCondition(&w, kind, c)))
	}
	counts = append(counts, count(dueToday(&w, c)))
	return `SELECT ` + strings.Join(counts, ", "), w.args, nil
}

// dueToday is the condition of what is due today and c sees.
func dueToday(w *where, c identity.Caller) string {
	if c.Role == identity.Official {
		return report.DueTodaySQL + w.bind(" AND r.assigned_agency_id = ?", c.AgencyID)
	}
	return report.DueTodaySQL
}

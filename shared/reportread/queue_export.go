package reportread

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

// Exported is a report as staff export it. It has the name of the reporter, unless the report is anonymous, and no contact data.
type Exported struct {
	ID                uuid.UUID
	Number            string
	IssueType         string
	Severity          report.Severity
	Priority          report.Severity
	Status            string
	Title             string
	Description       string
	ContentHidden     bool // the words are hidden from others
	Latitude          float64
	Longitude         float64
	Municipality      string
	District          string
	Suco              string
	Street            string
	Address           string
	Source            string
	Agency            string // code
	AssignedTo        string
	DueAt             *time.Time
	Reporter          string
	AIStatus          string
	IsRelevant        *bool
	Confidence        *float32
	RelevanceReason   *string // in the reader's language, as the next one
	RecommendedRepair *string
	Translations      report.AITranslations
	Duplicates        int // possible ones
	Flags             int
	Confirmations     int
	Comments          int
	AppealReason      string
	CreatedAt         time.Time
	UpdatedAt         time.Time
	ResolvedAt        *time.Time
}

// exportColumns are the columns of an Exported, of reports r.
const exportColumns = `r.id, r.report_number, r.issue_type, r.severity, r.priority, r.status, r.title, r.description, r.words_hidden IS NOT NULL, r.latitude, r.longitude,
	coalesce(r.municipality, ''), coalesce(r.district, ''), coalesce(r.suco, ''), coalesce(r.street, ''), coalesce(r.address, ''), r.source,
	coalesce(a.code, ''), coalesce(w.full_name, ''), r.due_at, CASE WHEN r.is_anonymous THEN '' ELSE coalesce(u.full_name, '') END, r.ai_status,
	n.is_relevant, n.relevance_confidence, n.relevance_reason, n.recommended_repair, n.translations, ` + candidatesCountSQL + `::int,
	r.flags_count, r.confirmations_count, r.comments_count, coalesce(r.appeal_reason, ''), r.created_at, r.updated_at, r.resolved_at`

const exportJoins = ` LEFT JOIN agencies a ON a.id = r.assigned_agency_id LEFT JOIN users u ON u.id = r.user_id AND u.deleted_at IS NULL` + queueJoins

// Export reads reports of a queue in the order of q, after its cursor, and calls each for every one until it returns false. It reads
// most reports at most. The result is the cursor of the last report that each took, if there are more; else "". kind "" is all
// reports that the caller works on: of an official those of the agency and those that no agency has in its area and kind.
func (r *Reader) Export(ctx context.Context, tx *database.Tx, c identity.Caller, kind report.Queue, q QueueOrder, most int, each func(*Exported) (bool, error)) (string, error) {
	list := q.list(kind)
	query, args, err := r.exportSQL(ctx, c, kind, q, most+1)
	if err != nil {
		return "", err
	}
	q.check(tx)
	tx.Queue(list.settings())
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return "", fmt.Errorf("query export: %w", err)
	}
	defer rows.Close()
	language := locale.FromContext(ctx)
	var last *Exported
	for n := 0; rows.Next(); n++ {
		row, err := pgx.RowToAddrOfStructByPos[Exported](rows)
		if err != nil {
			return "", fmt.Errorf("read export row: %w", err)
		}
		row.Translations.Put(language, nil, nil, &row.RecommendedRepair, &row.RelevanceReason)
		fits := n < most
		if fits {
			if fits, err = each(row); err != nil {
				return "", err
			}
		}
		if !fits {
			return cursorOf(list, exactGeometry(), last.position()), nil
		}
		last = row
	}
	if err := rows.Err(); err != nil {
		return "", fmt.Errorf("read export: %w", err)
	}
	return "", nil
}

func (r *Reader) exportSQL(ctx context.Context, c identity.Caller, kind report.Queue, q QueueOrder, limit int) (string, []any, error) {
	w, err := r.queued(ctx, c, kind, q.QueueFilters)
	if err != nil {
		return "", nil, err
	}
	list := q.list(kind)
	by := sortingOf(list.Sort, exactGeometry().rank)
	direction, beyond := list.direction()
	if list.Cursor != "" {
		at, err := parseCursor(list.Cursor, list.Sort, list.Order)
		if err != nil {
			return "", nil, err
		}
		w.and(by.tuple()+" "+beyond+" "+by.placeholders(), by.bound(at)...)
	}
	return `SELECT ` + exportColumns + ` FROM reports r` + exportJoins + ` WHERE ` + w.sql() + ` ORDER BY ` + by.order(direction) + fmt.Sprintf(` LIMIT %d`, limit), w.args, nil
}

// position is e as cursorOf reads it.
func (e *Exported) position() *summaryRow {
	s := &summaryRow{due: e.DueAt}
	s.ID, s.CreatedAt.Time, s.UpdatedAt.Time, s.Severity, s.Priority = e.ID, e.CreatedAt, e.UpdatedAt, &e.Severity, &e.Priority
	return s
}

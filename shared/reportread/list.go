package reportread

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// Page is one page of a list of reports.
type Page struct {
	_ struct{} `schema:"ReportPage"`
	page.Envelope[Summary]
	NextCursor *string `json:"next_cursor" doc:"Opaque; send it as cursor for the next page. null on the last"`
}

// Scope is a condition on a list in addition to the filters of the request.
type Scope struct {
	condition    string
	args         []any
	since, until *time.Time
}

// limit adds the condition to w.
func (s Scope) limit(w *where) {
	if s.condition != "" {
		w.and(s.condition, s.args...)
	}
	w.created(s.since, s.until)
}

// By limits a list to the reports of one person.
func By(user uuid.UUID) Scope { return Where("r.user_id = ?", user) }

// Created limits a list to the reports created at since or later, and before until. Each may be nil.
func Created(since, until *time.Time) Scope { return Scope{since: since, until: until} }

// ByInEveryState is By for a list that also names what was withdrawn or removed. Each half has an index.
func ByInEveryState(user uuid.UUID) Scope {
	return Where("(r.user_id = ? AND r.deleted_at IS NULL OR r.user_id = ? AND r.deleted_at IS NOT NULL)", user, user)
}

// geometry says by which place and severity a list searches and sorts: SQL for the place of reports r and for the rank of their severity. margin is how far in
// metres the place may lie from r.position, which the index has.
type geometry struct {
	position, latitude, longitude, rank string
	margin                              float64
	exact                               bool
}

// geometry returns what shared lists go by for v: staff by what is stored, others by what everybody is shown. So no search
// tells where a report without a verdict is, or how bad.
func (v Viewer) geometry() geometry {
	if v.staff {
		return exactGeometry()
	}
	return geometry{position: report.ShownPositionSQL, latitude: report.ShownLatitudeSQL, longitude: report.ShownLongitudeSQL,
		rank: shownRankSQL, margin: report.ShownWithin}
}

func exactGeometry() geometry {
	return geometry{position: "r.position", latitude: "r.latitude", longitude: "r.longitude", rank: "r.severity_rank", exact: true}
}

// shownRankSQL is the expression of the index reports_shown_severity_idx.
const shownRankSQL = `(CASE WHEN r.status = 'pending' THEN 0 ELSE r.severity_rank END)`

// Where is an SQL condition on reports r, with ? for each argument. The condition must be fixed text: it is not escaped.
func Where(condition string, args ...any) Scope { return Scope{condition: condition, args: args} }

// List returns a page of the reports that v may see and that all scopes include.
func (r *Reader) List(ctx context.Context, v Viewer, q Query, scopes ...Scope) (Page, error) {
	return r.list(ctx, v, v.geometry(), q, &database.Batch{}, scopes...)
}

// list is List by a geometry; it sends batch, to which the caller may have added statements.
func (r *Reader) list(ctx context.Context, v Viewer, by geometry, q Query, batch *database.Batch, scopes ...Scope) (Page, error) {
	var w where
	v.visible(&w, q.Status)
	for _, s := range scopes {
		s.limit(&w)
	}
	if err := q.filter(ctx, r.municipalities, v, by, &w); err != nil {
		return Page{}, err
	}
	found, err := askPage(batch, summaries(v, &w), by, &w, q, (*summaryRow).targets)
	if err != nil {
		return Page{}, err
	}
	if err := batch.Send(ctx, r.db); err != nil {
		return Page{}, fmt.Errorf("list reports: %w", err)
	}
	h := found.Get()
	next := nextCursor(q, by, h, func(row *summaryRow) *summaryRow { return row }) // before present withholds anything
	items, err := r.presentAll(ctx, v, h.rows)
	if err != nil {
		return Page{}, fmt.Errorf("list reports: %w", err)
	}
	out := Page{Envelope: page.NewEnvelope(q.Query, items, h.total), NextCursor: next}
	out.HasNext = h.more
	return out, nil
}

// nextCursor is the cursor of the page after h, nil for the last page.
func nextCursor[T any](q Query, by geometry, h hits[T], summary func(*T) *summaryRow) *string {
	if !h.more {
		return nil
	}
	next := cursorOf(q, by, summary(h.rows[len(h.rows)-1]))
	return &next
}

// cursor is the position of the last report of a page.
type cursor struct {
	Sort string    `json:"s"`
	Rank int       `json:"r,omitempty"`
	At   time.Time `json:"t"`
	ID   uuid.UUID `json:"i"`
}

func cursorOf(q Query, by geometry, last *summaryRow) string {
	c := cursor{Sort: q.Sort + q.Order, At: last.CreatedAt.Time, ID: last.ID}
	switch q.Sort {
	case "updated_at":
		c.At = last.UpdatedAt.Time
	case "severity":
		if by.exact || last.Status != report.Pending { // as shownRankSQL
			c.Rank = rank(*last.Severity)
		}
	case "priority":
		c.Rank = rank(*last.Priority)
	case "due_at":
		c.At = time.Time{}
		if last.due != nil {
			c.At = *last.due
		}
	}
	raw, _ := json.Marshal(c) // times and ids always encode
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseCursor(s, sort, order string) (cursor, error) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Sort != sort+order || c.Rank < 0 || c.Rank > len(report.Severities()) {
		return cursor{}, problem.InvalidField("cursor", "not a cursor of this list and order")
	}
	return c, nil
}

// rank is the position of a severity in Severities, counted from 1. The generated column severity_rank has the same value.
func rank(s report.Severity) int {
	for i, known := range report.Severities() {
		if known == s {
			return i + 1
		}
	}
	return 0
}

// ListOwn lists the reports of one person and counts all reports of that person by status, whatever the filters. Every
// status has an entry.
func (r *Reader) ListOwn(ctx context.Context, v Viewer, q Query, user uuid.UUID) (Page, map[report.Status]int, error) {
	return r.listAndCount(ctx, v, exactGeometry(), q, user, By(user))
}

// ListFollowed is ListOwn for the reports that one person follows. The counts are those of the person's own reports.
func (r *Reader) ListFollowed(ctx context.Context, v Viewer, q Query, user uuid.UUID) (Page, map[report.Status]int, error) {
	return r.listAndCount(ctx, v, v.geometry(), q, user, Where(`r.id IN (SELECT report_id FROM report_follows WHERE user_id = ?)`, user))
}

func (r *Reader) listAndCount(ctx context.Context, v Viewer, by geometry, q Query, user uuid.UUID, of Scope) (Page, map[report.Status]int, error) {
	const counts = `SELECT status, count(*) FROM reports WHERE user_id = $1 AND deleted_at IS NULL GROUP BY status`
	batch := &database.Batch{}
	found := database.AskRows(batch, pgx.RowToStructByPos[statusCount], counts, user)
	p, err := r.list(ctx, v, by, q, batch, of)
	if err != nil {
		return Page{}, nil, err
	}
	out := make(map[report.Status]int)
	for _, s := range report.Statuses() {
		out[s] = 0
	}
	for _, c := range found.Get() {
		out[c.Status] = c.N
	}
	return p, out, nil
}

var ErrPersonNotFound = problem.New(problem.NotFound, "user_not_found")

// ListOfPerson returns a page of a person's reports in every state. It fails with a 404 for somebody who does not exist.
func (r *Reader) ListOfPerson(ctx context.Context, v Viewer, q Query, user uuid.UUID) (Page, error) {
	batch := &database.Batch{}
	database.AskRow(batch, pgx.RowTo[bool], `SELECT true FROM users WHERE id = $1 AND deleted_at IS NULL`, user).Missing(ErrPersonNotFound)
	v.withRemoved = true
	return r.list(ctx, v, v.geometry(), q, batch, ByInEveryState(user))
}

type statusCount struct {
	Status report.Status
	N      int
}

package reportread

import (
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
)

// QueueQuery is the filters, the order and the page of a queue. Embed it in an input struct.
type QueueQuery struct {
	page.Query
	QueueOrder
}

// QueueOrder is the filters and the order of a queue, and a position in it. Embed it in an input struct.
type QueueOrder struct {
	QueueFilters
	Sort   string `query:"sort" enum:"created_at,updated_at,severity,due_at,priority" doc:"Default: due_at of the queue overdue, else created_at. Reports without a due date are after all others by it"`
	Order  string `query:"order" enum:"asc,desc" doc:"Default: asc by due_at, so that what is due first comes first; else desc, newest or worst first"`
	Cursor string `query:"cursor" maxLength:"300" doc:"next_cursor of the page before; costs the same at any depth. page is then ignored"`
}

// QueueFilters say which reports of a queue a list has.
type QueueFilters struct {
	Filters
	AgencyFilter
	AssignedTo string `query:"assigned_to" maxLength:"60" doc:"Id of a person; me; none" example:"me"`
	AIStatus   string `query:"ai_status" doc:"One or several, comma-separated" example:"needs_review,failed"`
	Reporter   string `query:"reporter" format:"uuid" doc:"Id of a person"`
	DueBefore  string `query:"due_before" doc:"Day in Timor-Leste, or instant, before which reports are due" example:"2026-12-24"`
	Source     string `query:"source" doc:"One or several, comma-separated: app, web, assisted, open311, import" example:"assisted"`
}

// AgencyFilter selects the reports that an agency has.
type AgencyFilter struct {
	Agency string `query:"agency" maxLength:"60" doc:"Id or code of the agency that has the report; mine: the caller's; none: no agency has it" example:"OP-DILI"`
}

// list is q as a Query without a page, with the default order of a queue; "" is no queue.
func (q QueueOrder) list(kind report.Queue) Query {
	out := Query{Filters: q.Filters, Sort: q.Sort, Order: q.Order, Cursor: q.Cursor}
	if out.Sort == "" {
		out.Sort = "created_at"
		if kind == report.QueueOverdue {
			out.Sort = "due_at"
		}
	}
	if out.Order == "" {
		out.Order = "desc"
		if out.Sort == "due_at" {
			out.Order = "asc"
		}
	}
	return out
}

// queueCondition is the condition that a queue has report r, for a caller. An official sees what their agency has; of the
// queues new, needs_review and flagged also what no agency has yet, if it is in the place and of the types of theirs. "" is all
// reports that the caller may work on, whether they are in a queue or not.
func queueCondition(w *where, kind report.Queue, c identity.Caller) string {
	ours := func() string { return w.bind("r.assigned_agency_id = ?", c.AgencyID) }
	near := func() string { // OFFSET keeps it a subquery: to plan a join by area takes longer than the query
		return "r.assigned_agency_id IS NULL AND EXISTS (SELECT FROM (SELECT " + agencyOnce(w, c.AgencyID) + ") g WHERE " + report.AgencyCovers + " OFFSET 0)"
	}
	official := c.Role == identity.Official
	switch {
	case kind == report.QueueMine:
		return report.OpenSQL + " AND " + assignedToCaller(w, c)
	case !official:
		return queueSQL(kind)
	case kind == report.QueueNew:
		return queueSQL(kind) + " AND " + near()
	case kind == report.QueueAssigned, kind == report.QueueOverdue:
		return queueSQL(kind) + " AND " + ours()
	}
	return queueSQL(kind) + " AND (" + ours() + " OR " + near() + ")"
}

// queueSQL is the condition of a queue for somebody who sees all of it.
func queueSQL(kind report.Queue) string {
	switch kind {
	case report.QueueNew:
		return report.NewSQL
	case report.QueueNeedsReview:
		return report.NeedsReviewSQL
	case report.QueueFlagged:
		return report.FlaggedSQL
	case report.QueueAssigned:
		return report.AssignedSQL
	case report.QueueOverdue:
		return report.OverdueSQL
	}
	return "r.deleted_at IS NULL"
}

// filter adds the condition of the filter to w.
func (f AgencyFilter) filter(c identity.Caller, w *where) error {
	word := strings.TrimSpace(f.Agency)
	id, notID := uuid.Parse(word)
	switch {
	case word == "":
	case strings.EqualFold(word, "none"):
		w.and("r.assigned_agency_id IS NULL")
	case strings.EqualFold(word, "mine") && c.AgencyID == nil:
		return problem.InvalidField("agency", "mine: you belong to no agency")
	case strings.EqualFold(word, "mine"):
		w.and("r.assigned_agency_id = ?", c.AgencyID)
	case notID == nil:
		w.and("r.assigned_agency_id = ?", id)
	default:
		w.and("r.assigned_agency_id = (SELECT g.id FROM agencies g WHERE g.code = upper(?) AND g.deleted_at IS NULL)", word)
	}
	return nil
}

// check has the pipeline fail with a 422 if there is no agency that the filter names.
func (f AgencyFilter) check(p database.Pipeline) {
	word := strings.TrimSpace(f.Agency)
	if word == "" || strings.EqualFold(word, "none") || strings.EqualFold(word, "mine") {
		return
	}
	id, _ := uuid.Parse(word)
	const q = `SELECT true FROM agencies WHERE (id = $1 OR code = upper($2)) AND deleted_at IS NULL LIMIT 1`
	database.AskRow(p, pgx.RowTo[bool], q, id, word).Missing(problem.InvalidField("agency", "no agency has this id or code"))
}

// filter adds the conditions that Filters does not have to w.
func (f QueueFilters) filter(c identity.Caller, w *where) error {
	if err := f.AgencyFilter.filter(c, w); err != nil {
		return err
	}
	if err := f.assignee(c, w); err != nil {
		return err
	}
	if err := inList(w, "ai_status", f.AIStatus, report.ParseAIStatus); err != nil {
		return err
	}
	if err := inList(w, "source", f.Source, report.ParseSource); err != nil {
		return err
	}
	if f.Reporter != "" {
		w.and("r.user_id = ?", f.Reporter)
		if c.Role == identity.Official { // who is not told of an anonymous reporter does not find one either
			w.and("(NOT r.is_anonymous OR r.user_id = ?)", c.UserID)
		}
	}
	if f.DueBefore != "" {
		before, _, err := instant(f.DueBefore)
		if err != nil {
			return problem.InvalidField("due_before", "expected YYYY-MM-DD or an RFC 3339 date-time")
		}
		w.and("r.due_at < ?", before)
	}
	return nil
}

// agencyOnce are the columns of an agency that report.AgencyCovers needs. Each is read once for a statement, and not for each report. All
// are NULL if there is no such agency, and then the condition is not true. One subquery for the whole row would copy the area, and PostGIS
// would not recognise it for the next report.
func agencyOnce(w *where, id *uuid.UUID) string {
	var columns []string
	agency := w.bind("FROM agencies a WHERE a.id = ?", id)
	for _, name := range []string{"deleted_at", "municipality_codes", "issue_types", "area"} {
		columns = append(columns, "(SELECT a."+name+" "+agency+") AS "+name)
	}
	return strings.Join(columns, ", ")
}

// assignedToCaller is assignedTo for the caller, whose role and agency the session has: only an official can have reports.
func assignedToCaller(w *where, c identity.Caller) string {
	if c.Role != identity.Official {
		return "false"
	}
	return w.bind("r.assigned_user_id = ? AND r.assigned_agency_id = ?", c.UserID, c.AgencyID)
}

// assignedTo is the condition that a report r is assigned to a person who works for its agency.
func assignedTo(w *where, person uuid.UUID) string {
	return w.bind("r.assigned_user_id = ?", person) + " AND " + report.AssigneeSQL + " IS NOT NULL"
}

func (f QueueFilters) assignee(c identity.Caller, w *where) error {
	word := strings.TrimSpace(f.AssignedTo)
	switch {
	case word == "":
	case strings.EqualFold(word, "me"):
		w.and(assignedToCaller(w, c))
	case strings.EqualFold(word, "none"):
		w.and("(r.assigned_user_id IS NULL OR " + report.AssigneeSQL + " IS NULL)")
	default:
		id, err := uuid.Parse(word)
		if err != nil {
			return problem.InvalidField("assigned_to", "expected the id of a person, me or none")
		}
		w.and(assignedTo(w, id))
	}
	return nil
}

package reports

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/notification"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportwrite"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerAssign(api *httpapi.API) {
	op := changeOperation(http.MethodPost, "/assign", "Assign a report to an agency", "Without agency_id: to the agency whose area and issue types fit best. "+
		"Officials may assign to their own agency what it has, and what nobody has in its area and of its issue types.")
	op.Roles = identity.Staff()
	op.Lenient = &httpapi.Lenient{Strict: assignMembers(), NotTaken: slices.Concat(createMembers(), contentMembers(), []string{"status", "reason_code", "duplicate_of", "expected_version"})}
	httpapi.Register(api, op, g.assignReport)
}

type assignInput struct {
	report.RefInput
	IfMatch string `header:"If-Match" doc:"Only when the report is still as this ETag"`
	Body    struct {
		_        struct{}        `additionalProperties:"true"`
		AgencyID *string         `json:"agency_id,omitempty" format:"uuid" doc:"Without: the agency whose area and field fit best"`
		UserID   *string         `json:"user_id,omitempty" format:"uuid" doc:"An official of that agency"`
		DueAt    *timestamp.Time `json:"due_at,omitempty"`
		Note     *string         `json:"note,omitempty" maxLength:"2000" doc:"Internal: kept as a note for staff"`
	}
}

// assignee is the agency, and the official, that a report is assigned to.
type assignee struct {
	agency uuid.UUID // uuid.Nil where there is no such agency
	name   string
	user   *uuid.UUID
	works  uuid.UUID // the agency of user
}

var errAgencyUnknown = &problem.Error{Kind: problem.Invalid, Code: "agency_unknown",
	Fields: []problem.Field{{Name: "agency_id", Message: "no such agency"}}}

func (g *Group) assignReport(ctx context.Context, in *assignInput) (*reportOutput, error) {
	caller := identity.Must(ctx)
	about, err := in.ID.About()
	if err != nil {
		return nil, err
	}
	var asked *database.Ask[assignee]
	ask := func(p database.Pipeline) { asked = in.askAssignee(p, about) }
	return g.change(ctx, in.ID, in.IfMatch, reportwrite.Change{Ask: ask, Do: func(tx *outbox.Tx, h *reportwrite.Locked) error {
		switch h.Status {
		case report.Pending, report.Verified, report.InProgress:
		default:
			return problem.New(problem.Conflict, "not_assignable").Param("status", string(h.Status))
		}
		to := asked.Get()
		if err := to.check(in.Body.UserID != nil); err != nil {
			return err
		}
		by := report.ActorOf(caller)
		if err := h.WorkableBy(by); err != nil {
			return err
		}
		if !by.WorksFor(&to.agency) {
			return reportwrite.ErrNotYourAgency
		}
		var due *time.Time
		if in.Body.DueAt != nil {
			due = &in.Body.DueAt.Time
		}
		const q = `UPDATE reports SET assigned_agency_id = $2, assigned_user_id = $3, assigned_at = now(), due_at = $4,
			version = version + 1, updated_at = now() WHERE id = $1`
		tx.Queue(q, h.ID, to.agency, to.user, due)
		h.Version++
		h.Event(tx, ledger.Event{Type: ledger.Assigned, AssignedTo: to.user, Note: clean(in.Body.Note)}, by)
		return g.recordAssignment(ctx, tx, h, to, due, in.Body.Note)
	}})
}

// askAssignee reads the agency and the official that the request means.
func (in *assignInput) askAssignee(p database.Pipeline, about report.About) *database.Ask[assignee] {
	type agency struct {
		ID   uuid.UUID
		Name string
	}
	var found *database.Ask[*agency]
	if in.Body.AgencyID != nil {
		const q = `SELECT id, name FROM agencies WHERE id = $1 AND deleted_at IS NULL`
		found = database.AskOptional(p, pgx.RowToStructByPos[agency], q, *in.Body.AgencyID)
	} else {
		// The agency with the fewest issue types and the smallest area that include the report.
		const q = `
			SELECT a.id, a.name FROM agencies a, reports r
			WHERE r.id = ` + report.IDSQL + ` AND a.deleted_at IS NULL
			  AND (a.municipality_codes = '{}' OR r.municipality_code = ANY(a.municipality_codes))
			  AND (a.issue_types = '{}' OR r.issue_type = ANY(a.issue_types))
			ORDER BY a.issue_types = '{}', a.municipality_codes = '{}', cardinality(a.issue_types), cardinality(a.municipality_codes), a.code
			LIMIT 1`
		found = database.AskOptional(p, pgx.RowToStructByPos[agency], q, about.Args()...)
	}
	type official struct{ ID, Agency uuid.UUID }
	const member = `SELECT id, agency_id FROM users
		WHERE id = $1 AND agency_id IS NOT NULL AND role = 'government_official' AND deleted_at IS NULL`
	person := database.AskOptional(p, pgx.RowToStructByPos[official], member, in.Body.UserID)
	return database.Derive(func() assignee {
		var out assignee
		if a := found.Get(); a != nil {
			out.agency, out.name = a.ID, a.Name
		}
		if o := person.Get(); o != nil {
			out.user, out.works = &o.ID, o.Agency
		}
		return out
	})
}

// check returns nil if the agency exists and, if a person is named, that person is one of its officials.
func (a assignee) check(named bool) error {
	switch {
	case a.agency == uuid.Nil:
		return errAgencyUnknown
	case named && (a.user == nil || a.works != a.agency):
		return problem.InvalidField("user_id", "no official of that agency")
	}
	return nil
}

// recordAssignment writes the notifications, the note for staff and the audit entry.
func (g *Group) recordAssignment(ctx context.Context, tx *outbox.Tx, h *reportwrite.Locked, to assignee, due *time.Time, note *string) error {
	event := fmt.Sprintf("assigned:%s:%d", h.ID, h.Version)
	params := map[string]string{notification.ParamReportNumber: h.Number, "agency": to.name}
	if err := h.Notify(ctx, tx, notification.ReportAssigned, event, params, identity.Must(ctx).UserID); err != nil {
		return err
	}
	if to.user != nil {
		err := notification.Add(ctx, tx, notification.New{UserID: *to.user, Type: notification.ReportAssigned, EventKey: event, ReportID: h.ID, Params: params})
		if err != nil {
			return err
		}
	}
	if text := clean(note); text != "" {
		const q = `INSERT INTO report_notes (id, report_id, author_id, content) VALUES ($1, $2, $3, $4)`
		tx.Queue(q, database.NewID(), h.ID, identity.Must(ctx).UserID, text)
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "report.assign", Entity: "report", EntityID: h.ID.String(),
		Before: map[string]any{"agency_id": h.AssignedAgency},
		After:  map[string]any{"agency_id": to.agency, "user_id": to.user, "due_at": due}})
}

package reportwrite

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// AssignRequest asks for an assignment. What it does not name stays as it is: the agency, the deadline, and the person unless the
// agency is a new one. Where nobody has the report, no agency and no person mean the agency that fits best.
type AssignRequest struct {
	Agency, User *uuid.UUID
	Due          *time.Time
	Note         string
	Gathered     bool // as in Assignment
}

// AssignBody is an AssignRequest as sent.
type AssignBody struct {
	AgencyID        *string         `json:"agency_id,omitempty" format:"uuid" doc:"Left out: the agency that has it; where nobody has it, the one that fits best"`
	UserID          *string         `json:"user_id,omitempty" format:"uuid" doc:"An official of that agency"`
	DueAt           *timestamp.Time `json:"due_at,omitempty" doc:"In the future; from officials not after the deadline that it has or would get. Left out: the deadline that it has, moved on by the working days for which it was handed back; else one by severity" example:"2035-12-31T09:00:00.000Z"`
	Note            *string         `json:"note,omitempty" maxLength:"2000" doc:"Internal: kept as a note for staff"`
	ExpectedVersion *int            `json:"expected_version,omitempty" doc:"409 when the report has another version"`
}

// Request is what was sent. It fails with 422 for what is no id.
func (b AssignBody) Request() (AssignRequest, error) {
	var r AssignRequest
	var err error
	if r.Agency, err = ParseID("agency_id", b.AgencyID); err != nil {
		return r, err
	}
	if r.User, err = ParseID("user_id", b.UserID); err != nil {
		return r, err
	}
	if b.DueAt != nil {
		due := b.DueAt.Truncate(time.Microsecond) // as precise as the database
		r.Due = &due
	}
	if b.Note != nil {
		r.Note = strings.TrimSpace(database.Text(*b.Note))
	}
	return r, nil
}

// ParseID reads the member of a body that is an id; nil for none. It fails with 422 for what is no id.
func ParseID(member string, text *string) (*uuid.UUID, error) {
	if text == nil {
		return nil, nil
	}
	id, err := uuid.Parse(*text)
	if err != nil {
		return nil, problem.InvalidField(member, "expected a UUID")
	}
	return &id, nil
}

func (r AssignRequest) empty() bool {
	return r.Agency == nil && r.User == nil && r.Due == nil && r.Note == ""
}

// Assignees are the agencies and the official that a request may mean.
type Assignees struct {
	named    []Agency // the one named, that of the official, the present one
	fitting  []Agency // by the place of the report
	official *official
}

// official is a person who works for an agency.
type official struct{ ID, Agency uuid.UUID }

// Ask reads who the request may mean, in the round trip that locks the report.
func (r AssignRequest) Ask(p database.Pipeline, about report.About) *database.Ask[Assignees] {
	const q = `SELECT ` + AgencyColumns + ` FROM agencies g WHERE g.deleted_at IS NULL AND g.id = ANY(ARRAY[$3::uuid,
		(SELECT agency_id FROM users WHERE id = $4::uuid), (SELECT assigned_agency_id FROM reports r WHERE r.id = ` + report.IDSQL + `)])`
	named := database.AskRows(p, ScanAgency, q, about.Args(r.Agency, r.User)...)
	const member = `SELECT id, agency_id FROM users
		WHERE id = $1 AND agency_id IS NOT NULL AND role = 'government_official' AND deleted_at IS NULL AND suspended_at IS NULL`
	person := database.AskOptional(p, pgx.RowToStructByPos[official], member, r.User)
	fitting := database.Derive(func() []Agency { return nil })
	if r.Agency == nil && r.User == nil {
		fitting = askAgencies(p, about, "")
	}
	return database.Derive(func() Assignees {
		return Assignees{named: named.Get(), fitting: fitting.Get(), official: person.Get()}
	})
}

var ErrAgencyUnknown = &problem.Error{Kind: problem.Invalid, Code: "agency_unknown",
	Fields: []problem.Field{{Name: "agency_id", Message: "no such agency"}}}

// AssignAs makes the assignment that a request asks for. Besides the errors of Assign it fails
//   - with 422 where there is no such agency or none fits, the person is no official of it, or the deadline is not in the next 10 years,
//   - with 403 "not_your_agency" for an official who gives a report away, or takes one of others,
//   - with 403 "deadline_later" for an official who sets a later deadline than the report has or would get.
//
// A request that names nothing changes nothing of a report that an agency has.
func (h *Locked) AssignAs(ctx context.Context, tx *outbox.Tx, r AssignRequest, found Assignees, by report.Actor) error {
	if !h.open() {
		return h.notAssignable()
	}
	if err := h.WorkableBy(by); err != nil {
		return err
	}
	if h.AssignedAgency != nil && r.empty() {
		return nil
	}
	a, err := h.assignment(r, found)
	if err != nil {
		return err
	}
	if !by.WorksFor(&a.Agency.ID) {
		return ErrNotYourAgency
	}
	if err := h.checkDue(a, by); err != nil {
		return err
	}
	return h.Assign(ctx, tx, a, by)
}

// assignment is what the request asks for.
func (h *Locked) assignment(r AssignRequest, found Assignees) (Assignment, error) {
	out := Assignment{User: r.User, Due: r.Due, Note: r.Note, Gathered: r.Gathered}
	var to *Agency
	switch {
	case r.Agency != nil:
		to = found.agency(r.Agency)
	case h.AssignedAgency != nil:
		to = found.agency(h.AssignedAgency)
	case r.User != nil && found.official != nil:
		to = found.agency(&found.official.Agency)
	case r.User == nil:
		to, out.Why = narrowest(h.notReturned(found.fitting), h.IssueType)
	default:
		return out, problem.InvalidField("user_id", "no official of that agency")
	}
	if to == nil {
		return out, ErrAgencyUnknown
	}
	out.Agency = *to
	switch {
	case r.User != nil && (found.official == nil || found.official.Agency != to.ID):
		return out, problem.InvalidField("user_id", "no official of that agency")
	case r.User == nil && h.AssignedAgency != nil && *h.AssignedAgency == to.ID:
		out.User = h.AssignedUser
	}
	return out, nil
}

// agency is the one with the id; nil where there is none.
func (f Assignees) agency(id *uuid.UUID) *Agency {
	i := slices.IndexFunc(f.named, func(a Agency) bool { return a.ID == *id })
	if i < 0 {
		return nil
	}
	return &f.named[i]
}

// notReturned leaves out the agencies that have handed the report back.
func (h *Locked) notReturned(all []Agency) []Agency {
	var out []Agency
	for _, a := range all {
		if h.plan == nil || !slices.Contains(h.plan.returned, a.ID) {
			out = append(out, a)
		}
	}
	return out
}

// maxDueYears bounds how far away a deadline may be.
const maxDueYears = 10

// checkDue is nil for a deadline in the next years, and for the one that the report has. An official may bring it forward only: the
// figures say whether their agency kept it.
func (h *Locked) checkDue(a Assignment, by report.Actor) error {
	due := a.Due
	if due == nil || h.DueAt != nil && h.DueAt.Equal(*due) {
		return nil
	}
	switch latest := h.assignedDeadline(a.Agency.ID, by); {
	case !due.After(h.At):
		return problem.InvalidField("due_at", "is not in the future")
	case due.After(h.At.AddDate(maxDueYears, 0, 0)):
		return problem.InvalidField("due_at", "is more than 10 years away")
	case by.Kind == report.ActorOfficial && latest != nil && due.After(*latest):
		return errDeadlineLater
	}
	return nil
}

// HandBackRequest asks to take a report off its agency.
type HandBackRequest struct {
	Note      string
	Suggested *uuid.UUID // an agency
}

// AskSuggested reads whether the suggested agency exists.
func (r HandBackRequest) AskSuggested(p database.Pipeline) *database.Ask[bool] {
	return database.AskRow(p, pgx.RowTo[bool], `SELECT $1::uuid IS NULL OR EXISTS (SELECT FROM agencies WHERE id = $1 AND deleted_at IS NULL)`, r.Suggested)
}

// HandBackAs hands a report back as a request asks. A report that waits since the agency of the official, or anybody for a
// moderator, handed it back stays as it is: the request was sent twice. It fails
//   - with 409 "not_assignable" where the report is not open, and 409 "not_assigned" where nobody has it,
//   - with 403 "not_your_agency" for an official of another agency, and 422 where there is no such suggested agency.
func (h *Locked) HandBackAs(ctx context.Context, tx *outbox.Tx, r HandBackRequest, exists bool, by report.Actor) error {
	if !h.open() {
		return h.notAssignable()
	}
	again := h.AssignedAgency == nil && h.pausedAt != nil && h.plan != nil &&
		(by.Kind != report.ActorOfficial || by.AgencyID != nil && slices.Contains(h.plan.returned, *by.AgencyID))
	if again {
		h.addNoteOnce(tx, by, r.Note)
		return nil
	}
	if err := h.WorkableBy(by); err != nil {
		return err
	}
	switch {
	case h.AssignedAgency == nil:
		return ErrNotAssigned
	case !exists:
		return ErrAgencyUnknown
	}
	return h.HandBack(ctx, tx, r.Note, r.Suggested, by)
}

package reportwrite

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/workday"
)

// Agency is an agency that may get a report.
type Agency struct {
	ID                          uuid.UUID
	Code, Name, NameTet, NamePt string
	issueTypes                  []string // empty for all
	municipalities              int      // 0 for everywhere
	area                        *float64 // square degrees; nil without one
}

// AgencyColumns of agencies g are what ScanAgency reads.
const AgencyColumns = `g.id, g.code, g.name, g.name_tet, g.name_pt, g.issue_types, cardinality(g.municipality_codes), ST_Area(g.area)`

// ScanAgency reads AgencyColumns.
func ScanAgency(row pgx.CollectableRow) (Agency, error) {
	var a Agency
	err := row.Scan(&a.ID, &a.Code, &a.Name, &a.NameTet, &a.NamePt, &a.issueTypes, &a.municipalities, &a.area)
	return a, err
}

// oneReport is the report of a statement, as r. OFFSET keeps it a subquery: to plan a join by area takes longer than to make it.
const oneReport = `(SELECT * FROM reports WHERE id = ` + report.IDSQL + ` OFFSET 0) r`

// maxAgencies bounds the agencies among which the best is looked for.
const maxAgencies = 200

// askAgencies reads the agencies that may be chosen for a report by its place. more is a further condition.
func askAgencies(p database.Pipeline, a report.About, more string) *database.Ask[[]Agency] {
	q := `SELECT ` + AgencyColumns + ` FROM agencies g, ` + oneReport + ` WHERE ` + report.AgencyFits + more + ` ORDER BY g.code LIMIT $3`
	return database.AskRows(p, ScanAgency, q, a.Args(maxAgencies)...)
}

// plan is what an assignment needs to know. It is read in the round trip that locks the report.
type plan struct {
	settings settings.Settings
	agencies []Agency    // for an unassigned report: those that may be chosen by its place
	returned []uuid.UUID // agencies that have handed the report back, the last one first
}

// withPlan adds the plan to a locked report.
func withPlan(p database.Pipeline, a report.About, locked *database.Ask[*Locked]) *database.Ask[*Locked] {
	const returned = `SELECT (before ->> 'agency_id')::uuid FROM audit_log
		WHERE entity = 'report' AND action = '` + handBackAction + `' AND before ->> 'agency_id' IS NOT NULL
		  AND entity_id = (` + report.IDSQL + `)::text ORDER BY at DESC LIMIT 100`
	current := settings.Ask(p)
	agencies := askAgencies(p, a, ` AND r.assigned_agency_id IS NULL`)
	back := database.AskRows(p, pgx.RowTo[uuid.UUID], returned, a.Args()...)
	return database.Derive(func() *Locked {
		h := locked.Get()
		h.plan = &plan{settings: current.Get(), agencies: agencies.Get(), returned: back.Get()}
		return h
	})
}

// Why says why an agency was chosen for a report. It is in the audit log.
type Why struct {
	// Rule is what decided: only_one where one agency fits; else area, municipality or issue_types, whichever made it the
	// narrowest; code where two were equally narrow and the first by code got it.
	Rule WhyRule `json:"rule"`
	// Candidates are the codes of the agencies that fit, narrowest first, at most 5.
	Candidates []string `json:"candidates"`
}

// WhyRule is what decided between agencies.
type WhyRule string

// The rules, in the order in which they are applied.
const (
	OnlyOne        WhyRule = "only_one"
	ByArea         WhyRule = "area"
	ByMunicipality WhyRule = "municipality"
	ByIssueTypes   WhyRule = "issue_types"
	ByCode         WhyRule = "code"
)

// maxCandidates bounds the candidates of Why.
const maxCandidates = 5

// narrower compares two agencies: below 0 where a is the narrower one. It also returns the rule that decided.
func narrower(a, b Agency) (int, WhyRule) {
	square := func(x Agency) float64 {
		if x.area == nil {
			return 1e9 // more than the globe has
		}
		return *x.area
	}
	some := func(n int) int { // none stands for all
		if n == 0 {
			return 1 << 30
		}
		return n
	}
	if c := cmp.Compare(square(a), square(b)); c != 0 {
		return c, ByArea
	}
	if c := cmp.Compare(some(a.municipalities), some(b.municipalities)); c != 0 {
		return c, ByMunicipality
	}
	if c := cmp.Compare(some(len(a.issueTypes)), some(len(b.issueTypes))); c != 0 {
		return c, ByIssueTypes
	}
	return cmp.Compare(a.Code, b.Code), ByCode
}

// narrowest is the narrowest of the agencies that repair an issue type, and why; nil where none does.
func narrowest(all []Agency, t report.IssueType) (*Agency, *Why) {
	var fit []Agency
	for _, a := range all {
		if len(a.issueTypes) == 0 || slices.Contains(a.issueTypes, string(t)) {
			fit = append(fit, a)
		}
	}
	if len(fit) == 0 {
		return nil, nil
	}
	slices.SortFunc(fit, func(a, b Agency) int { c, _ := narrower(a, b); return c })
	why := &Why{Rule: OnlyOne}
	if len(fit) > 1 {
		_, why.Rule = narrower(fit[0], fit[1])
	}
	for _, a := range fit[:min(len(fit), maxCandidates)] {
		why.Candidates = append(why.Candidates, a.Code)
	}
	return &fit[0], why
}

// calendar is that of the settings.
func (p *plan) calendar() workday.Calendar { return workday.NewCalendar(p.settings.Holidays) }

// newDeadline is the deadline that the severity of the report gives it from now on; nil where the caller only locked the report.
func (h *Locked) newDeadline() *time.Time {
	if h.plan == nil {
		return nil
	}
	due := h.plan.calendar().Deadline(h.At, h.plan.settings.Deadlines.For(h.Severity))
	return &due
}

// assignedDeadline is the deadline that the report has once an agency has it: the one that it has, moved on by the working days for
// which it was handed back; else a new one. It is not moved on where an official takes what their own agency has handed back.
func (h *Locked) assignedDeadline(agency uuid.UUID, by report.Actor) *time.Time {
	switch {
	case h.plan == nil:
		return h.DueAt
	case h.DueAt == nil:
		return h.newDeadline()
	case h.pausedAt != nil && (by.Kind != report.ActorOfficial || len(h.plan.returned) == 0 || h.plan.returned[0] != agency):
		c := h.plan.calendar()
		due := c.Shift(*h.DueAt, c.Between(*h.pausedAt, h.At))
		return &due
	}
	return h.DueAt
}

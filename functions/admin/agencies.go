package admin

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerAgencies(a *httpapi.API) {
	list := operation(http.MethodGet, "/agencies", "List agencies", "By code.")
	list.Aliases = page.Aliases()
	httpapi.Register(a, list, g.agencies)

	create := operation(http.MethodPost, "/agencies", "Add an agency", "")
	create.DefaultStatus, create.Creates = http.StatusCreated, true
	httpapi.Register(a, create, g.createAgency)

	change := operation(http.MethodPatch, "/agencies/{id}", "Change an agency", "What is absent stays as it is.")
	change.Errors = []int{http.StatusConflict}
	httpapi.Register(a, change, g.changeAgency)

	remove := operation(http.MethodDelete, "/agencies/{id}", "Remove an agency",
		"Refused while people belong to it or open reports are assigned to it.")
	remove.Errors = []int{http.StatusConflict}
	httpapi.Register(a, remove, g.removeAgency)
}

// Agency repairs things.
type Agency struct {
	ID                uuid.UUID      `json:"id"`
	Code              string         `json:"code" example:"OP-DILI"`
	Name              string         `json:"name" example:"Public Works Dili"`
	NameTet           string         `json:"name_tet" example:"Obras Públikas Dili"`
	NamePt            string         `json:"name_pt" example:"Obras Públicas Díli"`
	AgencyType        string         `json:"agency_type" enum:"municipal,national,contractor"`
	MunicipalityCodes []string       `json:"municipality_codes" doc:"Where it works; empty for everywhere" example:"[\"TL-DI\"]"`
	IssueTypes        []string       `json:"issue_types" doc:"What it repairs; empty for everything" example:"[\"pothole\"]"`
	ContactEmail      *string        `json:"contact_email"`
	CreatedAt         timestamp.Time `json:"created_at"`
	UpdatedAt         timestamp.Time `json:"updated_at"`
}

const agencyColumns = `id, code, name, name_tet, name_pt, agency_type, municipality_codes, issue_types, contact_email, created_at, updated_at`

func scanAgency(row pgx.CollectableRow) (Agency, error) {
	var a Agency
	var created, updated time.Time
	err := row.Scan(&a.ID, &a.Code, &a.Name, &a.NameTet, &a.NamePt, &a.AgencyType, &a.MunicipalityCodes, &a.IssueTypes,
		&a.ContactEmail, &created, &updated)
	a.CreatedAt, a.UpdatedAt = timestamp.Of(created), timestamp.Of(updated)
	return a, err
}

type agenciesInput struct {
	page.Query
}

type agenciesOutput struct {
	Body page.Envelope[Agency]
}

type agencyOutput struct {
	Body Agency
}

func (g *Group) agencies(ctx context.Context, in *agenciesInput) (*agenciesOutput, error) {
	items, total, err := database.Page(ctx, g.db, `SELECT count(*) FROM agencies WHERE deleted_at IS NULL`,
		`SELECT `+agencyColumns+` FROM agencies WHERE deleted_at IS NULL ORDER BY code LIMIT $1 OFFSET $2`, 0, scanAgency, in.Limit(), in.Offset())
	if err != nil {
		return nil, fmt.Errorf("list agencies: %w", err)
	}
	return &agenciesOutput{Body: page.NewEnvelope(in.Query, items, total)}, nil
}

type createAgencyInput struct {
	Body agencyBody
}

func (g *Group) createAgency(ctx context.Context, in *createAgencyInput) (*agencyOutput, error) {
	now := timestamp.Of(g.clock.Now().Truncate(time.Microsecond)) // as precise as the database
	a := Agency{ID: database.NewID(), MunicipalityCodes: []string{}, IssueTypes: []string{}, CreatedAt: now, UpdatedAt: now}
	if err := in.Body.complete(); err != nil {
		return nil, err
	}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		there := in.Body.askMunicipalities(tx)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read municipalities: %w", err)
		}
		if err := in.Body.onto(there.Get(), &a); err != nil {
			return err
		}
		const insert = `
			INSERT INTO agencies (` + agencyColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
		tx.Queue(insert, a.ID, a.Code, a.Name, a.NameTet, a.NamePt, a.AgencyType, a.MunicipalityCodes, a.IssueTypes,
			a.ContactEmail, now.Time, now.Time)
		if err := audit.Record(ctx, tx, audit.Entry{Action: "agency.create", Entity: "agency", EntityID: a.ID.String(), After: a}); err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, a)
	})
	if err != nil {
		return nil, agencyFault(err)
	}
	return &agencyOutput{Body: a}, nil
}

// agencyFault turns the violation of a unique code into a 409.
func agencyFault(err error) error {
	if database.Violates(err, "agencies_code_key") {
		return problem.New(problem.Conflict, "agency_code_taken")
	}
	return err
}

// lockAgency locks an agency in a pipeline, which fails with a 404 for one that is not there.
func lockAgency(p database.Pipeline, id uuid.UUID) *database.Ask[Agency] {
	const q = `SELECT ` + agencyColumns + ` FROM agencies WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`
	return database.AskRow(p, scanAgency, q, id).Missing(problem.New(problem.NotFound, "agency_not_found"))
}

type agencyPath struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type changeAgencyInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body agencyBody
}

func (g *Group) changeAgency(ctx context.Context, in *changeAgencyInput) (*agencyOutput, error) {
	out := &agencyOutput{}
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before, there := lockAgency(tx, in.ID), in.Body.askMunicipalities(tx)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read agency: %w", err)
		}
		a := before.Get()
		if err := in.Body.onto(there.Get(), &a); err != nil {
			return err
		}
		if out.Body = a; reflect.DeepEqual(a, before.Get()) {
			return nil // nothing changes, and nothing is in the log
		}
		if err := keepsItsCode(ctx, tx, before.Get(), a); err != nil {
			return err
		}
		a.UpdatedAt = timestamp.Of(g.clock.Now().Truncate(time.Microsecond))
		const update = `
			UPDATE agencies SET code = $2, name = $3, name_tet = $4, name_pt = $5, agency_type = $6, municipality_codes = $7,
			       issue_types = $8, contact_email = $9, updated_at = $10 WHERE id = $1`
		tx.Queue(update, a.ID, a.Code, a.Name, a.NameTet, a.NamePt, a.AgencyType, a.MunicipalityCodes, a.IssueTypes,
			a.ContactEmail, a.UpdatedAt.Time)
		out.Body = a
		return audit.Record(ctx, tx, audit.Entry{Action: "agency.change", Entity: "agency", EntityID: a.ID.String(), Before: before.Get(), After: a})
	})
	if err != nil {
		return nil, agencyFault(err)
	}
	return out, nil
}

// keepsItsCode refuses another code for an agency that entries of the public log name by its code: they would no longer agree
// with the reports.
func keepsItsCode(ctx context.Context, tx *outbox.Tx, before, after Agency) error {
	if before.Code == after.Code {
		return nil
	}
	const q = `SELECT EXISTS (SELECT FROM reports WHERE assigned_agency_id = $1) OR EXISTS (SELECT FROM report_status_history WHERE agency_id = $1)`
	named := database.AskRow(tx, pgx.RowTo[bool], q, before.ID)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("look for entries about agency: %w", err)
	}
	if named.Get() {
		return problem.New(problem.Conflict, "agency_code_logged")
	}
	return nil
}

func (g *Group) removeAgency(ctx context.Context, in *agencyPath) (*httpapi.MessageOutput, error) {
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before := lockAgency(tx, in.ID)
		const q = `
			SELECT EXISTS (SELECT FROM users WHERE agency_id = $1 AND deleted_at IS NULL)
			    OR EXISTS (SELECT FROM reports WHERE assigned_agency_id = $1 AND deleted_at IS NULL
			                  AND status NOT IN ('fixed', 'rejected', 'duplicate'))`
		used := database.AskRow(tx, pgx.RowTo[bool], q, in.ID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("look for uses of agency: %w", err)
		}
		if used.Get() {
			return problem.New(problem.Conflict, "agency_in_use")
		}
		tx.Queue(`UPDATE agencies SET deleted_at = $2, updated_at = $2 WHERE id = $1`, in.ID, g.clock.Now())
		return audit.Record(ctx, tx, audit.Entry{Action: "agency.delete", Entity: "agency", EntityID: in.ID.String(), Before: before.Get()})
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "admin.agency_deleted"), nil
}

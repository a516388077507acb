package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/agency"
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

	httpapi.Register(a, operation(http.MethodGet, "/agencies/{id}", "Read an agency", "With its whole area.").WithProblems(errAgencyNotFound), g.agency)

	create := operation(http.MethodPost, "/agencies", "Add an agency", "Its code is its name in the public log and in the open data, and belongs to one agency.")
	create.DefaultStatus, create.Creates, create.MaxBody = http.StatusCreated, true, maxAgencyBody
	httpapi.Register(a, create.WithProblems(errAgencyCodeTaken), g.createAgency)

	change := operation(http.MethodPatch, "/agencies/{id}", "Change an agency", "What is absent stays as it is.")
	change.MaxBody = maxAgencyBody
	httpapi.Register(a, change.WithProblems(errAgencyCodeLogged, errAgencyCodeTaken, errAgencyNotFound), g.changeAgency)

	remove := operation(http.MethodDelete, "/agencies/{id}", "Remove an agency",
		"Refused while people belong to it or open reports are assigned to it.")
	httpapi.Register(a, remove.WithProblems(errAgencyInUse, errAgencyNotFound), g.removeAgency)
}

// maxAgencyBody is the most bytes of an agency with an area: about four times what 5,000 points of 50 bytes take, so that a sender of
// too many points reads how many there may be.
const maxAgencyBody = 1 << 20

type agenciesInput struct {
	page.Query
}

type agenciesOutput struct {
	Body page.Envelope[agency.Agency]
}

type agencyOutput struct {
	Body agency.Agency
}

func (g *Group) agencies(ctx context.Context, in *agenciesInput) (*agenciesOutput, error) {
	items, total, err := database.Page(ctx, g.db, `SELECT count(*) FROM agencies WHERE deleted_at IS NULL`,
		`SELECT `+agency.ListColumns+` FROM agencies g WHERE deleted_at IS NULL ORDER BY code LIMIT $1 OFFSET $2`, 0, agency.Scan, in.Limit(), in.Offset())
	if err != nil {
		return nil, fmt.Errorf("list agencies: %w", err)
	}
	return &agenciesOutput{Body: page.NewEnvelope(in.Query, items, total)}, nil
}

func (g *Group) agency(ctx context.Context, in *agencyPath) (*agencyOutput, error) {
	batch := &database.Batch{}
	const q = `SELECT ` + agency.Columns + ` FROM agencies g WHERE id = $1 AND deleted_at IS NULL`
	found := database.AskRow(batch, agency.Scan, q, in.ID).Missing(errAgencyNotFound)
	if err := batch.Send(ctx, g.db); err != nil {
		return nil, fmt.Errorf("read agency: %w", err)
	}
	return &agencyOutput{Body: found.Get()}, nil
}

type createAgencyInput struct {
	Body agencyBody
}

func (g *Group) createAgency(ctx context.Context, in *createAgencyInput) (*agencyOutput, error) {
	now := stamp(g.clock.Now())
	a := agency.Agency{ID: database.NewID(), MunicipalityCodes: []string{}, IssueTypes: []string{}, CreatedAt: now, UpdatedAt: now}
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
		if err := in.Body.areaOnto(ctx, tx, &a); err != nil {
			return err
		}
		const insert = `
			INSERT INTO agencies (id, code, name, name_tet, name_pt, agency_type, municipality_codes, issue_types, contact_email, created_at, updated_at, area)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON($12), 4326)))`
		tx.Queue(insert, a.ID, a.Code, a.Name, a.NameTet, a.NamePt, a.AgencyType, a.MunicipalityCodes, a.IssueTypes,
			a.ContactEmail, now.Time, now.Time, areaText(a.Area))
		if err := audit.Record(ctx, tx, audit.Entry{Action: "agency.create", Entity: "agency", EntityID: a.ID.String(), After: audited(a)}); err != nil {
			return err
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, a)
	})
	if err != nil {
		return nil, agencyFault(err)
	}
	return &agencyOutput{Body: a}, nil
}

// stamp is t as precise as the database.
func stamp(t time.Time) timestamp.Time { return timestamp.Of(t.Truncate(time.Microsecond)) }

// areaText is the GeoJSON of an area; nil for none.
func areaText(a *agency.Area) *string {
	if a == nil {
		return nil
	}
	text := string(a.JSON)
	return &text
}

// audited is an agency as the audit log has it: of its area the number of points and a hash.
func audited(a agency.Agency) map[string]any {
	out := map[string]any{"id": a.ID, "code": a.Code, "name": a.Name, "name_tet": a.NameTet, "name_pt": a.NamePt, "agency_type": a.AgencyType,
		"municipality_codes": a.MunicipalityCodes, "issue_types": a.IssueTypes, "contact_email": a.ContactEmail}
	if a.Area != nil {
		sum := sha256.Sum256(a.Area.JSON)
		out["area_points"], out["area_sha256"] = a.AreaPoints, hex.EncodeToString(sum[:])
	}
	return out
}

var errAgencyNotFound = problem.New(problem.NotFound, "agency_not_found")

// agencyFault turns the violation of a unique code into a 409.
func agencyFault(err error) error {
	if database.Violates(err, "agencies_code_key") {
		return errAgencyCodeTaken
	}
	return err
}

// lockAgency locks an agency in a pipeline, which fails with a 404 for one that is not there.
func lockAgency(p database.Pipeline, id uuid.UUID) *database.Ask[agency.Agency] {
	const q = `SELECT ` + agency.Columns + ` FROM agencies g WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`
	return database.AskRow(p, agency.Scan, q, id).Missing(errAgencyNotFound)
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
		if err := in.Body.areaOnto(ctx, tx, &a); err != nil {
			return err
		}
		if out.Body = a; reflect.DeepEqual(a, before.Get()) {
			return nil // nothing changes, and nothing is in the log
		}
		if err := keepsItsCode(ctx, tx, before.Get(), a); err != nil {
			return err
		}
		a.UpdatedAt = stamp(g.clock.Now())
		const update = `
			UPDATE agencies SET code = $2, name = $3, name_tet = $4, name_pt = $5, agency_type = $6, municipality_codes = $7,
			       issue_types = $8, contact_email = $9, updated_at = $10,
			       area = CASE WHEN $11 THEN ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON($12), 4326)) ELSE area END WHERE id = $1`
		tx.Queue(update, a.ID, a.Code, a.Name, a.NameTet, a.NamePt, a.AgencyType, a.MunicipalityCodes, a.IssueTypes,
			a.ContactEmail, a.UpdatedAt.Time, in.Body.Area.sent(), areaText(a.Area))
		out.Body = a
		return audit.Record(ctx, tx, audit.Entry{Action: "agency.change", Entity: "agency", EntityID: a.ID.String(), Before: audited(before.Get()), After: audited(a)})
	})
	if err != nil {
		return nil, agencyFault(err)
	}
	return out, nil
}

// keepsItsCode refuses another code for an agency that entries of the public log name by its code: they would no longer agree
// with the reports.
func keepsItsCode(ctx context.Context, tx *outbox.Tx, before, after agency.Agency) error {
	if before.Code == after.Code {
		return nil
	}
	const q = `SELECT EXISTS (SELECT FROM reports WHERE assigned_agency_id = $1) OR EXISTS (SELECT FROM report_status_history WHERE agency_id = $1)`
	named := database.AskRow(tx, pgx.RowTo[bool], q, before.ID)
	if err := tx.Flush(ctx); err != nil {
		return fmt.Errorf("look for entries about agency: %w", err)
	}
	if named.Get() {
		return errAgencyCodeLogged
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
			return errAgencyInUse
		}
		tx.Queue(`UPDATE agencies SET deleted_at = $2, updated_at = $2 WHERE id = $1`, in.ID, g.clock.Now())
		return audit.Record(ctx, tx, audit.Entry{Action: "agency.delete", Entity: "agency", EntityID: in.ID.String(), Before: audited(before.Get())})
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "admin.agency_deleted"), nil
}

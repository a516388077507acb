package staff

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/agency"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/report"
)

func (g *Group) registerAgencies(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/staff/agencies", Tags: []string{name}, Summary: "List the agencies, their people and their work",
			Description: "By code. For everybody who assigns reports.",
		},
		Roles: identity.Staff(),
	}
	httpapi.Register(api, op, g.listAgencies)
}

// StaffAgency is an agency with those who work for it.
type StaffAgency struct {
	agency.Agency
	People  []Official `json:"people" doc:"Its officials, at most 200, by name"`
	Open    int        `json:"open" doc:"Reports that it has and that are not closed: the queue assigned"`
	Overdue int        `json:"overdue" doc:"Those of them that are past due_at: the queue overdue"`
}

// Official is somebody who works for an agency.
type Official struct {
	_        struct{}  `schema:"AgencyOfficial"`
	ID       uuid.UUID `json:"id"`
	FullName string    `json:"full_name"`
}

type agenciesOutput struct{ Body []StaffAgency }

// agenciesQuery reads the open reports of all agencies from reports_agency_open_idx alone.
const agenciesQuery = `
	SELECT ` + agency.ListColumns + `, coalesce(n.open, 0), coalesce(n.overdue, 0), (
		SELECT coalesce(json_agg(json_build_object('id', p.id, 'full_name', p.full_name) ORDER BY p.full_name, p.id), '[]') FROM (
			SELECT id, full_name FROM users WHERE agency_id = g.id AND role = 'government_official' AND deleted_at IS NULL AND suspended_at IS NULL
			ORDER BY full_name, id LIMIT 200) p)
	FROM agencies g LEFT JOIN (
		SELECT assigned_agency_id AS id, count(*) AS open, count(*) FILTER (WHERE ` + report.OverdueSQL + `) AS overdue FROM reports r
		WHERE ` + report.AssignedSQL + ` GROUP BY 1) n ON n.id = g.id
	WHERE g.deleted_at IS NULL ORDER BY g.code LIMIT 500`

func (g *Group) listAgencies(ctx context.Context, _ *struct{}) (*agenciesOutput, error) {
	rows, err := g.db.Query(ctx, agenciesQuery)
	if err != nil {
		return nil, fmt.Errorf("list agencies: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (StaffAgency, error) {
		var a StaffAgency
		err := row.Scan(append(a.Targets(), &a.Open, &a.Overdue, &a.People)...)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list agencies: %w", err)
	}
	if all == nil {
		all = []StaffAgency{}
	}
	return &agenciesOutput{Body: all}, nil
}

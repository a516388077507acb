package staff

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/reportread"
)

func (g *Group) registerQueue(api *httpapi.API) {
	op := httpapi.Operation{
		Operation: huma.Operation{
			Method: http.MethodGet, Path: "/api/v1/staff/queue", Tags: []string{name}, Summary: "List the reports that wait for staff",
			Description: "new: open reports that no agency has. needs_review: the AI was not sure or failed, there is no picture, " +
				"the reporter appealed, the original of a duplicate was rejected or withdrawn, or it was not sure about a later picture. assigned: open reports that an " +
				"agency has. overdue: open reports past their due date. An official sees only part of them: in new the reports " +
				"of their agency's municipalities and issue types, in assigned and overdue the reports of their agency.",
		},
		Roles: identity.Staff(), Aliases: page.Aliases(),
	}
	httpapi.Register(api, op, g.listQueue)
}

type queueInput struct {
	Kind string `query:"kind" enum:"new,needs_review,assigned,overdue" default:"new"`
	reportread.Query
}

type queueOutput struct{ Body reportread.Page }

func (g *Group) listQueue(ctx context.Context, in *queueInput) (*queueOutput, error) {
	caller := identity.Must(ctx)
	p, err := g.reader.List(ctx, reportread.ViewerOf(caller), in.Query, queueScopes(in.Kind, caller)...)
	if err != nil {
		return nil, err
	}
	return &queueOutput{Body: p}, nil
}

// queueScopes returns the conditions that select a queue's reports for a caller.
func queueScopes(kind string, c identity.Caller) []reportread.Scope {
	const mine = `r.assigned_agency_id = ?`
	official := c.Role == identity.Official
	switch kind {
	case "needs_review":
		return []reportread.Scope{reportread.Where(`r.ai_status IN ('needs_review', 'failed')
			AND (r.status = 'pending' OR (r.status = 'rejected' AND r.appealed_at IS NOT NULL)
			     OR (r.status IN ('duplicate', 'verified', 'in_progress', 'fixed') AND r.ai_status = 'needs_review'))`)}
	case "assigned", "overdue":
		out := []reportread.Scope{reportread.Where(`r.assigned_agency_id IS NOT NULL AND r.status IN ('pending', 'verified', 'in_progress')`)}
		if kind == "overdue" {
			out = []reportread.Scope{reportread.Where(`r.due_at < now() AND r.status IN ('pending', 'verified', 'in_progress')`)}
		}
		if official {
			out = append(out, reportread.Where(mine, c.AgencyID))
		}
		return out
	}
	out := []reportread.Scope{reportread.Where(`r.status IN ('pending', 'verified', 'in_progress') AND r.assigned_agency_id IS NULL
		AND r.ai_status NOT IN ('needs_review', 'failed')`)}
	if official {
		out = append(out, reportread.Where(`EXISTS (SELECT FROM agencies g WHERE g.id = ? AND `+report.AgencyCovers+`)`, c.AgencyID))
	}
	return out
}

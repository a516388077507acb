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

// queues says what is in each queue.
const queues = "new: open reports that no agency has and that are not for review. needs_review: the AI was not sure or failed, there is no picture, " +
	"the reporter appealed, the original of a duplicate was rejected or withdrawn, or the AI was not sure about a later picture. flagged: reports with " +
	"open flags. assigned: open reports that an agency has. mine: open reports that are assigned to the caller. overdue: open reports past their due " +
	"date; a deadline waits while a report is handed back. An official sees of new, needs_review and flagged what no agency has in the area and the kinds " +
	"of theirs, and what their agency has; of assigned, overdue and due_today what their agency has."

func (g *Group) registerQueue(api *httpapi.API) {
	list := httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: "/api/v1/staff/queue", Tags: []string{name}, Summary: "List the reports that wait for staff",
			Description: queues},
		Roles: identity.Staff(), Aliases: page.Aliases(),
	}
	httpapi.Register(api, list, g.listQueue)
	counts := httpapi.Operation{
		Operation: huma.Operation{Method: http.MethodGet, Path: "/api/v1/staff/counts", Tags: []string{name}, Summary: "Count the reports that wait for staff",
			Description: "The same figures as counts of the queue. " + queues},
		Roles: identity.Staff(),
	}
	httpapi.Register(api, counts, g.countQueues)
}

type queueInput struct {
	Kind string `query:"kind" enum:"new,needs_review,flagged,assigned,mine,overdue" default:"new"`
	reportread.QueueQuery
}

type queueOutput struct{ Body reportread.QueuePage }

func (g *Group) listQueue(ctx context.Context, in *queueInput) (*queueOutput, error) {
	p, err := g.reader.Queue(ctx, identity.Must(ctx), report.Queue(in.Kind), in.QueueQuery)
	if err != nil {
		return nil, err
	}
	return &queueOutput{Body: p}, nil
}

type countsInput struct{ reportread.AgencyFilter }

type countsOutput struct{ Body reportread.QueueCounts }

func (g *Group) countQueues(ctx context.Context, in *countsInput) (*countsOutput, error) {
	counts, err := g.reader.Counts(ctx, identity.Must(ctx), in.AgencyFilter)
	if err != nil {
		return nil, err
	}
	return &countsOutput{Body: counts}, nil
}

package journeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

type affectedInput struct {
	ReportID uuid.UUID `path:"report_id" format:"uuid"`
	WithinM  int       `query:"within_m" minimum:"10" maximum:"10000" default:"500" doc:"How near a route passes, in metres"`
}

// Affected is how many riders mean to pass a report.
type Affected struct {
	ReportID       uuid.UUID `json:"report_id"`
	WithinMeters   int       `json:"within_meters"`
	RidersAffected int       `json:"riders_affected" doc:"People, never who"`
}

type affectedOutput struct {
	Body Affected
}

// affectedCount takes the report $1, the radius in metres $2 and today $3.
const affectedCount = `
	SELECT (SELECT count(DISTINCT j.user_id)
	          FROM journey_legs l JOIN journeys j ON j.id = l.journey_id
	         WHERE ST_DWithin(l.shown_line, r.position, $2, false) AND l.kind <> 'past' AND upper(l.dates) > $3
	           AND j.visibility = 'public' AND NOT j.completed)
	  FROM reports r WHERE r.id = $1 AND r.deleted_at IS NULL`

// ridersAffected counts the people with a public, uncompleted journey whose
// planned legs pass the report today or later, by the routes everybody sees: a
// private journey counts for nothing, and a blurred one where it is shown, so
// that no count gives either away.
func (g *Group) ridersAffected(ctx context.Context, in *affectedInput) (*affectedOutput, error) {
	out := &affectedOutput{Body: Affected{ReportID: in.ReportID, WithinMeters: in.WithinM}}
	today := timestamp.DateOf(g.clock.Now()).Time
	err := g.db.QueryRow(ctx, affectedCount, in.ReportID, in.WithinM, today).Scan(&out.Body.RidersAffected)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errReportUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("count riders: %w", err)
	}
	return out, nil
}

package journeys

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

type affectedInput struct {
	ReportID uuid.UUID `path:"report_id" format:"uuid"`
	WithinM  int       `query:"within_m" minimum:"10" maximum:"10000" default:"500" doc:"Distance between route and report, in metres"`
}

// Affected says how many riders plan to pass a report.
type Affected struct {
	_              struct{}  `schema:"RidersAffected"`
	ReportID       uuid.UUID `json:"report_id"`
	WithinMeters   int       `json:"within_meters"`
	RidersAffected int       `json:"riders_affected" doc:"Number of people; who they are is not told"`
}

type affectedOutput struct {
	Body Affected
}

// ridersAffectedSQL counts riders for report $1. The radius $2 is in metres, $3 is today. The place is the one that everybody
// is shown: otherwise people could find the exact one by journeys of their own. A planned track without days counts as long
// as its journey is not completed.
const ridersAffectedSQL = `
	SELECT (SELECT count(DISTINCT j.user_id)
	          FROM (SELECT journey_id FROM journey_legs
	                 WHERE ST_DWithin(shown_line, ` + report.ShownPositionSQL + `, $2, false) AND kind <> 'past' AND upper(dates) > $3
	                 UNION ALL
	                SELECT journey_id FROM track_legs
	                 WHERE ST_DWithin(shown_line, ` + report.ShownPositionSQL + `, $2, false) AND planned AND (dates IS NULL OR upper(dates) > $3)) l
	          JOIN journeys j ON j.id = l.journey_id
	         WHERE j.visibility = 'public' AND NOT j.completed)
	  FROM reports r WHERE r.id = $1`

// ridersAffected counts the people with a public journey, not completed, whose planned legs and tracks pass the report today or
// later. It uses only what everybody may see: private journeys are not counted, and blurred ones are counted where they
// are shown. So a count cannot be used to find out about them.
func (g *Group) ridersAffected(ctx context.Context, in *affectedInput) (*affectedOutput, error) {
	out := &affectedOutput{Body: Affected{ReportID: in.ReportID, WithinMeters: in.WithinM}}
	today := timestamp.DateOf(g.clock.Now()).Time
	err := g.db.QueryRow(ctx, ridersAffectedSQL, in.ReportID, in.WithinM, today).Scan(&out.Body.RidersAffected)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errReportUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("count riders: %w", err)
	}
	return out, nil
}

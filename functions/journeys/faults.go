package journeys

import (
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// What can be wrong with a request that fits its schema.
var (
	// errJourneyUnknown also hides a private journey from others.
	errJourneyUnknown   = problem.New(problem.NotFound, "journey_not_found")
	errMarkerUnknown    = problem.New(problem.NotFound, "marker_not_found")
	errReportUnknown    = problem.New(problem.NotFound, "report_not_found")
	errNoneActive       = problem.New(problem.NotFound, "no_active_journey")
	errNotYours         = problem.New(problem.Forbidden, "journey_not_yours")
	errCompleted        = problem.New(problem.Conflict, "journey_completed")
	errTooManyJourneys  = problem.New(problem.Conflict, "journey_limit").Param("limit", "1000")
	errTooManyMarkers   = problem.New(problem.Conflict, "marker_limit").Param("limit", "10000")
	errWindowReversed   = problem.InvalidField("to", "expected a date that is not before from")
	errOtherJourneyBody = problem.InvalidField("journey_id", "expected the journey of the path, or nothing")
)

// Limits of what one person keeps.
const (
	maxJourneys = 1000  // a person
	maxMarkers  = 10000 // a journey
)

// storable refuses what PostgreSQL cannot keep in a text.
func storable(field, s string) error {
	if strings.ContainsRune(s, 0) {
		return problem.InvalidField(field, "expected text without NUL characters")
	}
	return nil
}

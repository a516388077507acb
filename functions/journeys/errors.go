package journeys

import (
	"strings"

	"github.com/lafaekstreet/backend/shared/problem"
)

// Errors of requests that match their schema.
var (
	// errJourneyUnknown answers a request for a private journey of another person, too.
	errJourneyUnknown  = problem.New(problem.NotFound, "journey_not_found")
	errMarkerUnknown   = problem.New(problem.NotFound, "marker_not_found")
	errReportUnknown   = problem.New(problem.NotFound, "report_not_found")
	errNoActiveJourney = problem.New(problem.NotFound, "no_active_journey")
	errNotOwner        = problem.New(problem.Forbidden, "journey_not_yours")
	errCompleted       = problem.New(problem.Conflict, "journey_completed")
	errTooManyJourneys = problem.New(problem.Conflict, "journey_limit").Param("limit", "1000")
	errJourneyFull     = problem.New(problem.Conflict, "journey_full").Param("limit", "1,000,000")
	errTooComplex      = problem.New(problem.Invalid, "route_too_complex")
	errImportTooLong   = problem.New(problem.Invalid, "import_too_long")
	errTrackUnknown    = problem.New(problem.NotFound, "track_not_found")
	errTooManyMarkers  = problem.New(problem.Conflict, "marker_limit").Param("limit", "10000")
	errNotSent         = problem.New(problem.Conflict, "import_not_sent")
	errUploadUnknown   = problem.New(problem.NotFound, "import_upload_unknown")
	errDatesReversed   = problem.InvalidField("to", "expected a date that is not before from")
	errOtherJourney    = problem.InvalidField("journey_id", "expected the journey of the path, or nothing")
)

// Limits of what one person may store.
const (
	maxJourneys = 1000  // of one person
	maxMarkers  = 10000 // of one journey
	maxTracks   = 1000  // of one journey
	// A tour around the world has 8,000 legs and 800 stretches. More are no ride, and cost everybody who searches nearby.
	maxLegs      = 20_000 // of one journey
	maxStretches = 5_000
)

// checkText returns an error for text that PostgreSQL cannot store.
func checkText(field, s string) error {
	if strings.ContainsRune(s, 0) {
		return problem.InvalidField(field, "expected text without NUL characters")
	}
	return nil
}

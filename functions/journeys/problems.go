package journeys

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errImportBroken        = problem.New(problem.Invalid, "import_broken")
	errImportEmpty         = problem.New(problem.Invalid, "import_empty")
	errImportTooManyPoints = problem.New(problem.Invalid, "import_too_many_points")
	errImportUnknownFormat = problem.New(problem.UnsupportedMedia, "import_unknown_format")
)

package reports

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errDisputeOver         = problem.New(problem.Conflict, "dispute_over")
	errFileMissing         = problem.New(problem.Invalid, "file_missing")
	errImageLimit          = problem.New(problem.Conflict, "image_limit")
	errImageNotReady       = problem.New(problem.NotFound, "image_not_ready")
	errNotConfirmable      = problem.New(problem.Conflict, "not_confirmable")
	errOfficialsMayNotEdit = problem.New(problem.Forbidden, "officials_may_not_edit")
	errOwnReport           = problem.New(problem.Conflict, "own_report")
	errWordsErased         = problem.New(problem.Conflict, "words_erased")
)

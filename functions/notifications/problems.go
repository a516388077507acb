package notifications

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errAlertLimit = problem.New(problem.Conflict, "alert_limit")
)

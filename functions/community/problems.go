package community

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errAwaitingVerdict = problem.New(problem.Conflict, "awaiting_verdict")
	errForbidden       = problem.New(problem.Forbidden, "forbidden")
)

package web

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errNotFound = problem.New(problem.NotFound, "not_found")
)

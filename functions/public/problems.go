package public

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errImageNotFound = problem.New(problem.NotFound, "image_not_found")
	errNotFound      = problem.New(problem.NotFound, "not_found")
)

package staff

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errAlreadyAppealed  = problem.New(problem.Conflict, "already_appealed")
	errForbidden        = problem.New(problem.Forbidden, "forbidden")
	errNotRejected      = problem.New(problem.Conflict, "not_rejected")
	errTemplateLimit    = problem.New(problem.Conflict, "template_limit")
	errTemplateNotFound = problem.New(problem.NotFound, "template_not_found")
)

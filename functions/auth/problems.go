package auth

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errEmailNotDeliverable    = problem.New(problem.Invalid, "email_not_deliverable")
	errSecondFactorNotStarted = problem.New(problem.BadRequest, "second_factor_not_started")
	errTokenMissing           = problem.New(problem.Unauthenticated, "token_missing")
)

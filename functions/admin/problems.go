package admin

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errAccountExists       = problem.New(problem.Conflict, "account_exists")
	errAgencyCodeLogged    = problem.New(problem.Conflict, "agency_code_logged")
	errAgencyCodeTaken     = problem.New(problem.Conflict, "agency_code_taken")
	errAgencyInUse         = problem.New(problem.Conflict, "agency_in_use")
	errAgencyNotFound422   = problem.New(problem.Invalid, "agency_not_found")
	errAgencyRequired      = problem.New(problem.Invalid, "agency_required")
	errAPIKeyNotFound      = problem.New(problem.NotFound, "api_key_not_found")
	errDeliveryNotFound    = problem.New(problem.NotFound, "delivery_not_found")
	errDeliveryNotParked   = problem.New(problem.Conflict, "delivery_not_parked")
	errEmailNotDeliverable = problem.New(problem.Invalid, "email_not_deliverable")
	errLastAdmin           = problem.New(problem.Conflict, "last_admin")
	errOwnSecondFactor     = problem.New(problem.Conflict, "own_second_factor")
	errSetupDone           = problem.New(problem.Conflict, "setup_done")
	errSetupTokenInvalid   = problem.New(problem.Forbidden, "setup_token_invalid")
	errWebhookLimit        = problem.New(problem.Conflict, "webhook_limit")
	errWebhookNotFound     = problem.New(problem.NotFound, "webhook_not_found")
	errWebhookOff          = problem.New(problem.Conflict, "webhook_off")
)

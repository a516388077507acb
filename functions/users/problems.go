package users

import "github.com/lafaekstreet/backend/shared/problem"

// Problems of requests that fit their schema. More stand beside what they are about.
var (
	errDeviceNotFound         = problem.New(problem.NotFound, "device_not_found")
	errForbidden              = problem.New(problem.Forbidden, "forbidden")
	errGoogleTokenInvalid     = problem.New(problem.BadRequest, "google_token_invalid")
	errGoogleUnavailable      = problem.New(problem.Unavailable, "google_unavailable")
	errLastAdmin              = problem.New(problem.Conflict, "last_admin")
	errPasswordNotChangedHere = problem.New(problem.BadRequest, "password_not_changed_here")
	errPasswordRequired       = problem.New(problem.BadRequest, "password_required")
	errSessionNotFound        = problem.New(problem.NotFound, "session_not_found")
	errUploadNotFound         = problem.New(problem.Invalid, "upload_not_found")
)

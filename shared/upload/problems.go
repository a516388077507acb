package upload

import "github.com/lafaekstreet/backend/shared/problem"

// ErrUnknown is the 422 for an upload that does not exist, has expired or belongs to another person.
var ErrUnknown = problem.New(problem.Invalid, "upload_unknown")

var (
	errRefused         = problem.New(problem.Invalid, "upload_refused")
	errInUse           = problem.New(problem.Conflict, "upload_in_use")
	errNotAPicture     = problem.New(problem.UnsupportedMedia, "unsupported_image")
	errPictureTooLarge = problem.New(problem.TooLarge, "image_too_large")
	errExtraData       = problem.New(problem.Invalid, "image_extra_data")
	errBroken          = problem.New(problem.Invalid, "image_broken")
	errFormTooLarge    = problem.New(problem.TooLarge, "too_large")
)

// ErrUseDirect is the 413 for a file of a form that is larger than MaxThroughAPI.
var ErrUseDirect = problem.New(problem.TooLarge, "use_direct_upload")

// AttachProblems are those of attaching uploads to a report.
func AttachProblems() []*problem.Error { return []*problem.Error{ErrUnknown, errRefused, errInUse} }

// TakeProblems are those of a file that comes in the request.
func TakeProblems() []*problem.Error {
	return []*problem.Error{errNotAPicture, errPictureTooLarge, errExtraData, errBroken, ErrUseDirect}
}

package httpapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Problems that the rules of this package answer with.
var (
	errInternal        = problem.New(problem.Internal, "internal")
	errUnavailable     = problem.New(problem.Unavailable, "unavailable").After(unavailableRetry)
	errInvalidInput    = problem.New(problem.Invalid, "invalid_input")
	errMalformedBody   = problem.New(problem.Invalid, "malformed_body")
	errTooLarge        = problem.New(problem.TooLarge, "too_large")
	errUseDirect       = problem.New(problem.TooLarge, "use_direct_upload")
	errEncoding        = problem.New(problem.UnsupportedMedia, "unsupported_encoding")
	errMedia           = problem.New(problem.UnsupportedMedia, "unsupported_media_type")
	errKeyInvalid      = problem.New(problem.Invalid, "idempotency_key_invalid")
	errKeyUsed         = problem.New(problem.Invalid, "idempotency_key_reused")
	errInProgress      = problem.New(problem.Conflict, "request_in_progress").After(inProgressRetry)
	errAnswerErased    = problem.New(problem.Gone, "answer_erased")
	errStale           = problem.New(problem.PreconditionFailed, "stale")
	errStaleVersion    = problem.New(problem.Conflict, "stale")
	errUnknownQuery    = problem.New(problem.Invalid, "unknown_parameter")
	errNoRoute         = problem.New(problem.NotFound, "not_found")
	errMethod          = problem.New(http.StatusMethodNotAllowed, "method_not_allowed")
	errUnknownQueryOGC = problem.New(problem.BadRequest, "unknown_parameter")
	errInvalidInputOGC = problem.New(problem.BadRequest, "invalid_input")
)

// Stale is the 412 of If-Match and its present version, for Operation.Problems.
func Stale() *problem.Error { return errStale.With("version", 8) }

// takesBody reports whether the operation reads a body. The Content-Encoding and the size of any other body do not matter.
func takesBody(op *huma.Operation) bool { return op.RequestBody != nil }

// takesInput reports whether a request can be invalid.
func takesInput(op *huma.Operation) bool { return takesBody(op) || len(op.Parameters) > 0 }

// bodyHas reports whether the JSON body has a member.
func bodyHas(registry huma.Registry, op *huma.Operation, member string) bool {
	media := bodyMedia(op)
	if media == nil {
		return false
	}
	s := resolved(registry, media.Schema)
	return s != nil && s.Properties[member] != nil
}

// impliedProblems are the problems that the rules of this package answer with, whatever the handler does.
func (o *Operation) impliedProblems(registry huma.Registry, op *huma.Operation) []*problem.Error {
	out := []*problem.Error{errInternal}
	add := func(when bool, e ...*problem.Error) {
		if when {
			out = append(out, e...)
		}
	}
	add(o.Limit != admission.LimitNone, TooManyRequests(exampleRetry), errUnavailable)
	add(o.Access != Public, errTokenMissing, errTokenExpired, errTokenInvalid)
	add(len(o.Roles) > 0, errForbidden)
	add(o.SecondFactor, identity.ErrSecondFactor)
	add(takesInput(op) && !ofOGC(o.Path), errInvalidInput)
	add(takesBody(op), errMalformedBody, errTooLarge, errEncoding)
	add(o.Unpacks > 0, errUseDirect)
	add(takesBody(op) && !o.SkipValidateBody, errMedia)
	add(slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "header" && p.Name == "If-Match" }), Stale())
	add(bodyHas(registry, op, "expected_version"), errStaleVersion.With("version", 8))
	add(o.Creates, errKeyInvalid, errKeyUsed, errInProgress, errAnswerErased)
	switch kind, _ := strict(o.Path); kind {
	case problem.Invalid:
		out = append(out, errInvalidInput, errUnknownQuery)
	case problem.BadRequest:
		out = append(out, errInvalidInputOGC, errUnknownQueryOGC)
	}
	return out
}

// problemsByStatus are all problems of an operation by status, each code once, in alphabetical order. What the operation declares
// goes before what is implied: it may have members.
func (o *Operation) problemsByStatus(registry huma.Registry, op *huma.Operation) map[int][]*problem.Error {
	out := make(map[int][]*problem.Error)
	for _, e := range slices.Concat(o.Problems, o.impliedProblems(registry, op)) {
		status := int(e.Kind)
		if !slices.ContainsFunc(out[status], func(known *problem.Error) bool { return known.Code == e.Code }) {
			out[status] = append(out[status], e)
		}
	}
	for _, all := range out {
		slices.SortFunc(all, func(a, b *problem.Error) int { return cmp.Compare(a.Code, b.Code) })
	}
	return out
}

func codesOf(all []*problem.Error) []string {
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = e.Code
	}
	return out
}

// generalSets name the sets of three and more codes that many operations have.
var generalSets = map[string]string{
	"token_expired token_invalid token_missing":                                                     "Unauthorized",
	"idempotency_key_invalid idempotency_key_reused invalid_input malformed_body":                   "InvalidCreation",
	"invalid_input malformed_body unknown_parameter":                                                "InvalidStaffRequest",
	"idempotency_key_invalid idempotency_key_reused invalid_input malformed_body unknown_parameter": "InvalidStaffCreation",
}

// problemSetName names a set of codes for the document: after the codes where they are one or two, else after the operation
// and the status. So the name of a set changes only when the set does.
func problemSetName(o *Operation, status int, codes []string) string {
	if name := generalSets[strings.Join(codes, " ")]; name != "" {
		return name
	}
	if len(codes) <= 2 {
		parts := make([]string, len(codes))
		for i, code := range codes {
			parts[i] = camel(code)
		}
		return strings.Join(parts, "Or")
	}
	return camel(operationID(o.Method, o.Path)) + strings.ReplaceAll(http.StatusText(status), " ", "")
}

// camel is "journey_full" as "JourneyFull".
func camel(words string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(words, func(r rune) bool { return r == '_' || r == '-' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// documented returns the description of all operations with their errors and headers. It describes the errors of all operations: a response for each status, which narrows the member code to what the
// operation can answer, and the extension x-problem-codes with the same codes by status.
func (a *API) documented() *huma.OpenAPI {
	d := newProblemDocument(a.described.OpenAPI())
	for _, id := range slices.Sorted(maps.Keys(a.options)) {
		o := a.options[id]
		item := a.described.OpenAPI().Paths[o.Path]
		if item == nil {
			continue // a hidden operation
		}
		if op := Operations(item)[o.Method]; op != nil {
			d.describe(&o, op)
		}
	}
	d.finish()
	return a.described.OpenAPI()
}

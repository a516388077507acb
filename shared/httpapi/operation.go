package httpapi

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/problem"
)

// Access says who may call an operation.
type Access int

// Kinds of access.
const (
	SignedIn Access = iota // a valid access token; the default
	Public                 // anybody; a token is not looked at
)

// Cache says what may keep an answer to a GET.
type Cache int

// Kinds of caching.
const (
	Revalidate Cache = iota // the caller's own cache, asking each time (ETag, 304); the default
	Shared                  // any cache for a minute, then asking
	Immutable               // any cache, for good: the address names the content
	Brief                   // any cache for five seconds
	FewMinutes              // any cache for five minutes, then asking
	Never                   // tokens and personal data: nowhere
)

// Operation is a route: huma's description of it and the rules of the contract.
type Operation struct {
	huma.Operation
	Access Access
	// Problems are the errors that the handler returns, each once with members as clients get them: the document is made of them.
	// Those of the rules of this package, such as a missing token, are added.
	Problems []*problem.Error
	// ItemProblems are the errors of single items in the answer of an operation that does many things at once.
	ItemProblems []*problem.Error
	// Roles that may call; empty for every signed-in person.
	Roles []identity.Role
	// SecondFactor refuses sessions that did not pass TOTP.
	SecondFactor bool
	// Limit is the rate limit class; the zero value is the general one.
	Limit admission.LimitClass
	// LimitMember names a body member, such as "email". The budget of Limit is then
	// counted for each pair of caller and value. So two people with one address do not
	// spend each other's budget.
	LimitMember string
	Cache       Cache
	// VaryCookie tells caches that the answer also depends on a cookie: the language of a page.
	VaryCookie bool
	// VaryAccept tells caches that the answer also depends on the header Accept.
	VaryAccept bool
	// OwnTag sends the ETag of the handler as it is: the body has something that does not count, such as the time of the answer.
	OwnTag bool
	// Rest makes the last path parameter take the rest of the path, with its slashes.
	Rest bool
	// Aliases maps further names of body members and query parameters to the name in
	// the operation's input.
	Aliases map[string]string
	// Lenient makes the operation leave out optional members that it cannot read; nil
	// where every fault is a 422. What was left out is in warning.FromContext.
	Lenient *Lenient
	// Forms makes the operation accept urlencoded and multipart forms (text fields
	// only). A query parameter stands for a member that the body does not have. Both
	// are used like a JSON body.
	Forms bool
	// ListForms lists these forms in the document beside JSON, for programs that send one.
	ListForms bool
	// Multipart reads a multipart form with a picture; nil where the operation takes none.
	Multipart ReadMultipart
	// Creates makes the operation use Idempotency-Key.
	Creates bool
	// PageStatuses are statuses of errors that are answered with a page, as success is, and not with a problem document.
	PageStatuses []int
	// Deprecation announces that the operation will go; nil where it stays.
	Deprecation *Deprecation
	// MaxBody bounds the request body in bytes; 0 means 1 MiB.
	MaxBody int64
	// Unpacks makes the operation take files, also packed with gzip, of at most this many bytes unpacked. The operation gets the
	// body as it was sent and unpacks it itself. 0: a packed body is a 415.
	Unpacks int64
}

// Names of the security schemes in the document.
const (
	bearer   = "bearer"
	password = "password"
)

// WithProblems returns o with more Problems.
func (o Operation) WithProblems(errs ...*problem.Error) Operation {
	o.Problems = append(slices.Clip(o.Problems), errs...)
	return o
}

// WithItemProblems returns o with more ItemProblems.
func (o Operation) WithItemProblems(errs ...*problem.Error) Operation {
	o.ItemProblems = append(slices.Clip(o.ItemProblems), errs...)
	return o
}

// Register adds an operation. Input and output are huma structs; an error that
// is a *problem.Error reaches the client as such, any other as a 500.
func Register[I, O any](a *API, o Operation, handle func(ctx context.Context, in *I) (*O, error)) {
	if o.OperationID == "" {
		o.OperationID = operationID(o.Method, o.Path)
	}
	o.MaxBodyBytes = -1 // bounded by our own middleware, before anything is read
	a.add(o, func(to huma.API, described huma.Operation) {
		huma.Register(to, described, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(ctx, in)
			if err != nil {
				return nil, a.present(ctx, asFaultOf(o.Path, err))
			}
			return out, nil
		})
	})
}

package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
)

var (
	errTokenMissing = problem.New(problem.Unauthenticated, "token_missing")
	errTokenExpired = problem.New(problem.Unauthenticated, "token_expired")
	errTokenInvalid = problem.New(problem.Unauthenticated, "token_invalid")
	errForbidden    = problem.New(problem.Forbidden, "forbidden")
)

// authenticated refuses callers that the operation's Access, Roles or SecondFactor do not allow.
func (a *API) authenticated(o Operation, next http.Handler) http.Handler {
	if o.Access == Public {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, sent := bearerToken(r)
		in, err := a.caller(r, o, token, sent)
		if err != nil {
			a.refuseToken(w, r, in, err)
			return
		}
		if !a.within(w, r, in.spent, in.budgets) {
			return
		}
		switch {
		case len(o.Roles) > 0 && !slices.Contains(o.Roles, in.caller.Role):
			a.giveBack(r, in.spent)
			a.refuse(w, r, errForbidden)
			return
		case o.SecondFactor && !in.caller.SecondFactor:
			a.giveBack(r, in.spent)
			a.refuse(w, r, identity.ErrSecondFactor)
			return
		}
		ctx := identity.WithCaller(r.Context(), in.caller)
		if _, asked := locale.FromHeader(r.Header.Get("Accept-Language")); !asked {
			ctx = locale.WithLanguage(ctx, in.language)
		}
		a.settled(w, r.WithContext(ctx), o, in.spent, in.budgets, next)
	})
}

// refuseToken answers a request whose token or session is not valid. It counts against the network address, because it
// may be a guess. An expired token is no guess: it counts against its owner, so that the phones of a suburb behind one
// address can all renew theirs.
func (a *API) refuseToken(w http.ResponseWriter, r *http.Request, in admitted, err error) {
	if in.budgets != nil {
		a.giveBack(r, in.spent)
	} else {
		owner := limitKey(r)
		if in.caller.UserID != uuid.Nil {
			owner = admission.UserKey + in.caller.UserID.String()
		}
		if _, ok := a.admit(w, r, spends(Operation{}, owner, false)); !ok {
			return
		}
	}
	a.refuse(w, r, err)
}

func bearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// admitted is what a token says about a request.
type admitted struct {
	caller   identity.Caller
	language locale.Language
	spent    []admission.Spend
	budgets  []admission.Budget // after spent; nil: nothing was spent
}

// caller returns the user of a token. One step looks the session up and spends
// the budgets. With errTokenExpired only the id of the user is known.
func (a *API) caller(r *http.Request, o Operation, token string, sent bool) (admitted, error) {
	if !sent {
		return admitted{}, errTokenMissing
	}
	claims, err := a.deps.Tokens.Verify(token, identity.ScopeAccess)
	userID, errUser := uuid.Parse(claims.Subject)
	if errors.Is(err, identity.ErrExpired) {
		return admitted{caller: identity.Caller{UserID: userID}}, errTokenExpired
	}
	sessionID, errSession := uuid.Parse(claims.SessionID)
	if err != nil || errUser != nil || errSession != nil || sessionID == uuid.Nil {
		return admitted{}, errTokenInvalid
	}
	in := admitted{spent: spends(o, admission.UserKey+userID.String(), claims.Role.IsStaff())}
	session, budgets, err := a.deps.Admission.Admit(r.Context(), sessionID, in.spent)
	in.budgets = budgets
	if errors.Is(err, identity.ErrNoSession) || err == nil && session.UserID != userID {
		return in, errTokenInvalid
	}
	if err != nil {
		return in, err
	}
	// Role and agency come from the session: the token may be older than a change of them.
	in.caller = identity.Caller{UserID: userID, SessionID: sessionID, Role: session.Role,
		AgencyID: session.AgencyID, SecondFactor: session.SecondFactor}
	in.language, _ = locale.Parse(claims.Language)
	return in, nil
}

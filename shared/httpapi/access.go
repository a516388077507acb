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
	errSecondFactor = problem.New(problem.Forbidden, "second_factor_required")
)

// authenticated refuses callers that the operation's Access, Roles or SecondFactor do not allow.
func (a *API) authenticated(o Operation, next http.Handler) http.Handler {
	if o.Access == Public {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, sent := bearerToken(r)
		caller, language, budgets, err := a.caller(r, o, token, sent)
		if err != nil {
			if budgets == nil && !a.admit(w, r, spends(Operation{}, limitKey(r))) { // guessing tokens counts against the address
				return
			}
			a.refuse(w, r, err)
			return
		}
		if !a.within(w, r, budgets) {
			return
		}
		switch {
		case len(o.Roles) > 0 && !slices.Contains(o.Roles, caller.Role):
			a.refuse(w, r, errForbidden)
			return
		case o.SecondFactor && !caller.SecondFactor:
			a.refuse(w, r, errSecondFactor)
			return
		}
		ctx := identity.WithCaller(r.Context(), caller)
		if _, asked := locale.FromHeader(r.Header.Get("Accept-Language")); !asked {
			ctx = locale.WithLanguage(ctx, language)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func bearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// caller returns the user of a token. One step looks the session up and spends
// the budgets. When the budgets are nil, nothing was spent.
func (a *API) caller(r *http.Request, o Operation, token string, sent bool) (identity.Caller, locale.Language, []admission.Budget, error) {
	none := identity.Caller{}
	if !sent {
		return none, "", nil, errTokenMissing
	}
	claims, err := a.deps.Tokens.Verify(token, identity.ScopeAccess)
	if errors.Is(err, identity.ErrExpired) {
		return none, "", nil, errTokenExpired
	}
	if err != nil {
		return none, "", nil, errTokenInvalid
	}
	userID, errUser := uuid.Parse(claims.Subject)
	sessionID, errSession := uuid.Parse(claims.SessionID)
	if errUser != nil || errSession != nil || sessionID == uuid.Nil {
		return none, "", nil, errTokenInvalid
	}
	session, budgets, err := a.deps.Admission.Admit(r.Context(), sessionID, spends(o, admission.UserKey+userID.String()))
	if errors.Is(err, identity.ErrNoSession) || err == nil && session.UserID != userID {
		return none, "", budgets, errTokenInvalid
	}
	if err != nil {
		return none, "", budgets, err
	}
	// Role and agency come from the session: the token may be older than a change of them.
	caller := identity.Caller{UserID: userID, SessionID: sessionID, Role: session.Role,
		AgencyID: session.AgencyID, SecondFactor: session.SecondFactor}
	language, _ := locale.Parse(claims.Language)
	return caller, language, budgets, nil
}

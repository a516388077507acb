package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/page"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

func (g *Group) registerUsers(a *httpapi.API) {
	list := operation(http.MethodGet, "/users", "Find people", "Newest first.")
	list.Aliases = page.Aliases()
	httpapi.Register(a, list, g.users)

	change := operation(http.MethodPatch, "/users/{id}", "Change what a person may do",
		"What is absent stays as it is. clear_name and clear_avatar take words and pictures out of a profile that others should not see. A suspension ends every session and is mailed to the person; a change of role or agency holds at once in all of them. "+
			"The last administrator stays one.")
	httpapi.Register(a, change.WithProblems(errAgencyNotFound422, errAgencyRequired, errLastAdmin, errUserNotFound), g.changeUser)
}

// Account is a person as administrators see them.
type Account struct {
	account.User
	AgencyID        *uuid.UUID      `json:"agency_id"`
	SuspendedAt     *timestamp.Time `json:"suspended_at"`
	SuspendedReason *string         `json:"suspended_reason"`
	SecondFactor    bool            `json:"second_factor" doc:"TOTP is on"`
	Invited         *Invited        `json:"invited" doc:"What the person was invited to and has not accepted yet; null for most"`
}

// Invited is a role that waits until the person shows that the address is theirs.
type Invited struct {
	_         struct{}       `schema:"InvitationState"`
	Role      identity.Role  `json:"role" enum:"citizen,moderator,government_official,admin"`
	AgencyID  *uuid.UUID     `json:"agency_id"`
	ExpiresAt timestamp.Time `json:"expires_at" doc:"The link ends then, and the role is not given any more"`
}

const accountColumns = account.Columns + `, u.agency_id, u.suspended_at, u.suspended_reason, u.totp_confirmed_at IS NOT NULL,
	(SELECT json_build_object('role', i.role, 'agency_id', i.agency_id, 'expires_at', i.expires_at) FROM invitations i WHERE i.user_id = u.id)`

func scanAccount(origin string) pgx.RowToFunc[Account] {
	return func(row pgx.CollectableRow) (Account, error) {
		var a Account
		var suspended *time.Time
		u, err := account.ScanWith(row, &a.AgencyID, &suspended, &a.SuspendedReason, &a.SecondFactor, &a.Invited)
		a.User, a.SuspendedAt = u.At(origin), timestamp.OfPtr(suspended)
		return a, err
	}
}

type usersInput struct {
	page.Query
	Q         string `query:"q" maxLength:"100" doc:"Part of a name or an address"`
	Role      string `query:"role" maxLength:"40" doc:"citizen, moderator, government_official or admin"`
	Agency    string `query:"agency" maxLength:"60" doc:"Id or code of an agency: who works there, or is invited to"`
	Suspended string `query:"suspended" maxLength:"5" doc:"true: only those suspended"`
}

type usersOutput struct {
	Body page.Envelope[Account]
}

func (g *Group) users(ctx context.Context, in *usersInput) (*usersOutput, error) {
	role := ""
	if in.Role != "" {
		r, err := parseRole(in.Role)
		if err != nil {
			return nil, err
		}
		role = string(r)
	}
	const where = ` FROM users u WHERE u.deleted_at IS NULL AND ($1 = '' OR u.role = $1) AND (NOT $2 OR u.suspended_at IS NOT NULL)
		AND ($3 = '' OR fold_text(u.full_name || ' ' || coalesce(u.email::text, '')) LIKE (SELECT fold_pattern($3)))
		AND ($4 = '' OR (SELECT g.id FROM agencies g WHERE g.deleted_at IS NULL AND (lower(g.code) = lower($4) OR g.id::text = lower($4))) IN
		     (u.agency_id, (SELECT i.agency_id FROM invitations i WHERE i.user_id = u.id)))`
	args := []any{role, strings.EqualFold(in.Suspended, "true"), strings.TrimSpace(in.Q), strings.TrimSpace(in.Agency)}
	items, total, err := database.Page(ctx, g.db, `SELECT count(*)`+where,
		`SELECT `+accountColumns+where+` ORDER BY u.created_at DESC, u.id DESC LIMIT $5 OFFSET $6`,
		len(args), scanAccount(httpapi.Origin(ctx)), append(args, in.Limit(), in.Offset())...)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return &usersOutput{Body: page.NewEnvelope(in.Query, items, total)}, nil
}

func parseRole(s string) (identity.Role, error) {
	switch r := identity.Role(locale.FoldWord(s)); r {
	case identity.Citizen, identity.Moderator, identity.Official, identity.Admin:
		return r, nil
	}
	return "", problem.InvalidField("role", "expected citizen, moderator, government_official or admin")
}

var errUserNotFound = problem.New(problem.NotFound, "user_not_found")

// lockAccount reads a person in a pipeline. Their row waits for other changes until the transaction ends. The pipeline
// fails with a 404 for somebody who is not there.
func lockAccount(ctx context.Context, p database.Pipeline, id uuid.UUID) *database.Ask[Account] {
	const q = `SELECT ` + accountColumns + ` FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL FOR UPDATE`
	return database.AskRow(p, scanAccount(httpapi.Origin(ctx)), q, id).Missing(errUserNotFound)
}

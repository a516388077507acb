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
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerInvite(a *httpapi.API) {
	op := operation(http.MethodPost, "/users/invite", "Invite somebody to work here",
		"Mails a link to choose a password, good for 7 days. Sent again, it mails a new link, and the old one ends. The role takes effect when the person uses "+
			"the link or a mailed code, which shows that the address is theirs; until then they are a citizen who cannot sign in, and invited says what waits. An account of "+
			"this address that was never confirmed loses its password, its sessions and whatever else somebody gave it. The role of a confirmed account is "+
			"changed by PATCH /admin/users/{id}: 409 account_exists has its user_id.")
	op.DefaultStatus, op.Creates = http.StatusCreated, true
	httpapi.Register(a, op.WithProblems(errAccountExists.With("user_id", problem.ExampleID()), errAgencyNotFound422, errAgencyRequired, errEmailNotDeliverable), g.invite)
}

type inviteInput struct {
	Body struct {
		_                 struct{}   `schema:"Invitation"`
		Email             string     `json:"email" maxLength:"320" example:"rui@obras.tl"`
		FullName          string     `json:"full_name" minLength:"1" maxLength:"400" doc:"1 to 100 characters" example:"Rui Guterres"`
		Role              string     `json:"role" maxLength:"40" doc:"citizen, moderator, government_official or admin"`
		AgencyID          *uuid.UUID `json:"agency_id,omitempty" format:"uuid" doc:"Where an official works"`
		PreferredLanguage string     `json:"preferred_language,omitempty" maxLength:"35" doc:"tet (default), pt or en: the language of the mail and of the account"`
	}
}

// invitee is who is invited, and to what.
type invitee struct {
	email, name string
	language    locale.Language
	standing
}

// read checks a request.
func (in *inviteInput) read() (invitee, error) {
	b, who := in.Body, invitee{language: locale.Tetum}
	var ok bool
	if who.email, ok = mail.ParseAddress(b.Email); !ok {
		return who, problem.InvalidField("email", "expected an e-mail address")
	}
	if !mail.Deliverable(who.email) {
		return who, errEmailNotDeliverable
	}
	var err error
	if who.name, err = account.ReadName("full_name", b.FullName); err != nil {
		return who, err
	}
	if who.Role, err = parseRole(b.Role); err != nil {
		return who, err
	}
	if who.Role != identity.Citizen {
		who.AgencyID = b.AgencyID
	}
	if who.Role == identity.Official && who.AgencyID == nil {
		return who, errAgencyRequired
	}
	if b.PreferredLanguage != "" {
		if who.language, ok = locale.Parse(strings.ToLower(strings.TrimSpace(b.PreferredLanguage))); !ok {
			return who, problem.InvalidField("preferred_language", "expected tet, pt or en")
		}
	}
	return who, nil
}

func (g *Group) invite(ctx context.Context, in *inviteInput) (*accountOutput, error) {
	who, err := in.read()
	if err != nil {
		return nil, err
	}
	var out *database.Ask[Account]
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		id, err := g.emptyAccount(ctx, tx, who)
		if err != nil {
			return err
		}
		if err := g.sendInvitation(ctx, tx, id, who); err != nil {
			return err
		}
		entry := audit.Entry{Action: "user.invite", Entity: "user", EntityID: id.String(), After: map[string]any{"role": who.Role, "agency_id": who.AgencyID}}
		if err := audit.Record(ctx, tx, entry); err != nil {
			return err
		}
		out = lockAccount(ctx, tx, id)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("invite: %w", err)
		}
		return httpapi.RecordAnswer(ctx, tx, http.StatusCreated, out.Get())
	})
	if err != nil {
		return nil, err
	}
	return &accountOutput{Body: out.Get()}, nil
}

// addressee is the account that has an address.
type addressee struct {
	ID                  uuid.UUID
	Verified, Suspended bool
}

// emptyAccount finds the account of the address and takes everything out of it, or makes one. It fails for a confirmed account. The
// address is locked, so that invitations and registrations of it wait for each other.
func (g *Group) emptyAccount(ctx context.Context, tx *outbox.Tx, who invitee) (uuid.UUID, error) {
	g.codes.LockAddress(tx, who.email)
	const q = `SELECT id, email_verified_at IS NOT NULL, suspended_at IS NOT NULL FROM users WHERE email = $1 AND deleted_at IS NULL FOR UPDATE`
	found := database.AskOptional(tx, pgx.RowToStructByPos[addressee], q, who.email)
	agency := askAgency(tx, who.AgencyID)
	if err := tx.Flush(ctx); err != nil {
		return uuid.Nil, fmt.Errorf("look for account: %w", err)
	}
	if who.AgencyID != nil && agency.Get() == nil {
		return uuid.Nil, errAgencyNotFound422
	}
	now, known := g.clock.Now(), found.Get()
	if known == nil {
		id := account.NewID()
		tx.Queue(`INSERT INTO users (id, email, full_name, preferred_language) VALUES ($1, $2, $3, $4)`, id, who.email, who.name, string(who.language))
		return id, nil
	}
	if known.Verified || known.Suspended {
		return uuid.Nil, errAccountExists.With("user_id", known.ID)
	}
	account.Forget(tx, known.ID, who.name, who.language, now)
	return known.ID, g.revoker.All(ctx, tx.Tx, known.ID, nil, identity.PasswordChanged, now)
}

// sendInvitation stores an invitation in place of an earlier one, and mails its link.
func (g *Group) sendInvitation(ctx context.Context, tx *outbox.Tx, id uuid.UUID, who invitee) error {
	token, hash := credential.NewInvitationToken(g.sealer, id)
	now := g.clock.Now()
	expires := now.Add(credential.InvitationLife)
	const upsert = `
		INSERT INTO invitations (user_id, role, agency_id, full_name, token_hmac, expires_at, invited_by, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (user_id) DO UPDATE
		   SET role = excluded.role, agency_id = excluded.agency_id, full_name = excluded.full_name, token_hmac = excluded.token_hmac,
		       expires_at = excluded.expires_at, invited_by = excluded.invited_by, created_at = excluded.created_at`
	tx.Queue(upsert, id, string(who.Role), who.AgencyID, who.name, hash, expires, identity.Must(ctx).UserID, now)
	g.codes.EndRegistrations(tx, who.email)
	role, _ := locale.Text(who.language, "mail.role."+string(who.Role), nil)
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: who.email, Language: who.language, Template: mail.Invitation, Expires: expires,
		Params: map[string]string{"name": who.name, "role": role, "link": g.links.Or(httpapi.Origin(ctx)).Welcome(token),
			"days": fmt.Sprint(int(credential.InvitationLife / (24 * time.Hour)))}})
}

// askAgency reads whether an agency exists, and keeps it from being deleted; nil where it does not.
func askAgency(p database.Pipeline, id *uuid.UUID) *database.Ask[*bool] {
	return database.AskOptional(p, pgx.RowTo[bool], `SELECT true FROM agencies WHERE id = $1 AND deleted_at IS NULL FOR SHARE`, id)
}

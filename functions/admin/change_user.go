package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
)

type changeUserInput struct {
	ID   uuid.UUID `path:"id" format:"uuid"`
	Body struct {
		_         struct{}  `schema:"AccountChange"`
		Role      *string   `json:"role,omitempty" maxLength:"40" doc:"citizen, moderator, government_official or admin"`
		AgencyID  reference `json:"agency_id,omitempty" doc:"Where an official works; null for nowhere"`
		Suspended *bool     `json:"suspended,omitempty"`
		Reason    string    `json:"reason,omitempty" maxLength:"500" doc:"For the log, and kept with a suspension"`

		ClearName   *bool `json:"clear_name,omitempty" doc:"true empties the name, which others see; the person is mailed"`
		ClearAvatar *bool `json:"clear_avatar,omitempty" doc:"true removes the picture; the person is mailed"`
	}
}

// reference is an id of a partial change: absent leaves what is stored, null clears it.
type reference struct {
	sent bool
	id   *uuid.UUID
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *reference) UnmarshalJSON(b []byte) error {
	r.sent = true
	return json.Unmarshal(b, &r.id)
}

// Schema implements huma.SchemaProvider.
func (reference) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid", Nullable: true}
}

type accountOutput struct {
	Body Account
}

// standing is what a person may do. The audit log keeps it.
type standing struct {
	Role      identity.Role `json:"role"`
	AgencyID  *uuid.UUID    `json:"agency_id"`
	Suspended bool          `json:"suspended"`
	Reason    string        `json:"reason,omitempty"`
	cleared
}

// same is true for a request that changes nothing: then nothing is written, and nothing is in the log.
func (s standing) same(old standing) bool {
	agency := s.AgencyID == old.AgencyID || s.AgencyID != nil && old.AgencyID != nil && *s.AgencyID == *old.AgencyID
	return agency && s.Role == old.Role && s.Suspended == old.Suspended && s.Reason == "" && !s.any()
}

func (g *Group) changeUser(ctx context.Context, in *changeUserInput) (*accountOutput, error) {
	var after *database.Ask[Account]
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		before := lockAccount(ctx, tx, in.ID)
		agencyExists := askAgency(tx, in.Body.AgencyID.id)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read person: %w", err)
		}
		old := standing{Role: before.Get().Role, AgencyID: before.Get().AgencyID, Suspended: !before.Get().IsActive}
		next, err := in.applyTo(old)
		if err != nil {
			return err
		}
		next.cleared = in.clears(before.Get())
		after = before
		// An invitation that waits does not undo what is decided here.
		reinvited := before.Get().Invited != nil && (in.Body.Role != nil || in.Body.AgencyID.sent)
		if next.same(old) && !reinvited {
			return nil
		}
		if err := g.allowed(ctx, tx.Tx, in.ID, old, next, agencyExists.Get() != nil); err != nil {
			return err
		}
		if reinvited {
			tx.Queue(`UPDATE invitations SET role = $2, agency_id = $3 WHERE user_id = $1`, in.ID, string(next.Role), next.AgencyID)
		}
		if err := g.store(ctx, tx, in.ID, old, next); err != nil {
			return err
		}
		if next.any() {
			if err := g.clearProfile(ctx, tx, before.Get(), next.cleared); err != nil {
				return err
			}
		}
		if err := g.tell(ctx, tx, before.Get(), old, next); err != nil {
			return err
		}
		entry := audit.Entry{Action: actionOf(old, next), Entity: "user", EntityID: in.ID.String(), Before: old, After: next}
		if err := audit.Record(ctx, tx, entry); err != nil {
			return err
		}
		// The row is locked already. This only reads it again, after the change.
		after = lockAccount(ctx, tx, in.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &accountOutput{Body: after.Get()}, nil
}

// applyTo returns old with the request's changes.
func (in *changeUserInput) applyTo(old standing) (standing, error) {
	next := old
	next.Reason = strings.TrimSpace(in.Body.Reason)
	if in.Body.Role != nil {
		role, err := parseRole(*in.Body.Role)
		if err != nil {
			return standing{}, err
		}
		next.Role = role
	}
	if in.Body.AgencyID.sent {
		next.AgencyID = in.Body.AgencyID.id
	}
	if next.Role == identity.Citizen {
		next.AgencyID = nil
	}
	if in.Body.Suspended != nil {
		next.Suspended = *in.Body.Suspended
	}
	if next.Role == identity.Official && next.AgencyID == nil {
		return standing{}, errAgencyRequired
	}
	return next, nil
}

// allowed refuses to remove the last administrator and to set an unknown agency. agencyExists reports whether
// the agency of the request exists.
func (g *Group) allowed(ctx context.Context, tx *database.Tx, id uuid.UUID, old, next standing, agencyExists bool) error {
	wasAdmin := old.Role == identity.Admin && !old.Suspended
	staysAdmin := next.Role == identity.Admin && !next.Suspended
	if wasAdmin && !staysAdmin {
		others, err := identity.OtherAdmins(ctx, tx, id)
		if err != nil {
			return err
		}
		if others == 0 {
			return errLastAdmin
		}
	}
	same := next.AgencyID == nil || old.AgencyID != nil && *old.AgencyID == *next.AgencyID
	if !same && !agencyExists {
		return errAgencyNotFound422
	}
	return nil
}

func (g *Group) store(ctx context.Context, tx *outbox.Tx, id uuid.UUID, old, next standing) error {
	const q = `
		UPDATE users SET role = $2, agency_id = $3, updated_at = $6,
		       suspended_at = CASE WHEN $4 THEN coalesce(suspended_at, $6) END,
		       suspended_reason = CASE WHEN $4 THEN coalesce(nullif($5, ''), suspended_reason) END
		 WHERE id = $1`
	now := g.clock.Now()
	tx.Queue(q, id, string(next.Role), next.AgencyID, next.Suspended, next.Reason, now)
	if next.Suspended && !old.Suspended {
		return g.revoker.All(ctx, tx.Tx, id, nil, identity.Suspended, now)
	}
	return g.revoker.Changed(ctx, tx.Tx, id)
}

// tell mails a person whose account is suspended or reinstated. Their sessions are gone, so the app cannot tell them. An
// address that nobody has confirmed gets no mail.
func (g *Group) tell(ctx context.Context, tx *outbox.Tx, who Account, old, next standing) error {
	if next.Suspended == old.Suspended || !who.IsVerified {
		return nil
	}
	template := mail.AccountReinstated
	if next.Suspended {
		template = mail.AccountSuspended
	}
	language, _ := locale.Parse(who.PreferredLanguage)
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: who.Email, Language: language, Template: template})
}

func actionOf(old, next standing) string {
	switch {
	case next.Suspended && !old.Suspended:
		return "user.suspend"
	case old.Suspended && !next.Suspended:
		return "user.reinstate"
	case next.Role != old.Role:
		return "user.role"
	}
	return "user.change"
}

package users

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/audit"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/upload"
)

func (g *Group) registerErase(a *httpapi.API) {
	const what = "Everything personal goes: profile, sessions, devices, notifications, journeys, the words of reports and comments. Reports stay " +
		"without their author and words, with the place to 4 decimals, and what the ledger holds of them stays valid."
	me := operation(http.MethodDelete, "/me", "Delete the own account", "Needs the password, a Google token not older than 5 minutes, or a code that POST /auth/email-code mailed. "+what)
	me.Aliases = map[string]string{"current_password": "password", "idToken": "id_token", "credential": "id_token", "otp_code": "otp", "code": "otp"}
	me.Limit = admission.LimitAuth
	httpapi.Register(a, me.WithProblems(credential.ErrCodeExpired, credential.ErrCodeInvalid.With("attempts_left", 4), errGoogleTokenInvalid, errGoogleUnavailable, errLastAdmin, errNotFound, errPassword, errPasswordRequired, ledger.ErrHalted), g.eraseMe)

	legacy := operation(http.MethodDelete, "/{user_id}", "Delete the own account", "For the journey client. "+what)
	legacy.OperationID = "delete_user_api_v1_users__user_id__delete"
	httpapi.Register(a, legacy.WithProblems(errForbidden, errLastAdmin, errNotFound, ledger.ErrHalted), g.eraseSelf)
}

// Origin is the network address of the client, for which attempts of a code are counted.
type Origin struct{ address string }

// Resolve implements huma.Resolver.
func (o *Origin) Resolve(hc huma.Context) []error {
	o.address = httpapi.HostOf(hc.RemoteAddr())
	return nil
}

type eraseInput struct {
	Origin
	Body *struct {
		_        struct{} `schema:"AccountErase"`
		Password string   `json:"password,omitempty" maxLength:"1024"`
		IDToken  string   `json:"id_token,omitempty" maxLength:"8192" doc:"Of Google, instead of the password"`
		OTP      string   `json:"otp,omitempty" format:"typed-code" maxLength:"64" doc:"Of the mail of POST /auth/email-code, instead of the password" example:"123456"`
	} `required:"false"`
}

func (g *Group) eraseMe(ctx context.Context, in *eraseInput) (*httpapi.MessageOutput, error) {
	c := identity.Must(ctx)
	s, err := g.secretOf(ctx, c.UserID)
	if err != nil {
		return nil, err
	}
	var given, idToken string
	if in.Body != nil {
		if in.Body.OTP != "" {
			return g.eraseByCode(ctx, c.UserID, credential.Attempt{Address: s.email, Purpose: credential.ForSignIn, From: in.address, Code: in.Body.OTP})
		}
		given, idToken = in.Body.Password, in.Body.IDToken
	}
	if err := g.proven(ctx, s, given, idToken); err != nil {
		return nil, err
	}
	return g.erase(ctx, c.UserID)
}

// eraseByCode erases a person who typed a code of a mail. The code is used up by the erasure alone.
func (g *Group) eraseByCode(ctx context.Context, user uuid.UUID, a credential.Attempt) (*httpapi.MessageOutput, error) {
	code, err := g.codes.Try(ctx, g.db, a)
	if err != nil {
		return nil, err
	}
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		consumed := g.codes.Consume(tx, code.ID)
		if err := g.eraseIn(ctx, tx, user); err != nil {
			return err
		}
		if consumed.Get() == 0 {
			return credential.ErrCodeExpired
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "users.account_deleted"), nil
}

func (g *Group) eraseSelf(ctx context.Context, in *UserPath) (*httpapi.MessageOutput, error) {
	c, err := self(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return g.erase(ctx, c.UserID)
}

func (g *Group) erase(ctx context.Context, user uuid.UUID) (*httpapi.MessageOutput, error) {
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error { return g.eraseIn(ctx, tx, user) })
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, "users.account_deleted"), nil
}

// eraseIn erases a person in the transaction. The row stays without personal data, because reports
// and other records refer to it.
func (g *Group) eraseIn(ctx context.Context, tx *outbox.Tx, user uuid.UUID) error {
	now := g.clock.Now()
	goodbye, avatar, err := g.lockForErasure(ctx, tx, user)
	if err != nil {
		return err
	}
	if err := g.revoker.All(ctx, tx.Tx, user, nil, identity.Deleted, now); err != nil {
		return err
	}
	if err := g.eraseReports(ctx, tx, user); err != nil {
		return err
	}
	orphan(tx, avatar, now)
	upload.DiscardOfPerson(tx, user)
	for _, erase := range erasures {
		tx.Queue(erase, user)
	}
	tx.Queue(`DELETE FROM idempotency_keys WHERE owner = $1`, user.String())
	tx.Queue(emptyRow, user, now)
	if err := audit.Record(ctx, tx, audit.Entry{Action: "user.erase", Entity: "user", EntityID: user.String()}); err != nil {
		return err
	}
	return mail.Send(ctx, tx, g.sealer, goodbye)
}

// erasures remove the personal data outside of the person's own row.
var erasures = []string{
	`DELETE FROM sessions WHERE user_id = $1`, // with their refresh tokens
	`DELETE FROM devices WHERE user_id = $1`,
	`DELETE FROM recovery_codes WHERE user_id = $1`,
	`DELETE FROM login_challenges WHERE user_id = $1`,
	`DELETE FROM invitations WHERE user_id = $1`,
	eraseContacts,
	eraseSystemContacts,
	`DELETE FROM notifications WHERE user_id = $1`,
	`DELETE FROM comment_mails WHERE user_id = $1`,
	`DELETE FROM daily_mails WHERE user_id = $1`,
	eraseName,
	eraseDeliveries,
	`DELETE FROM report_followers WHERE user_id = $1`,
	`WITH gone AS (DELETE FROM report_follows WHERE user_id = $1 RETURNING report_id)
		UPDATE reports SET followers_count = greatest(0, followers_count - 1) WHERE id IN (SELECT report_id FROM gone)`,
	`WITH gone AS (DELETE FROM report_confirmations WHERE user_id = $1 RETURNING report_id)
		UPDATE reports SET confirmations_count = greatest(0, confirmations_count - 1) WHERE id IN (SELECT report_id FROM gone)`,
	`DELETE FROM alerts WHERE user_id = $1`,
	`UPDATE report_flags SET user_id = NULL, note = NULL, counted = false WHERE user_id = $1`, // somebody else could be the same person
	`UPDATE report_disputes SET user_id = NULL WHERE user_id = $1`,
	`DELETE FROM journeys WHERE user_id = $1`, // with their markers
	eraseAnswers,
	eraseAudit,
	`UPDATE uploads SET exif_latitude = NULL, exif_longitude = NULL, exif_taken_at = NULL WHERE user_id = $1`,
	`UPDATE uploads SET expires_at = least(expires_at, now()) WHERE user_id = $1 AND attached_at IS NULL`,
}

// eraseContacts empties what staff wrote down about the person when they filed reports for them. What the person filed for others stays.
const eraseContacts = `
	UPDATE report_contacts SET full_name = NULL, phone_number = NULL, email = NULL
	 WHERE report_id IN (SELECT id FROM reports WHERE user_id = $1) OR email = (SELECT email FROM users WHERE id = $1 AND email_verified_at IS NOT NULL)`

// eraseSystemContacts empties what other systems wrote down about the person. An address that was never confirmed may be somebody else's.
const eraseSystemContacts = `
	UPDATE open311_contacts SET full_name = NULL, phone_number = NULL, email = NULL, device_id = NULL, account_id = NULL
	 WHERE email = (SELECT email FROM users WHERE id = $1 AND email_verified_at IS NOT NULL)`

// eraseName removes the person's name and words from notifications of others about their comments.
const eraseName = `
	UPDATE notifications n SET params = n.params || jsonb_build_object('author', '—', 'comment', '')
	  FROM report_comments c
	 WHERE c.author_id = $1 AND n.type = 'comment_added' AND n.event_key = 'comment:' || c.id AND n.params ? 'author'`

// eraseDeliveries empties the calls of webhooks that wait, or were given up, with words of the person. They are made again from what is left.
const eraseDeliveries = `
	UPDATE webhook_deliveries SET snapshot = NULL, body = NULL
	 WHERE state <> 'delivered' AND report_id IN (SELECT id FROM reports WHERE user_id = $1 UNION SELECT report_id FROM report_comments WHERE author_id = $1)`

// eraseAudit blanks the words in the audit log about the person, their reports, pictures and comments. What was done, by whom and
// when, stays. CASE keeps entity_id from being read as a UUID in entries about other things.
const eraseAudit = `
	UPDATE audit_log SET before = without_words(before), after = without_words(after)
	 WHERE (entity = 'user' AND entity_id = $1::uuid::text OR entity = 'report' AND entity_id = ANY(ARRAY(SELECT id::text FROM reports WHERE user_id = $1::uuid))
	    OR entity = 'image' AND CASE WHEN entity = 'image' THEN EXISTS (
	       SELECT FROM report_images i JOIN uploads u ON i.upload_id = u.id WHERE u.user_id = $1::uuid AND entity_id::uuid = i.id) END
	    OR entity = 'comment' AND entity_id = ANY(ARRAY(SELECT id::text FROM report_comments WHERE author_id = $1::uuid)))
	   AND (before IS DISTINCT FROM without_words(before) OR after IS DISTINCT FROM without_words(after))`

const emptyRow = `
	UPDATE users SET email = NULL, email_verified_at = NULL, password_hash = NULL, google_subject = NULL, full_name = '',
	       phone_number = NULL, country = NULL, instagram = NULL, share_contact = false, avatar_upload_id = NULL,
	       role = 'citizen', agency_id = NULL, notification_prefs = '{}', suspended_at = NULL, suspended_reason = NULL,
	       totp_secret = NULL, totp_pending = NULL, totp_confirmed_at = NULL, totp_last_step = NULL, last_login_at = NULL,
	       updated_at = $2, deleted_at = $2
	 WHERE id = $1`

// lockForErasure locks the person and returns the last mail to them and their picture. It fails with a 409 for the last administrator.
func (g *Group) lockForErasure(ctx context.Context, tx *outbox.Tx, user uuid.UUID) (mail.Message, *uuid.UUID, error) {
	var (
		to, language string
		role         identity.Role
		avatar       *uuid.UUID
	)
	const q = `
		SELECT email, preferred_language, role, avatar_upload_id FROM users WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`
	err := tx.QueryRow(ctx, q, user).Scan(&to, &language, &role, &avatar)
	if errors.Is(err, pgx.ErrNoRows) {
		return mail.Message{}, nil, errNotFound
	}
	if err != nil {
		return mail.Message{}, nil, fmt.Errorf("read person: %w", err)
	}
	if role == identity.Admin {
		others, err := identity.OtherAdmins(ctx, tx.Tx, user)
		if err != nil {
			return mail.Message{}, nil, err
		}
		if others == 0 {
			return mail.Message{}, nil, errLastAdmin
		}
	}
	l, _ := locale.Parse(language)
	return mail.Message{To: to, Language: l, Template: mail.AccountDeleted}, avatar, nil
}

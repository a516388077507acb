package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/account"
	"github.com/lafaekstreet/backend/shared/admission"
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

func (g *Group) registerSetup(a *httpapi.API) {
	op := operation(http.MethodPost, "/setup", "Make the first administrator",
		"Works once, with the setup token of the deployment. The account is confirmed and its second factor is on at once: "+
			"put the secret into an authenticator app, and keep the recovery codes, before leaving the page.")
	op.Access, op.Roles, op.SecondFactor, op.Limit = httpapi.Public, nil, false, admission.LimitAuth
	op.DefaultStatus = http.StatusCreated
	httpapi.Register(a, op.WithProblems(errSetupDone, errSetupTokenInvalid), g.setup)
}

type setupInput struct {
	Body struct {
		_          struct{} `schema:"AdminSetup"`
		SetupToken string   `json:"setup_token" maxLength:"512" doc:"ADMIN_SETUP_TOKEN of the deployment"`
		Email      string   `json:"email" maxLength:"320" example:"admin@example.tl"`
		Password   string   `json:"password" maxLength:"1024" doc:"8 to 128 characters; not the address, not a common one"`
		FullName   string   `json:"full_name" minLength:"1" maxLength:"100"`
	}
}

type setupOutput struct {
	Body struct {
		_    struct{}     `schema:"AdminSetupResult"`
		User account.User `json:"user"`
		credential.Enrollment
		RecoveryCodes []string `json:"recovery_codes" doc:"Each signs in once instead of a code of the app; shown only here"`
	}
}

func (g *Group) setup(ctx context.Context, in *setupInput) (*setupOutput, error) {
	b := in.Body
	// Hashes have equal lengths, so that the time does not reveal the token's length.
	given, wanted := sha256.Sum256([]byte(b.SetupToken)), sha256.Sum256([]byte(g.setupToken))
	if g.setupToken == "" || subtle.ConstantTimeCompare(given[:], wanted[:]) == 0 {
		return nil, errSetupTokenInvalid
	}
	address, ok := mail.ParseAddress(b.Email)
	if !ok {
		return nil, problem.InvalidField("email", "expected an e-mail address")
	}
	if weakness := credential.Weak(b.Password, address); weakness != "" {
		text := locale.TextFor(ctx, "password."+string(weakness))
		return nil, problem.InvalidField("password", text)
	}
	hash, err := g.hasher.Hash(ctx, b.Password)
	if err != nil {
		return nil, err
	}
	secret, out := credential.NewTOTPSecret(), &setupOutput{}
	if out.Body.Enrollment, err = credential.NewEnrollment(secret, address); err != nil {
		return nil, err
	}
	var user *database.Ask[account.User]
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		id, err := g.firstAdmin(ctx, tx, address, hash, strings.TrimSpace(b.FullName), secret)
		if err != nil {
			return err
		}
		out.Body.RecoveryCodes = credential.NewRecoveryCodes(tx, g.sealer, id)
		user = account.AskUser(tx, id, httpapi.Origin(ctx))
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Body.User = user.Get()
	return out, nil
}

// firstAdmin creates the account, or makes the one with the address the administrator's: the
// holder of the setup token is trusted.
func (g *Group) firstAdmin(ctx context.Context, tx *outbox.Tx, address, hash, name string, secret []byte) (uuid.UUID, error) {
	identity.LockAdmins(tx.Tx) // two setups at once make one administrator
	var done bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM users WHERE role = 'admin')`).Scan(&done); err != nil {
		return uuid.Nil, fmt.Errorf("look for administrators: %w", err)
	}
	if done {
		return uuid.Nil, errSetupDone
	}
	const upsert = `
		INSERT INTO users AS u (id, email, email_verified_at, password_hash, full_name, role, totp_secret, totp_confirmed_at, preferred_language)
		VALUES ($1, $2, $3, $4, $5, 'admin', $6, $3, $7)
		ON CONFLICT (email) WHERE email IS NOT NULL DO UPDATE
		   SET email_verified_at = $3, password_hash = $4, full_name = $5, role = 'admin', totp_secret = $6, totp_confirmed_at = $3,
		       totp_pending = NULL, totp_last_step = NULL, suspended_at = NULL, suspended_reason = NULL, updated_at = $3
		RETURNING id`
	var id uuid.UUID
	now := g.clock.Now()
	err := tx.QueryRow(ctx, upsert, account.NewID(), address, now, hash, name, g.sealer.Seal(credential.TOTPSealPurpose, secret),
		string(locale.FromContext(ctx))).Scan(&id)
	if err != nil {
		return uuid.Nil, fmt.Errorf("store administrator: %w", err)
	}
	if err := g.revoker.All(ctx, tx.Tx, id, nil, identity.RoleChanged, now); err != nil {
		return uuid.Nil, err
	}
	return id, audit.RecordAs(ctx, tx, id, identity.Admin, audit.Entry{Action: "admin.setup", Entity: "user", EntityID: id.String()})
}

package auth

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/ledger"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

// registerLinks adds the flows of the journey client, which mails links where
// the app mails codes. They are here and not in users because only this
// function can sign.
func (g *Group) registerLinks(a *httpapi.API) {
	link := func(path, summary, description, id string) httpapi.Operation {
		op := operation("/users"+path, summary, description)
		op.Tags, op.OperationID = []string{"users"}, id
		return op
	}
	register := link("/register", "Register; a link to confirm the address is mailed",
		"For the journey client. Optional members may be empty; anything else is ignored.",
		"register_user_api_v1_users_register_post")
	register.DefaultStatus = http.StatusCreated
	httpapi.Register(a, register.WithProblems(errEmailNotDeliverable), g.linkRegister)

	verify := link("/verify-email", "Confirm the address with the mailed link", "Answers 200 the second time as well.",
		"verify_email_api_v1_users_verify_email_get")
	verify.Method, verify.Limit, verify.LimitMember = http.MethodGet, admission.LimitAuth, ""
	httpapi.Register(a, verify.WithProblems(errLink, ledger.ErrHalted), g.linkVerify)

	resend := link("/resend-verification", "Mail the link again", "The answer is always the same.", "")
	resend.DefaultStatus, resend.Forms = http.StatusAccepted, true
	httpapi.Register(a, resend, g.linkResend)

	reset := link("/reset-password", "Ask for a link to choose a new password with", "The answer is always the same.",
		"reset_password_api_v1_users_reset_password_post")
	reset.DefaultStatus, reset.Forms = http.StatusAccepted, true
	httpapi.Register(a, reset, g.linkReset)

	update := link("/update-password", "Choose a new password with the mailed link",
		"The link works once: that of a reset for 15 minutes, that of an invitation for 7 days or until the next one is sent. Every session ends. An "+
			"account whose address was never confirmed loses its name and whatever else somebody gave it; an invited person keeps the name of the invitation, "+
			"and the role takes effect. Reads JSON, forms and the query (deprecated; never logged).",
		"update_password_api_v1_users_update_password_post")
	update.Forms, update.LimitMember = true, "token"
	httpapi.Register(a, update.WithProblems(errLink, ledger.ErrHalted), g.linkUpdate)
}

// nullOutput is the body null, which the journey client expects.
type nullOutput struct {
	Body null
}

type null struct{}

// MarshalJSON implements json.Marshaler.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Schema implements huma.SchemaProvider.
func (null) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "null", Enum: []any{nil}}
}

var errLink = problem.New(problem.BadRequest, "link_invalid")

// mailLink mails a link of scope to the account of a. The id of a link that confirms depends on the password: it is
// good for the one it was mailed for. The id of a link that resets is a fingerprint: it works once.
func (g *Group) mailLink(ctx context.Context, tx *outbox.Tx, a *asked, scope string) error {
	p, template, path := a.owner, mail.VerifyLink, "/verify?token="
	id := proofID(a.Proof)
	if scope == scopeReset {
		template, path = mail.ResetLink, "/reset-password?token="
		id = g.fingerprint(p)
	}
	g.codes.Issue(tx, a.CodeRequest, a.mailed, true) // the mail has a link and no code; this row only counts the mail
	now := g.clock.Now()
	token, err := g.signer.Link(scope, p.id, id, now)
	if err != nil {
		return err
	}
	return mail.Send(ctx, tx, g.sealer, mail.Message{To: p.email, Language: p.reader(), Template: template, Expires: now.Add(linkLife),
		Params: map[string]string{"link": g.webURL + path + url.QueryEscape(token), "name": nameInMail(p.fullName), "minutes": minutes(linkLife)}})
}

// proofID is the id of a link that confirms.
func proofID(proof []byte) string { return base64.RawURLEncoding.EncodeToString(proof) }

// proofOf is the proof in the id of a link. It is nil for a link of a version before December 2026, whose id is a UUID.
func proofOf(id string) []byte {
	if _, err := uuid.Parse(id); err == nil {
		return nil
	}
	proof, _ := base64.RawURLEncoding.DecodeString(id) // what cannot be decoded proves nothing
	return append([]byte{}, proof...)
}

// fingerprint changes with the password and does not reveal it. Of an account that is not confirmed it changes when the account
// is confirmed: somebody else may register the address again, and the link of its owner goes on.
func (g *Group) fingerprint(p person) string {
	state := p.passwordHash
	if !p.verified {
		state = "unconfirmed"
	}
	return base64.RawURLEncoding.EncodeToString(g.sealer.MAC(macPassword, append(p.id[:], state...)))
}

// linkOwner is the person a link of scope was mailed to. The row is locked.
func (g *Group) linkOwner(ctx context.Context, tx *outbox.Tx, token, scope string) (person, identity.Claims, error) {
	claims, err := g.links.Verify(token, scope)
	if err != nil {
		return person{}, claims, errLink
	}
	id, err := uuid.Parse(claims.Subject)
	if err != nil {
		return person{}, claims, errLink
	}
	p, err := lockPerson(ctx, tx.Tx, byID, id)
	if errors.Is(err, errNobody) {
		return person{}, claims, errLink
	}
	return p, claims, err
}

type linkVerifyInput struct {
	Token string `query:"token" required:"true" maxLength:"4096" doc:"From the mailed link"`
}

func (g *Group) linkVerify(ctx context.Context, in *linkVerifyInput) (*httpapi.MessageOutput, error) {
	var p person
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		var claims identity.Claims
		var err error
		if p, claims, err = g.linkOwner(ctx, tx, in.Token, scopeVerify); err != nil {
			return err
		}
		if p.verified { // the second click
			return nil
		}
		if !g.confirms(p, proofOf(claims.ID), claims.IssuedAt.Time) {
			return errLink
		}
		return g.markVerified(ctx, tx, &p)
	})
	if err != nil {
		return nil, err
	}
	g.claim(ctx, p)
	return httpapi.Message(ctx, "auth.address_confirmed"), nil
}

type linkEmailInput struct {
	Origin
	Body struct {
		_     struct{} `schema:"RiderEmail"`
		Email string   `json:"email" maxLength:"320" doc:"In the body or the query" example:"maria@example.tl"`
	}
}

func (g *Group) linkResend(ctx context.Context, in *linkEmailInput) (*nullOutput, error) {
	return &nullOutput{}, g.linkTo(ctx, in.Body.Email, in.address, scopeVerify)
}

func (g *Group) linkReset(ctx context.Context, in *linkEmailInput) (*nullOutput, error) {
	return &nullOutput{}, g.linkTo(ctx, in.Body.Email, in.address, scopeReset)
}

// linkTo mails a link of scope when the account of the address may use one. Otherwise it pretends to. The answer does not
// reveal whether it did.
func (g *Group) linkTo(ctx context.Context, given, from, scope string) error {
	address, ok := mail.ParseAddress(given)
	if !ok {
		return nil
	}
	purpose := credential.ForVerifyLink
	if scope == scopeReset {
		purpose = credential.ForResetLink
	}
	return g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		a, err := g.look(ctx, tx, credential.CodeRequest{Address: address, Purpose: purpose, From: from})
		if err != nil || a.mailed.Wait > 0 {
			return cmp.Or(err, a.networkLimit())
		}
		may := a.owner.there() && !a.owner.suspended
		if scope == scopeVerify {
			may = may && !a.owner.verified
			g.proveNewest(a, may)
		}
		if !may {
			return g.pretend(ctx, tx, a)
		}
		return g.mailLink(ctx, tx, a, scope)
	})
}

type linkUpdateInput struct {
	Body struct {
		_           struct{} `schema:"RiderPassword"`
		Token       string   `json:"token" maxLength:"4096" doc:"From the mailed link, of a reset or of an invitation"`
		NewPassword string   `json:"new_password" maxLength:"1024" example:"ponte-Comoro-77"`
	}
}

func (g *Group) linkUpdate(ctx context.Context, in *linkUpdateInput) (*httpapi.MessageOutput, error) {
	if err := g.checkUpdate(ctx, in.Body.Token); err != nil { // before the slow hash
		return nil, err
	}
	if err := checkedPassword(ctx, "new_password", in.Body.NewPassword, ""); err != nil {
		return nil, err
	}
	hash, err := g.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	var p person
	err = g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		if p, err = g.updateOwner(ctx, tx, in.Body.Token); err != nil {
			return err
		}
		if err := checkedPassword(ctx, "new_password", in.Body.NewPassword, p.email); err != nil {
			return err
		}
		return g.replacePassword(ctx, tx, p, hash)
	})
	if err != nil {
		return nil, err
	}
	g.claim(ctx, p)
	return httpapi.Message(ctx, "auth.password_changed"), nil
}

// checkUpdate refuses a token that updateOwner would refuse, as far as that can be told fast.
func (g *Group) checkUpdate(ctx context.Context, token string) error {
	if invited, ok := credential.ReadInvitationToken(token); ok {
		return g.db.InTx(ctx, func(tx *database.Tx) error {
			_, err := g.invitedPerson(ctx, tx, invited)
			return err
		})
	}
	if _, err := g.links.Verify(token, scopeReset); err != nil {
		return errLink
	}
	return nil
}

// updateOwner is the person who may choose a password by a token: of an invitation, or of a link that resets. The row is locked.
func (g *Group) updateOwner(ctx context.Context, tx *outbox.Tx, token string) (person, error) {
	if invited, ok := credential.ReadInvitationToken(token); ok {
		return g.invitedPerson(ctx, tx.Tx, invited)
	}
	p, claims, err := g.linkOwner(ctx, tx, token, scopeReset)
	if err != nil {
		return p, err
	}
	if p.suspended || subtle.ConstantTimeCompare([]byte(claims.ID), []byte(g.fingerprint(p))) == 0 {
		return p, errLink
	}
	return p, nil
}

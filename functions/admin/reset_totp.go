package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/admin/secondfactor"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/problem"
)

func (g *Group) registerResetTOTP(a *httpapi.API) {
	op := operation(http.MethodDelete, "/users/{id}/totp", "Take the second factor of a person away",
		"For somebody who lost the phone and the recovery codes. Secret and codes go, every session ends, and the person is mailed. They "+
			"sign in with the password and set up a new one. Nobody does this to themselves: POST /auth/totp/enroll replaces the own one, and "+
			"the operator's command resets that of the last administrator. A person without a second factor is left as they are.")
	httpapi.Register(a, op.WithProblems(errOwnSecondFactor, errUserNotFound), g.resetTOTP)
}

type resetTOTPInput struct {
	ID     uuid.UUID `path:"id" format:"uuid"`
	Reason string    `query:"reason" maxLength:"500" doc:"Where the body has none"`
	Body   *struct {
		_      struct{} `schema:"SecondFactorReset"`
		Reason string   `json:"reason,omitempty" maxLength:"500" doc:"For the audit log" example:"Lost the phone; called back at the office number"`
	} `required:"false"`
}

func (g *Group) resetTOTP(ctx context.Context, in *resetTOTPInput) (*httpapi.MessageOutput, error) {
	reason := in.Reason
	if in.Body != nil && in.Body.Reason != "" {
		reason = in.Body.Reason
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return nil, problem.InvalidField("reason", "say why")
	}
	if identity.Must(ctx).UserID == in.ID {
		return nil, errOwnSecondFactor
	}
	resetter := secondfactor.Resetter{Sealer: g.sealer, Revoker: g.revoker, Clock: g.clock}
	message := "admin.second_factor_reset"
	err := g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		who := lockAccount(ctx, tx, in.ID)
		if err := tx.Flush(ctx); err != nil {
			return fmt.Errorf("read person: %w", err)
		}
		p := who.Get()
		if !p.SecondFactor {
			message = "admin.second_factor_none"
			return nil
		}
		return resetter.Reset(ctx, tx, secondfactor.Person{ID: p.ID, Email: p.Email, Language: p.PreferredLanguage}, reason)
	})
	if err != nil {
		return nil, err
	}
	return httpapi.Message(ctx, message), nil
}

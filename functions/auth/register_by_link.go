package auth

import (
	"context"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/outbox"
)

type linkRegisterInput struct {
	Body struct {
		Name        string `json:"name" minLength:"1" maxLength:"400" doc:"1 to 100 characters" example:"Heidi Rider"`
		Email       string `json:"email" maxLength:"320" example:"heidi@example.org"`
		Password    string `json:"password" maxLength:"1024" doc:"8 to 128 characters; not the address, not a common one" example:"over-the-Hills-9"`
		PhoneNumber string `json:"phonenumber,omitempty" maxLength:"32" doc:"May be empty"`
		Country     string `json:"country,omitempty" maxLength:"80" doc:"May be empty"`
		Instagram   string `json:"instagram,omitempty" maxLength:"60" doc:"May be empty"`
	}
}

func (g *Group) linkRegister(ctx context.Context, in *linkRegisterInput) (*nullOutput, error) {
	b := in.Body
	address, err := checkedEmail(b.Email)
	if err != nil {
		return nil, err
	}
	if err := checkedPassword(ctx, "password", b.Password, address); err != nil {
		return nil, err
	}
	name, err := checkedName("name", b.Name)
	if err != nil {
		return nil, err
	}
	n := newcomer{email: address, fullName: name, phone: optional(b.PhoneNumber), country: optional(b.Country),
		instagram: optional(b.Instagram), language: locale.FromContext(ctx)}
	if n.passwordHash, err = g.hasher.Hash(ctx, b.Password); err != nil {
		return nil, err
	}
	return &nullOutput{}, g.outbox.Do(ctx, func(tx *outbox.Tx) error {
		stored := n.store(tx)
		a, err := g.codes.look(ctx, tx.Tx, wanted{address: address, purpose: verifyLink})
		if err != nil {
			return err
		}
		if stored.Get() == 1 {
			return g.mailLink(ctx, tx, a, scopeVerify)
		}
		return g.tellKnown(ctx, tx, a)
	})
}

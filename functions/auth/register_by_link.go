package auth

import (
	"context"

	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/locale"
)

type linkRegisterInput struct {
	Origin
	Body struct {
		_           struct{} `schema:"RiderRegister"`
		Name        string   `json:"name" minLength:"1" maxLength:"400" doc:"1 to 100 characters" example:"Heidi Rider"`
		Email       string   `json:"email" maxLength:"320" example:"heidi@example.org"`
		Password    string   `json:"password" maxLength:"1024" doc:"8 to 128 characters; not the address, not a common one" example:"over-the-Hills-9"`
		PhoneNumber string   `json:"phonenumber,omitempty" format:"phone-number" maxLength:"32" doc:"May be empty"`
		Country     string   `json:"country,omitempty" maxLength:"80" doc:"May be empty"`
		Instagram   string   `json:"instagram,omitempty" maxLength:"60" doc:"May be empty"`
	}
}

func (g *Group) linkRegister(ctx context.Context, in *linkRegisterInput) (*nullOutput, error) {
	b := in.Body
	n := newcomer{email: b.Email, fullName: b.Name, phone: optional(b.PhoneNumber), country: optional(b.Country),
		instagram: optional(b.Instagram), language: locale.FromContext(ctx)}
	return &nullOutput{}, g.signUp(ctx, &n, "name", b.Password, credential.CodeRequest{Purpose: credential.ForVerifyLink, From: in.address})
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/google/uuid"
)

type tokens struct {
	AccessToken string `json:"access_token"`
}

// errNoMailbox is for a system whose mails the demo cannot read.
var errNoMailbox = errors.New("this is no local system, so the demo needs an address whose mails you read: set DEMO_EMAIL and type the code from " +
	"the mail, or DEMO_EMAIL and DEMO_PASSWORD of an account")

// signIn gets a token: with DEMO_EMAIL and DEMO_PASSWORD by the password, with DEMO_EMAIL alone by a code that somebody types, else
// for a new account whose code is in the console of a local system.
func (s *story) signIn(ctx context.Context) error {
	email, password := os.Getenv("DEMO_EMAIL"), os.Getenv("DEMO_PASSWORD")
	s.local = s.get(ctx, "//_local/mail?to="+url.QueryEscape("nobody@example.org"), nil) == nil
	var t tokens
	var err error
	switch {
	case email != "" && password != "":
		err = s.post(ctx, "/auth/login", map[string]string{"email": email, "password": password}, &t)
		s.account = email
	case email != "":
		err = s.signInByCode(ctx, email, &t)
	case !s.local:
		err = errNoMailbox
	default:
		err = s.register(ctx, &t)
	}
	if err != nil {
		return err
	}
	s.api.Token = t.AccessToken
	s.say("sign in", "as %s", s.account)
	return nil
}

func (s *story) signInByCode(ctx context.Context, email string, t *tokens) error {
	if err := s.post(ctx, "/auth/email-code", map[string]string{"email": email}, nil); err != nil {
		return err
	}
	code, err := s.code(ctx, email)
	if err != nil {
		return err
	}
	s.account = email
	return s.post(ctx, "/auth/email-code/verify", map[string]string{"email": email, "otp": code}, t)
}

func (s *story) register(ctx context.Context, t *tokens) error {
	s.account = fmt.Sprintf("demo-%s@example.org", uuid.NewString()[:8])
	body := map[string]string{"email": s.account, "password": rand.Text(), "full_name": "Maria da Costa", "preferred_language": "tet"}
	if err := s.post(ctx, "/auth/register", body, nil); err != nil {
		return err
	}
	s.say("register", "%s; a code is on its way by mail", s.account)
	code, err := s.code(ctx, s.account)
	if err != nil {
		return err
	}
	s.say("verify", "with the code %s", code)
	return s.post(ctx, "/auth/verify-otp", map[string]string{"email": s.account, "otp": code}, t)
}

package simulation

import (
	"context"
	"encoding/base32"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/shared/credential"
)

const password = "ponte-Comoro-77-B.R.O.S."

// SignUp makes a Simulation of so many new citizens and the first administrator of a local system.
func SignUp(ctx context.Context, url, setupToken string, citizens int, seed uint64) (*Simulation, error) {
	s := New(url, Person{}, nil, seed)
	if err := s.staff.setUpAdmin(ctx, setupToken); err != nil {
		return nil, err
	}
	for i := range citizens {
		p := s.user(Person{})
		if err := p.signUp(ctx, fmt.Sprintf("load-%d-%s@example.org", i, uuid.NewString()[:8])); err != nil {
			return nil, err
		}
		s.citizens = append(s.citizens, p)
	}
	return s, nil
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// signUp makes a verified account and signs in. It reads the code from the console.
func (u *user) signUp(ctx context.Context, email string) error {
	u.email = email
	body := map[string]any{"email": email, "password": password, "full_name": "Maria da Costa", "preferred_language": "tet"}
	if _, err := u.must(ctx, post("sign up", "/auth/register", body), http.StatusCreated); err != nil {
		return err
	}
	for range 240 {
		a, err := u.must(ctx, get("console", "//_local/mail?to="+url.QueryEscape(email)), http.StatusOK)
		if err != nil {
			return err
		}
		if code := sixDigits.Find(a.Body); code != nil {
			a, err := u.must(ctx, post("sign up", "/auth/verify-otp", map[string]any{"email": email, "otp": string(code)}), http.StatusOK)
			u.signIn(a)
			return err
		}
		pause(ctx, 250*time.Millisecond)
	}
	return fmt.Errorf("no mail with a code reached %s", email)
}

func (u *user) signIn(a apiclient.Response) {
	u.Token = a.Object().Text("access_token")
	u.id = a.Object().Text("user.id")
}

// setUpAdmin makes the first administrator and signs in with a second factor.
func (u *user) setUpAdmin(ctx context.Context, setupToken string) error {
	const email = "load-admin@example.org"
	setup, err := u.must(ctx, post("sign up", "/admin/setup", map[string]any{"setup_token": setupToken,
		"email": email, "password": password, "full_name": "Admin"}), http.StatusCreated)
	if err != nil {
		return fmt.Errorf("the system must have no administrator yet: %w", err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.Object().Text("secret"))
	if err != nil {
		return err
	}
	code := credential.TOTPCode(secret, credential.TOTPStep(time.Now()))
	login, err := u.must(ctx, post("sign up", "/auth/login", map[string]any{"email": email, "password": password}), http.StatusOK)
	if err != nil {
		return err
	}
	a, err := u.must(ctx, post("sign up", "/auth/totp/verify", map[string]any{"challenge_id": login.Object().Text("challenge_id"), "code": code}), http.StatusOK)
	u.signIn(a)
	return err
}

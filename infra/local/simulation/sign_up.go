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

	"github.com/lafaekstreet/backend/shared/credential"
)

const password = "ponte-Comoro-77-B.R.O.S."

// Gather signs citizens up with a local system that has no administrator yet, and its first one in.
func Gather(ctx context.Context, url, setupToken string, citizens int, seed uint64) (*Crowd, error) {
	c := New(url, Person{}, nil, seed)
	if err := c.staff.administrate(ctx, setupToken); err != nil {
		return nil, err
	}
	for i := range citizens {
		p := c.client(Person{})
		if err := p.join(ctx, url, fmt.Sprintf("load-%d-%s@example.org", i, uuid.NewString()[:8])); err != nil {
			return nil, err
		}
		c.people = append(c.people, p)
	}
	return c, nil
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// join makes a verified account and signs in.
func (c *client) join(ctx context.Context, base, email string) error {
	body := map[string]any{"email": email, "password": password, "full_name": "Maria da Costa", "preferred_language": "tet"}
	if _, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/register", body), http.StatusCreated); err != nil {
		return err
	}
	mail := &client{base: base, http: c.http, tally: c.tally, patience: c.patience}
	for range 240 {
		a, err := mail.must(ctx, request{kind: "console", method: http.MethodGet, path: "/_local/mail?to=" + url.QueryEscape(email)}, http.StatusOK)
		if err != nil {
			return err
		}
		if code := sixDigits.Find(a.raw); code != nil {
			a, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/verify-otp", map[string]any{"email": email, "otp": string(code)}), http.StatusOK)
			c.enter(a)
			return err
		}
		pause(ctx, 250*time.Millisecond)
	}
	return fmt.Errorf("no mail with a code reached %s", email)
}

func (c *client) enter(a answer) {
	c.token = a.text("access_token")
	if user, ok := a.body["user"].(map[string]any); ok {
		c.id, _ = user["id"].(string)
	}
}

// administrate sets the system's first administrator up.
func (c *client) administrate(ctx context.Context, setupToken string) error {
	const email = "load-admin@example.org"
	setup, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/admin/setup", map[string]any{"setup_token": setupToken,
		"email": email, "password": password, "full_name": "Admin"}), http.StatusCreated)
	if err != nil {
		return fmt.Errorf("a system without an administrator is needed: %w", err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(setup.text("secret"))
	if err != nil {
		return err
	}
	code := credential.TOTPCode(secret, credential.TOTPStep(time.Now()))
	login, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/login", map[string]any{"email": email, "password": password}), http.StatusOK)
	if err != nil {
		return err
	}
	a, err := c.must(ctx, asJSON("sign up", http.MethodPost, "/auth/totp/verify", map[string]any{"challenge_id": login.text("challenge_id"), "code": code}), http.StatusOK)
	c.enter(a)
	return err
}

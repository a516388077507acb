package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/mail"
)

func (s *system) emailCode(address string) string {
	s.t.Helper()
	s.expect(s.post("/auth/email-code", fields{"email": address}), 200, "")
	return s.lastMail(address, mail.SignInCode).Params["code"]
}

func (s *system) byCode(address, code string) answer {
	s.t.Helper()
	return s.post("/auth/email-code/verify", fields{"email": address, "otp": code})
}

func TestSigningInWithACodeFromAMail(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	code := s.emailCode("ana@example.tl")
	a := s.expect(s.byCode("ana@example.tl", code), 200, "")
	if a.text("kind") != "tokens" || a.body["is_new_user"] != true || a.user("full_name") != "" || a.user("is_verified") != true || a.user("auth_provider") != "email" {
		t.Errorf("first: %s", a.raw)
	}
	s.expect(s.byCode("ana@example.tl", code), 400, "otp_expired") // once
	s.clock.Advance(61 * time.Second)
	again := s.expect(s.byCode("ana@example.tl", s.emailCode("ana@example.tl")), 200, "")
	if again.body["is_new_user"] != false || again.user("id") != a.user("id") {
		t.Errorf("again: %s", again.raw)
	}
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": ""}), 401, "invalid_credentials")
	// A code is valid for its purpose alone.
	s.clock.Advance(61 * time.Second)
	s.expect(s.post("/auth/reset-password", fields{"email": "ana@example.tl", "otp": s.emailCode("ana@example.tl"), "new_password": goodPassword}), 400, "otp_expired")
	s.expect(s.byCode("rui@example.tl", s.registered("rui@example.tl")), 400, "otp_expired")
}

func TestACodeFromAMailForgetsWhatAnUnconfirmedAccountHad(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.expect(s.post("/users/register", fields{"email": hijacked, "password": strangePassword, "name": "Mallory", "phonenumber": "+67077000000",
		"country": "X", "instagram": "mallory"}), 201, "")
	s.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token) SELECT id, 'phone', 'android', 'token-1' FROM users`)
	s.exec(`INSERT INTO sessions (id, user_id, expires_at) SELECT gen_random_uuid(), id, now() + interval '1 day' FROM users`)
	link := ways()[1].proof(s)
	a := s.expect(s.byCode(hijacked, s.emailCode(hijacked)), 200, "")
	if a.body["is_new_user"] != true || a.user("full_name") != "" || a.user("phone_number") != nil || a.user("instagram") != nil || a.user("country") != nil {
		t.Errorf("signed in: %s", a.raw)
	}
	var left int
	if err := s.db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM devices) + (SELECT count(*) FROM sessions WHERE revoked_at IS NULL)`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d devices and sessions are left, want the new session (%v)", left, err)
	}
	ways()[1].confirm(s, link)
	if s.signsIn(strangePassword) {
		t.Error("the stranger's password opens the account")
	}
}

func TestWhoMayNotSignInWithACodeFromAMail(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	a := m.expect(m.byCode("ana@example.tl", m.emailCode("ana@example.tl")), 200, "")
	if a.text("kind") != "second_factor" || a.text("challenge_id") == "" {
		t.Errorf("with a second factor: %s", a.raw)
	}
	m.signedUp("rui@example.tl")
	m.exec(`UPDATE users SET role = 'moderator' WHERE email = 'rui@example.tl'`)
	m.expect(m.byCode("rui@example.tl", m.emailCode("rui@example.tl")), 403, "password_required")
	m.exec(`UPDATE users SET suspended_at = now() WHERE email = 'rui@example.tl'`)
	m.clock.Advance(61 * time.Second)
	m.expect(m.byCode("rui@example.tl", m.emailCode("rui@example.tl")), 403, "account_suspended")
}

// Strangers who ask for codes, or guess them, do not keep the owner out.
func TestStrangersDoNotKeepAnOwnerFromTheCodeOfAMail(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	const address = "ana@example.tl"
	ask := func(network int) answer {
		return s.from(fmt.Sprintf("203.0.113.%d:1", network), request{path: "/auth/email-code", body: fields{"email": address}})
	}
	s.expect(ask(1), 200, "")
	first := s.lastMail(address, mail.SignInCode).Params["code"]
	s.expect(ask(1), 429, "rate_limited")
	s.expect(ask(2), 200, "") // the minute of another network
	for range 4 {
		s.clock.Advance(61 * time.Second)
		s.expect(ask(2), 200, "")
	}
	s.clock.Advance(61 * time.Second)
	s.expect(ask(2), 429, "rate_limited") // its five of the hour
	for network := 3; network <= 5; network++ {
		s.expect(ask(network), 200, "")
	}
	s.expect(s.byCode(address, first), 200, "") // a newer code did not void it
	for network := 6; network <= 16; network++ {
		s.expect(ask(network), 200, "")
	}
	s.expect(ask(17), 429, "rate_limited") // twenty in all
}

package auth_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/lafaekstreet/backend/shared/mail"
)

func TestMigratedAccountsGetAFreshHash(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	old, err := bcrypt.GenerateFromPassword([]byte("old-but-Gold-1"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s.exec(`UPDATE users SET password_hash = $1`, string(old))
	for range 2 {
		s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": "old-but-Gold-1"}), 200, "")
	}
	var hash string
	if err := s.db.QueryRow(t.Context(), `SELECT password_hash FROM users`).Scan(&hash); err != nil || !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("kept %.10s (%v)", hash, err)
	}
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	long := strings.Repeat("liafuan-naruk ", 9) // 126 characters, over bcrypt's 72 bytes
	for password, status := range map[string]int{
		"short": 422, "password123": 422, "ana@example.tl": 422, strings.Repeat("ab", 65): 422, long: 201,
	} {
		a := s.do(request{path: "/auth/register", body: fields{"email": "ana@example.tl", "password": password, "full_name": "Ana"},
			header: map[string][]string{"Accept-Language": {"tet"}}})
		if a.status != status {
			t.Errorf("%q: %d %s", password, a.status, a.raw)
		}
		if status == 422 && (strings.Contains(a.raw, password) || !strings.Contains(a.raw, "iafuan-xave")) {
			t.Errorf("%q: %s", password, a.raw)
		}
	}
	code := s.lastMail("ana@example.tl", mail.RegistrationCode).Params["code"]
	s.expect(s.post("/auth/verify-otp", fields{"email": "ana@example.tl", "otp": code}), 200, "")
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": long}), 200, "")
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": long[:100]}), 401, "invalid_credentials")
}

func TestResetEndsEverySession(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	first, second := s.signedUp("ana@example.tl"), s.loggedIn("ana@example.tl")
	s.expect(s.post("/auth/forgot-password", fields{"email": "ana@example.tl"}), 200, "")
	code := s.lastMail("ana@example.tl", mail.PasswordResetCode).Params["code"]
	s.expect(s.post("/auth/reset-password", fields{"email": "ana@example.tl", "otp": code, "new_password": "password123"}), 422, "invalid_input")
	s.expect(s.post("/auth/reset-password", fields{"email": "ana@example.tl", "code": code, "password": "ponte-Comoro-77"}), 200, "")
	for _, a := range []answer{first, second} {
		if s.stands(a.text("access_token")) {
			t.Error("a session outlived the reset")
		}
	}
	s.lastMail("ana@example.tl", mail.PasswordChanged)
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": goodPassword}), 401, "invalid_credentials")
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": "ponte-Comoro-77"}), 200, "")
}

func TestUnverifiedSignInMailsAFreshCode(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.registered("ana@example.tl")
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": goodPassword}), 403, "email_not_verified")
	if n := len(s.mails("ana@example.tl")); n != 1 {
		t.Errorf("%d mails within a minute", n)
	}
	s.clock.Advance(61 * time.Second)
	s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": goodPassword}), 403, "email_not_verified")
	if n := len(s.mails("ana@example.tl")); n != 2 {
		t.Errorf("%d mails after a minute, want 2", n)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	first, second, third := s.signedUp("ana@example.tl"), s.loggedIn("ana@example.tl"), s.loggedIn("ana@example.tl")
	stranger := s.signedUp("rui@example.tl")
	s.expect(s.do(request{path: "/auth/logout"}), 401, "token_missing")
	body := fields{"refresh_token": second.text("refresh_token")}
	s.expect(s.do(request{path: "/auth/logout", token: first.text("access_token"), body: body}), 200, "")
	if s.stands(first.text("access_token")) || s.stands(second.text("access_token")) || !s.stands(third.text("access_token")) {
		t.Error("the wrong sessions ended")
	}
	body = fields{"refresh_token": third.text("refresh_token")}
	s.expect(s.do(request{path: "/auth/logout", token: stranger.text("access_token"), body: body}), 200, "")
	if !s.stands(third.text("access_token")) {
		t.Error("a stranger ended it")
	}
	fourth := s.loggedIn("ana@example.tl")
	s.expect(s.do(request{path: "/auth/logout", token: fourth.text("access_token"), body: fields{"all_devices": true}}), 200, "")
	if s.stands(third.text("access_token")) || s.stands(fourth.text("access_token")) {
		t.Error("a session survived")
	}
}

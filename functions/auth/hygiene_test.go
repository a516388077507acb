package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/mail"
)

// The log holds nothing that a person sent: not after success, not after a
// refusal, and not while the database is down.
func TestLogsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	const address, ip, agent = "secret.person@example.tl", "203.0.113.77", "secret-agent/1.0"
	secrets := []string{address, "secret.person", ip, agent, goodPassword, "ponte-Comoro-77", "Ana Santos", "fcm-secret-1", "wrong-guess-99"}
	call := func(path string, body fields) answer {
		t.Helper()
		r := request{path: path, header: http.Header{"User-Agent": {agent}}}
		if body != nil {
			r.body = body
		}
		a := s.from(ip+":4711", r)
		for _, name := range []string{"access_token", "refresh_token"} {
			if token := a.text(name); token != "" {
				secrets = append(secrets, token, token[:20])
			}
		}
		return a
	}
	call("/auth/register", fields{"email": address, "password": goodPassword, "full_name": "Ana Santos",
		"device": fields{"device_id": "d", "platform": "ios", "fcm_token": "fcm-secret-1"}})
	code := s.lastMail(address, mail.RegistrationCode).Params["code"]
	secrets = append(secrets, `"`+code)
	call("/auth/verify-otp", fields{"email": address, "otp": "wrong-guess-99"})
	a := call("/auth/verify-otp", fields{"email": address, "otp": code})
	call("/auth/login", fields{"email": address, "password": "wrong-guess-99"})
	call("/auth/refresh?refresh_token="+a.text("refresh_token"), nil)
	call("/users/reset-password?email="+address, nil)
	token := strings.SplitN(s.lastMail(address, mail.ResetLink).Params["link"], "token=", 2)[1]
	secrets = append(secrets, token, token[len(token)-20:])
	call("/users/update-password?token="+token+"&new_password=ponte-Comoro-77", nil)
	call("/auth/google", fields{"id_token": token})
	call("/nowhere?email="+address, nil)
	s.from(ip+":1", request{path: "/auth/logout", token: a.text("access_token")})

	// Faults inside: a table that is gone, then a database that is.
	s.exec(`ALTER TABLE users RENAME COLUMN password_hash TO gone`)
	if a := call("/auth/login", fields{"email": address, "password": goodPassword}); a.status != 500 || strings.Contains(a.raw, "column") {
		t.Errorf("a fault inside: %d %s", a.status, a.raw)
	}
	call("/auth/register", fields{"email": address, "password": goodPassword, "full_name": "Ana Santos"})
	logged := s.output.String()
	if !strings.Contains(logged, `"route":"POST /api/v1/auth/login"`) || !strings.Contains(logged, "request failed") {
		t.Fatalf("nothing was logged: %s", logged)
	}
	for _, secret := range secrets {
		if strings.Contains(logged, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// The database holds in clear nothing that opens an account.
func TestStoredSecretsAreSealedOrHashed(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	a := s.signedUp("ana@example.tl")
	fresh := s.expect(s.post("/auth/refresh", fields{"refresh_token": a.text("refresh_token")}), 200, "")
	s.clock.Advance(time.Minute)
	s.expect(s.post("/auth/forgot-password", fields{"email": "ana@example.tl"}), 200, "")
	code := s.lastMail("ana@example.tl", mail.PasswordResetCode).Params["code"]
	for _, table := range []string{"sessions", "refresh_tokens", "one_time_codes", "login_failures", "outbox", "users", "audit_log"} {
		var dump string
		if err := s.db.QueryRow(t.Context(), `SELECT coalesce(string_agg(t::text, E'\n'), '') FROM `+table+` t`).Scan(&dump); err != nil {
			t.Fatal(err)
		}
		for name, secret := range map[string]string{"the old refresh token": a.text("refresh_token"), "a refresh token": fresh.text("refresh_token"),
			"an access token": fresh.text("access_token"), "a password": goodPassword, "a code": `"` + code + `"`} {
			if strings.Contains(dump, secret) {
				t.Errorf("%s holds %s", table, name)
			}
		}
		if table != "users" && strings.Contains(dump, "ana@example.tl") {
			t.Errorf("%s holds an address", table)
		}
	}
}

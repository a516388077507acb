package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/mail"
)

// The routes do not reveal who has an account: an address with one and an address
// without get the same answers, at the cost of as many hashes.
func TestUnknownAddressesAreTreatedLikeKnownOnes(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("known@example.tl")
	s.clock.Advance(2 * time.Hour) // the registration's code no longer counts
	steps := []struct {
		name string
		path string
		body fields
	}{
		{"login", "/auth/login", fields{"password": "wrong-password"}},
		{"token", "/auth/token", fields{"password": "wrong-password"}},
		{"forgot", "/auth/forgot-password", fields{}},
		{"forgot again at once", "/auth/forgot-password", fields{}},
		{"resend at once", "/auth/resend-otp", fields{"purpose": "password_reset"}},
		{"wrong reset code", "/auth/reset-password", fields{"otp": "x", "new_password": "ponte-Comoro-77"}},
		{"wrong reset code again", "/auth/reset-password", fields{"otp": "x", "new_password": "ponte-Comoro-77"}},
		{"wrong registration code", "/auth/verify-otp", fields{"otp": "x"}},
		{"resend registration", "/auth/resend-otp", fields{}},
		{"wrong registration code, after", "/auth/verify-otp", fields{"otp": "x"}},
		{"mailed link", "/users/reset-password", fields{}},
		{"verification link", "/users/resend-verification", fields{}},
		{"register", "/auth/register", fields{"password": goodPassword, "full_name": "Ana"}},
	}
	for _, step := range steps {
		var seen [2]string
		for i, address := range []string{"known@example.tl", "nobody@example.tl"} {
			step.body["email"], step.body["username"] = address, address
			before := s.hashes.Load()
			a := s.post(step.path, step.body)
			seen[i] = fmt.Sprint(a.status, a.code(), a.text("message"), a.body["attempts_left"], a.number("otp_expires_in"), len(a.raw)-len(a.text("email"))-len(a.text("request_id")),
				a.header.Get("Retry-After"), a.header.Get("Content-Type"), s.hashes.Load()-before)
		}
		if seen[0] != seen[1] {
			t.Errorf("%s tells them apart:\n  known:  %s\n nobody: %s", step.name, seen[0], seen[1])
		}
	}
	if m := s.mails("nobody@example.tl"); len(m) != 1 || m[0].Template != mail.RegistrationCode { // for the last step alone
		t.Errorf("mails to an address without an account: %+v", m)
	}
}

// Failures from one network lock the account out for that network only.
func TestLockoutHoldsForAddressAndNetwork(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	s.signedUp("rui@example.tl")
	login := func(address, password, from string) answer {
		return s.from(from, request{path: "/auth/login", body: fields{"email": address, "password": password}})
	}
	for range 10 {
		s.expect(login("ana@example.tl", "wrong", "203.0.113.7:1"), 401, "invalid_credentials")
	}
	locked := s.expect(login("ana@example.tl", goodPassword, "203.0.113.99:1"), 429, "rate_limited") // the same /24
	if locked.header.Get("Retry-After") != "900" {
		t.Errorf("Retry-After: %s", locked.header.Get("Retry-After"))
	}
	s.expect(login("ana@example.tl", goodPassword, "198.51.100.1:1"), 200, "")
	s.expect(login("rui@example.tl", goodPassword, "203.0.113.7:1"), 200, "")
	s.clock.Advance(15*time.Minute + time.Second)
	s.expect(login("ana@example.tl", goodPassword, "203.0.113.7:1"), 200, "")
	for range 9 { // a success has forgotten the failures
		s.expect(login("ana@example.tl", "wrong", "203.0.113.7:1"), 401, "invalid_credentials")
	}
	s.expect(login("ana@example.tl", goodPassword, "203.0.113.7:1"), 200, "")
	if _, err := s.db.Exec(t.Context(), `UPDATE users SET suspended_at = now() WHERE email = 'ana@example.tl'`); err != nil {
		t.Fatal(err)
	}
	for range 12 { // the correct password does not count as a failure, even if the account is not verified
		s.expect(login("ana@example.tl", goodPassword, "203.0.113.7:1"), 403, "account_suspended")
	}
}

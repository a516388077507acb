package auth_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/google"
	"github.com/lafaekstreet/backend/shared/mail"
)

const resetPassword = "ponte-Comoro-77"

// resetLink is the token of the newest mail with a link that resets.
func (s *system) resetLink() string {
	s.t.Helper()
	_, token, _ := strings.Cut(s.newest(mail.ResetLink).Params["link"], "token=")
	token, _ = url.QueryUnescape(token)
	return token
}

// resets are the two ways to choose a new password with a mail.
func resets() map[string]func(s *system) answer {
	return map[string]func(s *system) answer{
		"code": func(s *system) answer {
			s.expect(s.post("/auth/forgot-password", fields{"email": hijacked}), 200, "")
			return s.post("/auth/reset-password", fields{"email": hijacked, "otp": s.newest(mail.PasswordResetCode).Params["code"], "new_password": resetPassword})
		},
		"link": func(s *system) answer {
			s.expect(s.post("/users/reset-password", fields{"email": hijacked}), 202, "")
			return s.post("/users/update-password", fields{"token": s.resetLink(), "new_password": resetPassword})
		},
	}
}

// Resetting the password of an unconfirmed account removes all that the account had before. A stranger may have registered it.
func TestAResetForgetsWhatAnUnconfirmedAccountHad(t *testing.T) {
	t.Parallel()
	for name, reset := range resets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, unlimited())
			s.expect(s.post("/users/register", fields{"email": hijacked, "password": strangePassword, "name": "Mallory", "phonenumber": "+67077000000",
				"country": "X", "instagram": "mallory"}), 201, "")
			s.exec(`INSERT INTO devices (user_id, device_id, platform, fcm_token) SELECT id, 'phone', 'android', 'token-1' FROM users`)
			s.exec(`INSERT INTO sessions (id, user_id, expires_at) SELECT gen_random_uuid(), id, now() + interval '1 day' FROM users`)
			s.exec(`UPDATE users SET share_contact = true, notification_prefs = '{"email": false}'`)
			s.expect(reset(s), 200, "")
			var left int
			const q = `SELECT (SELECT count(*) FROM devices) + (SELECT count(*) FROM sessions WHERE revoked_at IS NULL)
				+ (SELECT count(*) FROM users WHERE share_contact OR notification_prefs <> '{}')`
			if err := s.db.QueryRow(t.Context(), q).Scan(&left); err != nil || left != 0 {
				t.Errorf("%d devices, sessions and choices are left (%v)", left, err)
			}
			a := s.expect(s.post("/auth/login", fields{"email": hijacked, "password": resetPassword}), 200, "")
			if a.user("full_name") != "" || a.user("phone_number") != nil || a.user("instagram") != nil || a.user("country") != nil || a.user("is_verified") != true {
				t.Errorf("signed in: %s", a.raw)
			}
			if s.signsIn(strangePassword) {
				t.Error("the stranger's password opens the account")
			}
		})
	}
}

// A confirmed account keeps what it has when its password is reset.
func TestAResetOfAConfirmedAccountKeepsIt(t *testing.T) {
	t.Parallel()
	for name, reset := range resets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, unlimited())
			s.signedUp(hijacked)
			s.expect(reset(s), 200, "")
			if a := s.expect(s.post("/auth/login", fields{"email": hijacked, "password": resetPassword}), 200, ""); a.user("full_name") != "Ana Santos" {
				t.Errorf("signed in: %s", a.raw)
			}
		})
	}
}

// A stranger who registers the address again does not void the link that its owner was mailed. The link works once, and the stranger's
// password never opens the account.
func TestAStrangersRegistrationDoesNotVoidTheOwnersResetLink(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, unlimited())
			s.registered(hijacked)
			s.expect(s.post("/users/reset-password", fields{"email": hijacked}), 202, "")
			link := s.resetLink()
			s.expect(w.register(s, "Mallory", strangePassword), 201, "")
			proof := w.proof(s)
			s.expect(s.post("/users/update-password", fields{"token": link, "new_password": resetPassword}), 200, "")
			s.expect(s.post("/users/update-password", fields{"token": link, "new_password": strangePassword}), 400, "link_invalid")
			w.confirm(s, proof)
			if s.signsIn(strangePassword) || !s.signsIn(resetPassword) {
				t.Error("the wrong password opens the account")
			}
		})
	}
}

// Sign-in answers email_not_verified while an unconfirmed registration is kept, and invalid_credentials later. Every kind of address gets the same answers.
func TestAForgottenRegistrationIsForgottenForEveryAddress(t *testing.T) {
	t.Parallel()
	s := newStrangers(t)
	s.seen("warm", "/auth/login", fields{"password": "connects the database"})
	alike := func(step, path string, body fields, status string) {
		t.Helper()
		want := s.seen(askers[0], path, body)
		if !strings.HasPrefix(want, status) {
			t.Errorf("%s: %s, want %s", step, want, status)
		}
		for _, kind := range askers[1:] {
			if got := s.seen(kind, path, body); got != want {
				t.Errorf("%s:\n  %s: %s\n  %s: %s", step, askers[0], want, kind, got)
			}
		}
	}
	with := fields{"password": strangePassword, "full_name": "Mallory"}
	alike("registering", "/auth/register", with, "201")
	s.clock.Advance(6*24*time.Hour + 23*time.Hour)
	alike("before the week is over", "/auth/login", with, "403email_not_verified")
	s.clock.Advance(7*24*time.Hour + time.Hour)
	alike("a week after the last mail", "/auth/login", with, "401invalid_credentials")
	alike("the form, a week after", "/auth/token", with, "400invalid_credentials")
	alike("asking again", "/auth/resend-otp", with, "200")
	alike("after asking again", "/auth/login", with, "401invalid_credentials")
	s.clock.Advance(2 * time.Minute)
	alike("asking once more", "/users/resend-verification", with, "202")
	alike("after asking once more", "/auth/login", with, "401invalid_credentials")
}

// A mail that is asked for after the registration was forgotten confirms its password, and no other.
func TestALateMailConfirmsThePassword(t *testing.T) {
	t.Parallel()
	for n, path := range []string{"/auth/resend-otp", "/users/resend-verification"} {
		w := ways()[n]
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			s := newSystem(t, unlimited())
			s.expect(w.register(s, "Ana Santos", victimPassword), 201, "")
			s.clock.Advance(8 * 24 * time.Hour)
			if a := s.post(path, fields{"email": hijacked}); a.status >= 300 {
				t.Fatalf("asking again: %d %s", a.status, a.raw)
			}
			late := w.proof(s)
			s.expect(w.register(s, "Mallory", strangePassword), 201, "")
			s.expect(w.confirm(s, late), 400, "")
			s.clock.Advance(8 * 24 * time.Hour)
			s.expect(w.register(s, "Ana Santos", victimPassword), 201, "")
			s.clock.Advance(8 * 24 * time.Hour)
			s.post(path, fields{"email": hijacked})
			s.expect(w.confirm(s, w.proof(s)), 200, "")
			if !s.signsIn(victimPassword) || s.signsIn(strangePassword) {
				t.Error("the wrong password opens the account")
			}
		})
	}
}

// A sign-in that proves the address ends its registrations, whether or not the account was confirmed before.
func TestAProofOfTheAddressEndsItsRegistrations(t *testing.T) {
	t.Parallel()
	proofs := map[string]func(s *googleSystem) answer{
		"email code": func(s *googleSystem) answer { return s.byCode(hijacked, s.emailCode(hijacked)) },
		"Google":     func(s *googleSystem) answer { return s.signIn(google.Identity{Email: hijacked, Name: "Ana Santos"}) },
	}
	for name, reset := range resets() {
		proofs["reset by "+name] = func(s *googleSystem) answer { return reset(s.system) }
	}
	for name, prove := range proofs {
		for _, confirmed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", confirmed before: ", confirmed), func(t *testing.T) {
				t.Parallel()
				s := withGoogle(t)
				if confirmed {
					s.signedUp(hijacked)
				}
				s.expect(ways()[0].register(s.system, "Mallory", strangePassword), 201, "")
				s.expect(s.post("/auth/login", fields{"email": hijacked, "password": strangePassword}), 403, "email_not_verified")
				s.expect(prove(s), 200, "")
				s.expect(s.post("/auth/login", fields{"email": hijacked, "password": strangePassword}), 401, "invalid_credentials")
				s.clock.Advance(61 * time.Second)
				s.expect(s.post("/auth/resend-otp", fields{"email": hijacked}), 200, "")
				s.expect(s.post("/auth/login", fields{"email": hijacked, "password": strangePassword}), 401, "invalid_credentials")
			})
		}
	}
}

// A network that did not ask for a code cannot replace it within the minute by using up its own attempts.
func TestGuessesOfAnotherNetworkDoNotReplaceTheCode(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	const owner, stranger = "198.51.100.1:1", "203.0.113.1:1"
	s.expect(s.from(owner, request{path: "/auth/register", body: fields{"email": hijacked, "password": victimPassword, "full_name": "Ana"}}), 201, "")
	code := s.newest(mail.RegistrationCode).Params["code"]
	s.expect(s.from(owner, request{path: "/auth/forgot-password", body: fields{"email": hijacked}}), 200, "")
	reset := s.newest(mail.PasswordResetCode).Params["code"]
	for range 5 {
		s.expect(s.from(stranger, request{path: "/auth/verify-otp", body: fields{"email": hijacked, "otp": otherCode(code)}}), 400, "otp_invalid")
		s.expect(s.from(stranger, request{path: "/auth/reset-password", body: fields{"email": hijacked, "otp": otherCode(reset), "new_password": resetPassword}}), 400, "otp_invalid")
	}
	s.expect(s.from(stranger, request{path: "/auth/resend-otp", body: fields{"email": hijacked}}), 429, "rate_limited")
	s.from(stranger, request{path: "/auth/forgot-password", body: fields{"email": hijacked}})
	s.expect(s.from(owner, request{path: "/auth/reset-password", body: fields{"email": hijacked, "otp": reset, "new_password": resetPassword}}), 200, "")
	s.exec(`UPDATE users SET email_verified_at = NULL`)
	// The network that asked gets the next code at once.
	s.clock.Advance(61 * time.Second)
	s.expect(s.from(owner, request{path: "/auth/forgot-password", body: fields{"email": hijacked}}), 200, "")
	for range 5 {
		s.from(owner, request{path: "/auth/reset-password", body: fields{"email": hijacked, "otp": otherCode(s.newest(mail.PasswordResetCode).Params["code"]), "new_password": resetPassword}})
	}
	before := len(s.mails(hijacked))
	s.expect(s.from(owner, request{path: "/auth/forgot-password", body: fields{"email": hijacked}}), 200, "")
	if n := len(s.mails(hijacked)); n != before+1 {
		t.Errorf("%d mails more, want 1", n-before)
	}
}

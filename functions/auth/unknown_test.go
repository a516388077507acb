package auth_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/dbproxy"
	"github.com/lafaekstreet/backend/shared/mail"
)

// askers are the kinds of address that the routes must not tell apart.
var askers = []string{"unknown", "verified", "unconfirmed", "suspended", "google", "staff"}

// strangers is a system with an account of each kind, two hours old. The requests go through a proxy that counts the round
// trips to the database.
type strangers struct {
	*system
	proxy *dbproxy.Proxy
}

func newStrangers(t *testing.T) *strangers {
	t.Helper()
	s := newSystem(t, unlimited())
	for _, kind := range askers[1:] {
		if s.registered(kind + "@example.tl"); kind != "unconfirmed" {
			s.expect(s.post("/auth/verify-otp", fields{"email": kind + "@example.tl",
				"otp": s.lastMail(kind+"@example.tl", mail.RegistrationCode).Params["code"]}), 200, "")
		}
	}
	s.exec(`UPDATE users SET suspended_at = now() WHERE email = 'suspended@example.tl'`)
	s.exec(`UPDATE users SET password_hash = NULL, google_subject = 'g' WHERE email = 'google@example.tl'`)
	s.exec(`UPDATE users SET role = 'moderator' WHERE email = 'staff@example.tl'`)
	s.clock.Advance(2 * time.Hour)
	proxy, err := dbproxy.Start(t.Context(), s.env["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	s.env["DATABASE_URL"], s.handler = proxy.URL(), nil
	s.open()
	return &strangers{system: s, proxy: proxy}
}

// seen is everything that a client sees of a request, and the work that it took.
func (s *strangers) seen(kind, path string, body fields) string {
	s.t.Helper()
	body = maps.Clone(body)
	body["email"], body["username"] = kind+"@example.tl", kind+"@example.tl"
	var before, after int
	count := func(n *int) {
		if err := s.db.QueryRow(s.t.Context(), `SELECT count(*) FROM outbox`).Scan(n); err != nil {
			s.t.Fatal(err)
		}
	}
	count(&before)
	hashes := s.hashes.Load()
	s.proxy.Take()
	ip := fmt.Sprintf("203.0.113.%d:1", 1+slices.Index(askers, kind))
	a := s.from(ip, request{path: path, body: body})
	trips := len(slices.DeleteFunc(s.proxy.Take(), func(r dbproxy.RoundTrip) bool { return len(r) == 1 && r[0].SQL == "-- ping" }))
	count(&after)
	h := a.header
	return fmt.Sprint(a.status, a.code(), a.text("message"), a.body["attempts_left"], a.number("otp_expires_in"),
		len(a.raw)-len(a.text("email"))-len(a.text("request_id")), " Retry-After ", h.Get("Retry-After"), " limit ", h.Get("RateLimit-Limit"),
		" remaining ", h.Get("RateLimit-Remaining"), " reset ", h.Get("RateLimit-Reset"), " ", h.Get("Cache-Control"), len(h),
		"; hashes ", s.hashes.Load()-hashes, ", round trips ", trips, ", messages ", after-before)
}

// The routes do not reveal who has an account: in any order, every kind of address gets the same answers, spends the same
// limits, and costs as many hashes, round trips and messages.
func TestUnknownAddressesAreTreatedLikeKnownOnes(t *testing.T) {
	t.Parallel()
	type step struct {
		wait time.Duration
		path string
		body fields
	}
	register := func(password string) step {
		return step{0, "/auth/register", fields{"password": password, "full_name": "Ana"}}
	}
	byLink := func(password string) step {
		return step{0, "/users/register", fields{"password": password, "name": "Ana"}}
	}
	with := func(path, password string) step { return step{0, path, fields{"password": password}} }
	plain := func(path string) step { return step{0, path, fields{}} }
	wrong := func(path string) step {
		return step{0, path, fields{"otp": "000000", "new_password": "ponte-Comoro-77"}}
	}
	later := func(s step) step { s.wait = 61 * time.Second; return s }
	for name, steps := range map[string][]step{
		"registering again and again": {register("password-a1"), register("password-b2"), register("password-c3"), register("password-d4"), register("password-e5"),
			register("password-e5"), register("password-f6"), byLink("password-g7"), plain("/auth/resend-otp"), later(register("password-e5"))},
		"each kind of mail": {plain("/auth/forgot-password"), plain("/users/reset-password"), plain("/users/resend-verification"), plain("/auth/resend-otp"),
			register("password-a1"), byLink("password-a1"), plain("/auth/email-code")},
		"registering, then signing in": {with("/auth/login", strangePassword), register(strangePassword), with("/auth/login", strangePassword),
			with("/auth/token", strangePassword), later(with("/auth/login", strangePassword)), later(with("/auth/token", strangePassword)),
			with("/auth/login", "wrong-password"), with("/auth/token", "wrong-password")},
		"registering by link, then signing in": {byLink(strangePassword), with("/auth/token", strangePassword), byLink("password-b2"), byLink("password-b2"),
			with("/auth/token", strangePassword), with("/auth/token", "password-b2"), later(plain("/users/resend-verification")), with("/auth/login", "password-b2")},
		"asking again, then registering": {plain("/auth/resend-otp"), register(strangePassword), register(strangePassword), later(plain("/auth/resend-otp")),
			register(strangePassword), register("password-b2"), wrong("/auth/verify-otp"), plain("/auth/resend-otp")},
		"guessing": {wrong("/auth/verify-otp"), register(strangePassword), wrong("/auth/verify-otp"), wrong("/auth/verify-otp"), wrong("/auth/verify-otp"),
			wrong("/auth/verify-otp"), wrong("/auth/verify-otp"), wrong("/auth/verify-otp"), plain("/auth/resend-otp"), wrong("/auth/verify-otp"),
			wrong("/auth/reset-password"), plain("/auth/forgot-password"), wrong("/auth/reset-password"), plain("/auth/forgot-password"),
			step{0, "/auth/resend-otp", fields{"purpose": "password_reset"}}},
		"codes to sign in": {wrong("/auth/email-code/verify"), plain("/auth/email-code"), plain("/auth/email-code"), wrong("/auth/email-code/verify"),
			later(plain("/auth/email-code")), later(plain("/auth/email-code")), later(plain("/auth/email-code")), later(plain("/auth/email-code")),
			later(plain("/auth/email-code")), wrong("/auth/email-code/verify")},
		"links": {plain("/users/reset-password"), plain("/users/reset-password"), plain("/users/resend-verification"), later(plain("/users/reset-password")),
			later(plain("/users/resend-verification")), later(plain("/users/reset-password")), plain("/auth/forgot-password"), plain("/auth/resend-otp")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStrangers(t)
			s.seen("warm", "/auth/login", fields{"password": "connects the database"})
			for i, step := range steps {
				s.clock.Advance(step.wait)
				want := s.seen(askers[0], step.path, step.body)
				for _, kind := range askers[1:] {
					if got := s.seen(kind, step.path, step.body); got != want {
						t.Errorf("step %d, %s %v:\n  %s: %s\n  %s: %s", i+1, step.path, step.body, askers[0], want, kind, got)
					}
				}
			}
		})
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

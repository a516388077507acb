package auth_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/mail"
)

const lockUser = `SELECT FROM users WHERE email = $1 FOR UPDATE`

func ana() []any { return []any{"ana@example.tl"} }

// atOnce makes requests at the same time while a statement holds a lock that each waits for, and returns the answers.
func (s *system) atOnce(hold string, args []any, requests ...request) []answer {
	s.t.Helper()
	answers, calls := make([]answer, len(requests)), make([]func(), len(requests))
	for i, r := range requests {
		calls[i] = func() { answers[i] = s.do(r) }
	}
	testdb.AtOnce(s.t, s.db, hold, args, calls...)
	return answers
}

// statuses are those of the answers, in ascending order.
func statuses(answers []answer) []int {
	var out []int
	for _, a := range answers {
		out = append(out, a.status)
	}
	slices.Sort(out)
	return out
}

func TestTwoRequestsAtOnceMailOneCode(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	r := request{path: "/auth/forgot-password", body: fields{"email": v.address}}
	v.atOnce(`LOCK TABLE outbox IN SHARE MODE`, nil, r, r)
	var codes int
	if err := v.db.QueryRow(t.Context(), `SELECT count(*) FROM one_time_codes WHERE purpose = 'password_reset'`).Scan(&codes); err != nil || codes != 1 {
		t.Errorf("%d codes, want 1 (%v)", codes, err)
	}
}

// Both requests have found the code valid before either uses it.
func TestACodeSentTwiceAtOnceWorksOnce(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	code := s.registered("ana@example.tl")
	s.exec(`CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END'`)
	s.exec(`CREATE TRIGGER pause BEFORE UPDATE OF consumed_at ON one_time_codes EXECUTE FUNCTION pause()`)
	for _, r := range []request{{path: "/auth/verify-otp", body: fields{"email": "ana@example.tl", "otp": code}},
		{path: "/auth/email-code/verify", body: fields{"email": "rui@example.tl", "otp": s.emailCode("rui@example.tl")}}} {
		if got := statuses(s.atOnce(`SELECT pg_advisory_xact_lock(7)`, nil, r, r)); !slices.Equal(got, []int{200, 400}) {
			t.Errorf("%s: got %v, want one sign-in", r.path, got)
		}
	}
}

func TestAChallengeAnsweredTwiceAtOnceSignsInOnce(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	id := m.challenge()
	answer := func(code string) request {
		return request{path: "/auth/totp/verify", body: fields{"challenge_id": id, "recovery_code": code}}
	}
	if got := statuses(m.atOnce(lockUser, ana(), answer(m.recovery[0]), answer(m.recovery[1]))); !slices.Equal(got, []int{200, 400}) {
		t.Errorf("got %v, want one sign-in", got)
	}
}

// A second confirmation would replace the secret by nothing.
func TestASecondFactorConfirmedTwiceAtOnceKeepsItsSecret(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	access := s.signedUp("ana@example.tl").text("access_token")
	s.exec(`UPDATE users SET role = 'moderator'`)
	r := request{path: "/auth/totp/confirm", token: access, body: fields{"code": s.code(s.enrolled(access))}}
	if got := statuses(s.atOnce(lockUser, ana(), r, r)); !slices.Equal(got, []int{200, 400}) {
		t.Errorf("got %v, want one confirmation", got)
	}
	var kept bool
	if err := s.db.QueryRow(t.Context(), `SELECT totp_secret IS NOT NULL FROM users`).Scan(&kept); err != nil || !kept {
		t.Errorf("the secret is gone (%v)", err)
	}
}

func TestEnrollmentWaitsForAConfirmationUnderWay(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	access := s.signedUp("ana@example.tl").text("access_token")
	s.exec(`UPDATE users SET role = 'moderator'`)
	got := s.atOnce(`UPDATE users SET totp_secret = 'x', totp_confirmed_at = now() WHERE email = $1`, ana(),
		request{path: "/auth/totp/enroll", token: access})
	s.expect(got[0], 403, "second_factor_required")
}

func TestARefreshTokenSentTwiceAtOnceIsExchangedOnce(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	r := request{path: "/auth/refresh", body: fields{"refresh_token": v.refresh}}
	got := v.atOnce(`SELECT FROM sessions WHERE id = $1 FOR UPDATE`, []any{v.session}, r, r)
	if got[0].status != 200 || got[0].text("refresh_token") != got[1].text("refresh_token") {
		t.Errorf("answers %s and %s, want the same tokens", got[0].raw, got[1].raw)
	}
}

func TestASignInWaitsForASuspensionUnderWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request func(m *staff) request
		status  int
		code    string
	}{
		"with a password": {func(m *staff) request {
			return request{path: "/auth/login", body: fields{"email": "ana@example.tl", "password": goodPassword}}
		}, 403, "account_suspended"},
		"with the second factor": {func(m *staff) request {
			return request{path: "/auth/totp/verify", body: fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}}
		}, 403, "account_suspended"},
		"with a mailed code": {func(m *staff) request {
			m.exec(`UPDATE users SET email_verified_at = NULL`)
			m.expect(m.post("/auth/resend-otp", fields{"email": "ana@example.tl"}), 200, "")
			code := m.lastMail("ana@example.tl", mail.RegistrationCode).Params["code"]
			return request{path: "/auth/verify-otp", body: fields{"email": "ana@example.tl", "otp": code}}
		}, 403, "account_suspended"},
		"with a mailed link to a new password": {func(m *staff) request {
			m.expect(m.post("/users/reset-password", fields{"email": "ana@example.tl"}), 202, "")
			link := (&victim{system: m.system, address: "ana@example.tl"}).link(mail.ResetLink)
			return request{path: "/users/update-password", body: fields{"token": link, "new_password": "ponte-Comoro-77"}}
		}, 400, "link_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newStaff(t)
			m.clock.Advance(time.Minute)
			got := m.atOnce(`UPDATE users SET suspended_at = now() WHERE email = $1`, ana(), c.request(m))
			m.expect(got[0], c.status, c.code)
		})
	}
}

// wrongCode has the shape of a code, and is none at this time.
func (s *system) wrongCode(secret []byte) string {
	step := credential.TOTPStep(s.clock.Now())
	for n := range 10 {
		code := fmt.Sprintf("%06d", n)
		if code != credential.TOTPCode(secret, step-1) && code != credential.TOTPCode(secret, step) && code != credential.TOTPCode(secret, step+1) {
			return code
		}
	}
	return ""
}

func TestGuessingTheCodeThatTurnsTheSecondFactorOn(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	a := m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}), 200, "")
	next := m.enrolled(a.text("access_token"))
	confirm := func(code string) answer {
		return m.do(request{path: "/auth/totp/confirm", token: a.text("access_token"), body: fields{"code": code}})
	}
	for range 10 {
		m.expect(confirm(m.wrongCode(next)), 400, "second_factor_invalid")
	}
	m.expect(confirm(m.code(next)), 429, "rate_limited")
}

func TestAPasswordResetEndsOpenChallenges(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	id := m.challenge()
	m.expect(m.post("/auth/forgot-password", fields{"email": "ana@example.tl"}), 200, "")
	code := m.lastMail("ana@example.tl", mail.PasswordResetCode).Params["code"]
	m.expect(m.post("/auth/reset-password", fields{"email": "ana@example.tl", "otp": code, "new_password": "ponte-Comoro-77"}), 200, "")
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": m.code(m.secret)}), 400, "challenge_expired")
}

func TestALogoutWithSomebodyElsesRefreshTokenLeavesThemSignedIn(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	thief := v.signedUp("rui@example.tl").text("access_token")
	v.expect(v.do(request{path: "/auth/logout", token: thief, body: fields{"refresh_token": v.refresh}}), 200, "")
	if !v.stands(v.access) {
		t.Error("the session has ended")
	}
}

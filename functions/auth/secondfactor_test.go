package auth_test

import (
	"encoding/base32"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/credential"
)

// staff is a moderator with the second factor on.
type staff struct {
	*system
	secret   []byte
	recovery []string
	access   string
}

func (s *system) code(secret []byte) string {
	return credential.TOTPCode(secret, credential.TOTPStep(s.clock.Now()))
}

func (s *system) enrolled(token string) []byte {
	s.t.Helper()
	a := s.expect(s.do(request{path: "/auth/totp/enroll", token: token}), 200, "")
	if !strings.Contains(a.text("otpauth_uri"), a.text("secret")) {
		s.t.Errorf("enroll: %s", a.raw)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(a.text("secret"))
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

func newStaff(t *testing.T) *staff {
	t.Helper()
	s := newSystem(t, unlimited())
	access := s.signedUp("ana@example.tl").text("access_token")
	s.exec(`UPDATE users SET role = 'moderator' WHERE email = 'ana@example.tl'`)
	m := &staff{system: s, access: access, secret: s.enrolled(access)}
	a := s.expect(s.do(request{path: "/auth/totp/confirm", token: access, body: fields{"code": s.code(m.secret)}}), 200, "")
	list, _ := a.body["recovery_codes"].([]any)
	for _, item := range list {
		code, _ := item.(string)
		m.recovery = append(m.recovery, code)
	}
	if len(m.recovery) != 10 {
		t.Fatalf("recovery codes: %s", a.raw)
	}
	s.clock.Advance(31 * time.Second) // the code of the confirmation is used up
	return m
}

func (m *staff) challenge() string {
	m.t.Helper()
	a := m.loggedIn("ana@example.tl")
	if a.text("second_factor") != "totp" || a.number("expires_in") != 300 || a.body["access_token"] != nil {
		m.t.Fatalf("login: %s", a.raw)
	}
	return a.text("challenge_id")
}

func TestSecondFactorSignsIn(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	id, code := m.challenge(), m.code(m.secret)
	a := m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": code}), 200, "")
	var passed bool
	if err := m.db.QueryRow(t.Context(), `SELECT second_factor_at IS NOT NULL FROM sessions ORDER BY created_at DESC LIMIT 1`).Scan(&passed); err != nil || !passed {
		t.Errorf("the session does not know (%v)", err)
	}
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": code}), 400, "challenge_expired") // once
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": code}), 400, "second_factor_invalid")
	m.expect(m.post("/auth/refresh", fields{"refresh_token": a.text("refresh_token")}), 200, "")
	// The forms of the journey client ask for it as well.
	form := m.expect(m.post("/auth/token", fields{"username": "ana@example.tl", "password": goodPassword}), 200, "")
	if form.text("second_factor") != "totp" {
		t.Errorf("form: %s", form.raw)
	}
}

// Somebody with the password alone may have signed in before the second factor was on.
func TestSecondFactorEndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	mine, stranger := s.signedUp("ana@example.tl"), s.loggedIn("ana@example.tl")
	s.exec(`UPDATE users SET role = 'moderator'`)
	secret := s.enrolled(mine.text("access_token"))
	s.expect(s.do(request{path: "/auth/totp/confirm", token: mine.text("access_token"), body: fields{"code": s.code(secret)}}), 200, "")
	if s.stands(stranger.text("access_token")) {
		t.Error("a session without the second factor goes on")
	}
	if !s.stands(mine.text("access_token")) {
		t.Error("the session that confirmed has ended")
	}
	s.expect(s.post("/auth/refresh", fields{"refresh_token": stranger.text("refresh_token")}), 401, "token_invalid")
}

func TestATOTPCodeIsValidOneStepEarlyOrLate(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	m.clock.Advance(10 * time.Minute)
	step := credential.TOTPStep(m.clock.Now())
	for _, offset := range []int64{-2, 2} {
		m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": credential.TOTPCode(m.secret, step+offset)}), 400, "second_factor_invalid")
	}
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": credential.TOTPCode(m.secret, step-1)}), 200, "")
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": credential.TOTPCode(m.secret, step)}), 200, "")
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": credential.TOTPCode(m.secret, step-1)}), 400, "second_factor_invalid")
}

func TestRecoveryCodesWorkOnceEach(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	typed := strings.ToUpper(strings.ReplaceAll(m.recovery[0], "-", " "))
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "recovery_code": typed}), 200, "")
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "recovery_code": m.recovery[0]}), 400, "second_factor_invalid")
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for _, id := range []string{m.challenge(), m.challenge(), m.challenge(), m.challenge()} {
		wg.Go(func() {
			a := m.post("/auth/totp/verify", fields{"challenge_id": id, "recovery_code": m.recovery[1]})
			mu.Lock()
			defer mu.Unlock()
			if a.status == 200 {
				passed++
			}
		})
	}
	wg.Wait()
	if passed != 1 {
		t.Errorf("one recovery code signed in %d times", passed)
	}
}

func TestGuessingTheSecondFactor(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	id := m.challenge()
	for left := 4; left >= 0; left-- {
		a := m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": m.wrongCode(m.secret)}), 400, "second_factor_invalid")
		if a.number("attempts_left") != left {
			t.Errorf("attempts left: %s, want %d", a.raw, left)
		}
	}
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": m.code(m.secret)}), 400, "challenge_expired")
	id = m.challenge()
	for range 5 {
		m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": m.wrongCode(m.secret)}), 400, "second_factor_invalid")
	}
	// Another challenge gives no further guesses.
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}), 429, "rate_limited")
	m.clock.Advance(16 * time.Minute)
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}), 200, "")
	late := m.challenge()
	m.clock.Advance(5*time.Minute + time.Second)
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": late, "code": m.code(m.secret)}), 400, "challenge_expired")
}

func TestReplacingTheSecondFactor(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	// Confirming raised this session; one that did not pass may not replace it.
	m.exec(`UPDATE sessions SET second_factor_at = NULL`)
	m.expect(m.do(request{path: "/auth/totp/enroll", token: m.access}), 403, "second_factor_required")
	a := m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}), 200, "")
	next := m.enrolled(a.text("access_token"))
	m.clock.Advance(31 * time.Second)
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}), 200, "") // until the new one is confirmed
	m.expect(m.do(request{path: "/auth/totp/confirm", token: a.text("access_token"), body: fields{"code": "000000"}}), 400, "second_factor_invalid")
	m.expect(m.do(request{path: "/auth/totp/confirm", token: a.text("access_token"), body: fields{"code": m.code(next)}}), 200, "")
	m.clock.Advance(31 * time.Second)
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(m.secret)}), 400, "second_factor_invalid")
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "recovery_code": m.recovery[5]}), 400, "second_factor_invalid")
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": m.code(next)}), 200, "")
	var sealed bool
	if err := m.db.QueryRow(t.Context(), `SELECT position($1::bytea IN totp_secret) = 0 FROM users`, next).Scan(&sealed); err != nil || !sealed {
		t.Errorf("the secret rests in clear (%v)", err)
	}
}

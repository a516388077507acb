package auth_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/mail"
)

// spellings are how people and programs send the code 012345.
func spellings(code string) map[string]any {
	number, _ := strconv.Atoi(code)
	wide := ""
	for _, r := range code {
		wide += string(r - '0' + '０')
	}
	arabic := ""
	for _, r := range code {
		arabic += string(r - '0' + '٠')
	}
	return map[string]any{"space behind": code + " ", "nbsp": code[:3] + "\u00a0" + code[3:], "line": code + "\n", "hyphen": code[:3] + "-" + code[3:],
		"full stop": code + ".", "zero width": "\u200b" + code[:3] + "\u200e" + code[3:], "full width": wide, "Arabic-Indic": arabic, "number": number}
}

// Null under the first name of a code counts as absent, so another name of it counts.
func TestACodeUnderAnotherNameBesideNull(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	for i, first := range []any{nil, ""} {
		address := fmt.Sprintf("null%d@example.tl", i)
		s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": first, "code": s.registered(address)}), 200, "")
	}
}

func TestCodesAreReadHoweverTheyAreTyped(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	n := 0
	for name := range spellings("012345") {
		n++
		address := fmt.Sprintf("a%d@example.tl", n)
		if a := s.post("/auth/verify-otp", fields{"email": address, "otp": spellings(s.registered(address))[name]}); a.status != 200 {
			t.Errorf("registration, %s: %d %s", name, a.status, a.raw)
		}
		s.expect(s.post("/auth/forgot-password", fields{"email": address}), 200, "")
		code := spellings(s.lastMail(address, mail.PasswordResetCode).Params["code"])[name]
		if a := s.post("/auth/reset-password", fields{"email": address, "otp": code, "new_password": "ponte-Comoro-77"}); a.status != 200 {
			t.Errorf("reset, %s: %d %s", name, a.status, a.raw)
		}
		s.expect(s.post("/auth/email-code", fields{"email": address}), 200, "")
		code = spellings(s.lastMail(address, mail.SignInCode).Params["code"])[name]
		if a := s.post("/auth/email-code/verify", fields{"email": address, "code": code}); a.status != 200 {
			t.Errorf("signing in, %s: %d %s", name, a.status, a.raw)
		}
	}
}

func TestCodesOfTheSecondFactorAreReadHoweverTheyAreTyped(t *testing.T) {
	t.Parallel()
	m := newStaff(t)
	for name := range spellings("012345") {
		m.clock.Advance(time.Minute)
		if a := m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "code": spellings(m.code(m.secret))[name]}); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	recovery := "\u200b" + m.recovery[0][:4] + "\u00a0" + m.recovery[0][4:] + "."
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": m.challenge(), "recovery_code": recovery}), 200, "")
}

func TestACodeOfTheWrongShapeUsesNoAttempt(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	code := s.registered("ana@example.tl")
	for _, wrong := range []any{"", "12345", "1234567", "abcdef", "12345a", "123456789", 1234567, -123456, 0.5} {
		for range 3 {
			a := s.expect(s.post("/auth/verify-otp", fields{"email": "ana@example.tl", "otp": wrong}), map[bool]int{true: 422, false: 400}[wrong == -123456 || wrong == 0.5], "")
			if a.status == 400 && (a.code() != "otp_invalid" || a.number("attempts_left") != 5) {
				t.Errorf("%v: %s", wrong, a.raw)
			}
		}
	}
	s.expect(s.post("/auth/verify-otp", fields{"email": "ana@example.tl", "otp": code}), 200, "")
	m := newStaff(t)
	id := m.challenge()
	for range 15 {
		m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": "12345"}), 400, "second_factor_invalid")
		m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "recovery_code": "abcd"}), 400, "second_factor_invalid")
	}
	m.expect(m.post("/auth/totp/verify", fields{"challenge_id": id, "code": m.code(m.secret)}), 200, "")
}

// otherCode is a code that is not the given one.
func otherCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// A network has 5 attempts of a code, and all together have 20.
func TestStrangersCannotUseUpTheOwnersAttempts(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	code := s.registered("ana@example.tl")
	guess := func(from, otp string) answer {
		return s.from(from+":1", request{path: "/auth/verify-otp", body: fields{"email": "ana@example.tl", "otp": otp}})
	}
	for _, stranger := range []string{"203.0.113.1", "203.0.113.2", "[2001:db8:1:1::1]"} {
		for left := 4; left >= 0; left-- {
			if a := s.expect(guess(stranger, otherCode(code)), 400, "otp_invalid"); a.number("attempts_left") != left {
				t.Errorf("%s: %s, want %d left", stranger, a.raw, left)
			}
		}
		s.expect(guess(stranger, code), 400, "otp_expired")
	}
	s.expect(guess("[2001:db8:1:1::2]", code), 400, "otp_expired") // the same network
	for left := 3; left >= 0; left-- {
		if a := s.expect(guess("198.51.100.1", otherCode(code)), 400, "otp_invalid"); left == 3 && a.number("attempts_left") != 4 {
			t.Errorf("%s, want 4 left", a.raw)
		}
	}
	s.expect(guess("198.51.100.9", code), 200, "")
}

func TestACodeHasTwentyAttemptsInAllAndThenTheNextHasNineDigits(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	code := s.registered("ana@example.tl")
	guess := func(from int, otp string) answer {
		return s.from(fmt.Sprintf("203.0.113.%d:1", from), request{path: "/auth/verify-otp", body: fields{"email": "ana@example.tl", "otp": otp}})
	}
	for n := range 20 {
		a := s.expect(guess(n/4, otherCode(code)), 400, "otp_invalid")
		if want := min(19-n, 4-n%4); a.number("attempts_left") != want {
			t.Errorf("attempt %d: %s, want %d left", n, a.raw, want)
		}
	}
	s.expect(guess(99, code), 400, "otp_expired")
	s.expect(s.post("/auth/resend-otp", fields{"email": "ana@example.tl"}), 200, "") // at once
	long := s.lastMail("ana@example.tl", mail.RegistrationCode).Params["code"]
	if len(long) != 9 {
		t.Errorf("code %q, want 9 digits", long)
	}
	if a := s.expect(guess(1, "000000"), 400, "otp_invalid"); a.number("attempts_left") != 5 {
		t.Errorf("a code of six digits used an attempt: %s", a.raw)
	}
	number, _ := strconv.Atoi(long)
	s.expect(s.post("/auth/verify-otp", fields{"email": "ana@example.tl", "otp": number}), 200, "")
	s.clock.Advance(24 * time.Hour)
	s.expect(s.post("/auth/forgot-password", fields{"email": "ana@example.tl"}), 200, "")
	if next := s.lastMail("ana@example.tl", mail.PasswordResetCode).Params["code"]; len(next) != 6 {
		t.Errorf("the next day: %q", next)
	}
}

func TestANetworkHasMailsSentToABoundedNumberOfAddresses(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited(), config.Env{"RATE_LIMIT_MAILED_ADDRESSES_PER_HOUR": "3"})
	ask := func(from, path, address string) int {
		return s.from(from+":1", request{path: path, body: fields{"email": address, "password": goodPassword, "full_name": "A", "name": "A"}}).status
	}
	for n := range 3 {
		if got := ask("203.0.113.1", "/auth/email-code", fmt.Sprintf("a%d@example.tl", n)); got != 200 {
			t.Errorf("address %d: %d", n, got)
		}
	}
	for _, path := range []string{"/auth/email-code", "/auth/register", "/users/register", "/auth/resend-otp", "/auth/forgot-password", "/users/reset-password", "/users/resend-verification"} {
		if got := ask("203.0.113.1", path, "more@example.tl"); got != 429 {
			t.Errorf("%s: %d, want 429", path, got)
		}
	}
	if got := ask("203.0.113.1", "/auth/forgot-password", "a0@example.tl"); got != 200 {
		t.Errorf("an address that had a mail: %d", got)
	}
	if got := ask("203.0.113.2", "/auth/email-code", "more@example.tl"); got != 200 {
		t.Errorf("another network: %d", got)
	}
	s.clock.Advance(time.Hour + time.Second)
	if got := ask("203.0.113.1", "/auth/email-code", "more@example.tl"); got != 200 {
		t.Errorf("an hour later: %d", got)
	}
}

func TestAddressesThatMailCannotReach(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	for _, address := range []string{"josé@example.tl", "maria@münchen.example", "例え@例え.テスト", "a@[127.0.0.1]", "a@-example.org", "a@exa_mple.org",
		strings.Repeat("a", 65) + "@example.org"} {
		body := fields{"email": address, "password": goodPassword, "full_name": "A", "name": "A"}
		for _, path := range []string{"/auth/register", "/users/register", "/auth/email-code"} {
			s.expect(s.post(path, body), 422, "email_not_deliverable")
		}
	}
	s.registered("maria@xn--mnchen-3ya.example")
	s.signedUp("jose@example.tl")
	s.exec(`UPDATE users SET email = 'josé@example.tl' WHERE email = 'jose@example.tl'`)
	s.expect(s.post("/auth/login", fields{"email": "José@example.tl", "password": goodPassword}), 200, "")
	s.expect(s.post("/auth/forgot-password", fields{"email": "josé@example.tl"}), 200, "")
	s.lastMail("josé@example.tl", mail.PasswordResetCode)
}

func TestTokenOfAnUnconfirmedRiderMailsALink(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.expect(s.post("/users/register", fields{"email": "ana@example.tl", "password": goodPassword, "name": "Ana"}), 201, "")
	for n, want := range []int{1, 2, 2} {
		if n == 1 {
			s.clock.Advance(61 * time.Second)
		}
		s.expect(s.post("/auth/token", fields{"username": "ana@example.tl", "password": goodPassword}), 403, "email_not_verified")
		if got := len(s.mails("ana@example.tl")); got != want {
			t.Errorf("%d mails, want %d", got, want)
		}
		s.lastMail("ana@example.tl", mail.VerifyLink)
	}
	s.expect(s.post("/auth/token", fields{"username": "ana@example.tl", "password": "wrong-password"}), 400, "invalid_credentials")
}

// Strangers on the owner's network cannot lock out a phone that the account knows.
func TestAKnownPhoneIsNotLockedOutByItsNetwork(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	login := func(password, device string) answer {
		body := fields{"email": "ana@example.tl", "password": password}
		if device != "" {
			body["device"] = fields{"device_id": device, "platform": "android"}
		}
		return s.from("203.0.113.7:1", request{path: "/auth/login", body: body})
	}
	s.expect(login(goodPassword, "phone-1"), 200, "")
	for n := range 10 {
		s.expect(login("wrong", []string{"", "made-up"}[n%2]), 401, "invalid_credentials")
	}
	s.expect(login(goodPassword, ""), 429, "rate_limited")
	s.expect(login(goodPassword, "made-up"), 429, "rate_limited")
	s.expect(login(goodPassword, "phone-1"), 200, "")
	for range 10 {
		s.expect(login("wrong", "phone-1"), 401, "invalid_credentials")
	}
	s.expect(login(goodPassword, "phone-1"), 429, "rate_limited")
}

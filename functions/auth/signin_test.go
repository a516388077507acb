package auth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/mail"
)

// The way of the app: register, confirm, sign in, refresh, sign out.
func TestLifeOfAnAccount(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	a := s.expect(s.post("/auth/register", fields{"email": " Ana@Example.TL ", "password": goodPassword, "full_name": " Ana  Santos ",
		"phone_number": "+67077001122", "preferred_language": "PT",
		"device": fields{"device_id": "phone-1", "platform": "Android", "fcm_token": "fcm-1"}}), 201, "")
	if a.text("email") != "ana@example.tl" || a.number("otp_expires_in") != 600 || a.text("message") == "" {
		t.Errorf("register: %s", a.raw)
	}
	m := s.lastMail("ana@example.tl", mail.RegistrationCode)
	if m.Language != "pt" || len(m.Params["code"]) != 6 {
		t.Errorf("mail: %+v", m)
	}
	a = s.expect(s.post("/auth/verify-otp", fields{"email": "ana@example.tl", "otp_code": m.Params["code"],
		"device": fields{"device_id": "phone-1", "platform": "Android", "fcm_token": "fcm-1"}}), 200, "")
	user, _ := a.body["user"].(map[string]any)
	if a.text("token_type") != "bearer" || a.number("expires_in") != 3600 || user["full_name"] != "Ana Santos" ||
		user["is_verified"] != true || user["role"] != "citizen" || user["_id"] != user["id"] || user["preferred_language"] != "pt" {
		t.Errorf("verify: %s", a.raw)
	}
	if strings.Contains(a.raw, "password") || strings.Contains(a.raw, "argon2") {
		t.Errorf("the user names a password: %s", a.raw)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("tokens may be cached")
	}
	if !s.stands(a.text("access_token")) {
		t.Error("the fresh token opens nothing")
	}
	login := s.loggedIn("ana@example.tl")
	s.clock.Advance(time.Hour)
	fresh := s.expect(s.post("/auth/refresh", fields{"refresh_token": login.text("refresh_token")}), 200, "")
	if fresh.text("refresh_token") == login.text("refresh_token") || fresh.text("access_token") == login.text("access_token") {
		t.Error("nothing was rotated")
	}
	s.expect(s.do(request{path: "/auth/logout", token: fresh.text("access_token")}), 200, "")
	if s.stands(fresh.text("access_token")) {
		t.Error("signed out, and the token still works")
	}
	s.expect(s.post("/auth/refresh", fields{"refresh_token": fresh.text("refresh_token")}), 401, "token_invalid")
}

func TestSignInWithAForm(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signedUp("ana@example.tl")
	form := url.Values{"username": {"Ana@example.tl"}, "password": {goodPassword}, "grant_type": {"password"}}
	a := s.expect(s.do(request{path: "/auth/token", form: form}), 200, "")
	s.expect(s.do(request{path: "/auth/login", form: form}), 200, "")
	s.expect(s.do(request{path: "/auth/refresh", form: url.Values{"refresh_token": {a.text("refresh_token")}}}), 200, "")
	query := "?refresh_token=" + s.loggedIn("ana@example.tl").text("refresh_token")
	s.expect(s.do(request{path: "/auth/refresh" + query}), 200, "")

	form.Set("password", "wrong-password")
	wrong := s.expect(s.do(request{path: "/auth/token", form: form}), 400, "invalid_credentials")
	if wrong.header.Get("WWW-Authenticate") != "" {
		t.Error("the journey client takes this for a dead token")
	}
}

func TestOneTimeCodes(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	const address = "ana@example.tl"
	code := s.registered(address)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for left := 4; left >= 0; left-- {
		a := s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": wrong}), 400, "otp_invalid")
		if a.number("attempts_left") != left {
			t.Errorf("attempts left: %s, want %d", a.raw, left)
		}
	}
	s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": code}), 400, "otp_expired")
	a := s.expect(s.post("/auth/resend-otp", fields{"email": address}), 200, "")
	if a.number("resend_after") != 60 || a.number("otp_expires_in") != 600 {
		t.Errorf("resend: %s", a.raw)
	}
	second := s.lastMail(address, mail.RegistrationCode).Params["code"]
	s.clock.Advance(61 * time.Second)
	s.expect(s.post("/auth/resend-otp", fields{"email": address}), 200, "")
	third := s.lastMail(address, mail.RegistrationCode).Params["code"]
	s.expect(s.post("/auth/resend-otp", fields{"email": address}), 429, "rate_limited")
	if second != third {
		s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": second}), 400, "otp_invalid") // the newest only
	}
	s.clock.Advance(10*time.Minute + time.Second)
	s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": third}), 400, "otp_expired")
	for range 2 {
		s.expect(s.post("/auth/resend-otp", fields{"email": address}), 200, "")
		s.clock.Advance(61 * time.Second)
	}
	last := s.lastMail(address, mail.RegistrationCode).Params["code"]
	limited := s.expect(s.post("/auth/resend-otp", fields{"email": address}), 429, "rate_limited")
	if limited.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": last}), 200, "")
	s.expect(s.post("/auth/verify-otp", fields{"email": address, "otp": last}), 400, "otp_expired") // once
}

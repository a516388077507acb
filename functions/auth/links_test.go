package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/mail"
)

// The journey client compares codes exactly and may send its fields in the query.
func TestLinkFlowsOfTheJourneyClient(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	const address = "heidi@example.org"
	a := s.expect(s.post("/users/register", fields{"name": "Heidi Rider", "email": address, "password": goodPassword, "phonenumber": "",
		"country": "", "instagram": "", "_id": "x", "is_verified": true, "role": "admin"}), 201, "")
	if strings.TrimSpace(a.raw) != "null" {
		t.Errorf("register: %q", a.raw)
	}
	s.expect(s.post("/auth/token", fields{"username": address, "password": goodPassword}), 403, "email_not_verified")
	link := s.lastMail(address, mail.VerifyLink).Params["link"]
	if !strings.HasPrefix(link, "https://web.example/verify?token=") {
		t.Errorf("link: %s", link)
	}
	verify := "/users/verify-email?" + strings.SplitN(link, "?", 2)[1]
	for range 2 { // the page runs its effect twice
		a := s.expect(s.do(request{method: http.MethodGet, path: verify}), 200, "")
		if a.text("message") == "" {
			t.Errorf("verify: %s", a.raw)
		}
	}
	s.expect(s.do(request{method: http.MethodGet, path: "/users/verify-email?token=x"}), 400, "link_invalid")
	s.expect(s.do(request{method: http.MethodGet, path: "/users/verify-email"}), 422, "invalid_input")
	session := s.expect(s.do(request{path: "/auth/token", form: url.Values{"username": {address}, "password": {goodPassword}}}), 200, "")

	a = s.expect(s.do(request{path: "/users/reset-password?email=" + url.QueryEscape(address)}), 202, "")
	if strings.TrimSpace(a.raw) != "null" {
		t.Errorf("reset: %q", a.raw)
	}
	token := strings.SplitN(s.lastMail(address, mail.ResetLink).Params["link"], "token=", 2)[1]
	s.expect(s.do(request{path: "/users/update-password?token=" + token + "&new_password=short"}), 422, "invalid_input")
	s.expect(s.do(request{path: "/users/update-password?token=" + token + "&new_password=ponte-Comoro-77"}), 200, "")
	s.expect(s.post("/auth/refresh", fields{"refresh_token": session.text("refresh_token")}), 401, "token_invalid")
	s.expect(s.post("/auth/login", fields{"email": address, "password": "ponte-Comoro-77"}), 200, "")

	for _, path := range []string{"/users/reset-password", "/users/resend-verification"} {
		for _, whom := range []string{address, "nobody@example.org", "no address"} {
			if a := s.expect(s.post(path, fields{"email": whom}), 202, ""); strings.TrimSpace(a.raw) != "null" {
				t.Errorf("%s: %q", path, a.raw)
			}
		}
	}
	if m := s.mails("nobody@example.org"); len(m) != 0 {
		t.Errorf("mailed: %+v", m)
	}
}

func TestLinksAreMailedAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	for range 3 {
		s.expect(s.post("/users/reset-password", fields{"email": "ana@example.tl"}), 202, "")
	}
	s.clock.Advance(61 * time.Second)
	s.expect(s.post("/users/reset-password", fields{"email": "ana@example.tl"}), 202, "")
	links := 0
	for _, m := range s.mails("ana@example.tl") {
		if m.Template == mail.ResetLink {
			links++
		}
	}
	if links != 2 {
		t.Errorf("%d links were mailed, want 2", links)
	}
}

package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// page sends a request as a page of the site does, with a cookie; "" sends none.
func (s *system) page(method, cookie string, body any, headers ...string) answer {
	s.t.Helper()
	h := http.Header{"X-Lafaekstreet": {"1"}}
	if cookie != "" {
		h.Set("Cookie", "other=1; lafaekstreet_session="+cookie)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return s.do(request{method: method, path: "/auth/web-session", body: body, header: h})
}

// sessionOf returns the session's cookie of an answer.
func (s *system) sessionOf(a answer) *http.Cookie {
	s.t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == "lafaekstreet_session" {
			return c
		}
	}
	s.t.Fatalf("no session in %v", a.header)
	return nil
}

func TestWebSession(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	tokens := s.signedUp("ana@example.tl")
	begun := s.expect(s.page("POST", "", fields{"refresh_token": tokens.text("refresh_token")}), 200, "")
	first := s.sessionOf(begun)
	if !first.HttpOnly || first.SameSite != http.SameSiteStrictMode || first.Path != "/api/v1/auth/web-session" || first.Secure || first.MaxAge != 60*24*60*60 {
		t.Errorf("cookie %+v", first)
	}
	if strings.Contains(begun.raw, "refresh_token") || !s.stands(begun.text("access_token")) || begun.body["user"] == nil {
		t.Errorf("answer %s", begun.raw)
	}
	if !strings.Contains(strings.Join(begun.header.Values("Set-Cookie"), ";"), "lang=") || begun.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", begun.header)
	}
	// Two tabs renew at the same time: both get the same pair.
	one, two := s.expect(s.page("POST", first.Value, fields{}), 200, ""), s.expect(s.page("POST", first.Value, nil), 200, "")
	if s.sessionOf(one).Value != s.sessionOf(two).Value || s.sessionOf(one).Value == first.Value {
		t.Error("two tabs have different sessions")
	}
	if all := one.header.Values("Set-Cookie"); len(all) != 1 { // a language is proposed at sign-in alone
		t.Errorf("a renewal sets %q", all)
	}
	third := s.sessionOf(s.expect(s.page("POST", s.sessionOf(two).Value, fields{}), 200, ""))
	s.clock.Advance(2 * time.Minute)
	s.expect(s.page("POST", first.Value, fields{}), 401, "token_reused")
	s.expect(s.page("POST", third.Value, fields{}), 401, "token_invalid") // the thief's session has ended too
	s.expect(s.page("POST", "", fields{}), 401, "token_missing")
	s.expect(s.page("POST", "", nil), 401, "token_missing")
	s.expect(s.page("POST", "nonsense", nil), 401, "token_invalid")
}

// An answer that was lost may be asked for again after more than a minute by the browser that signed in.
func TestALostAnswerOfAWebSessionEndsNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	s.signedUp("ana@example.tl")
	device := fields{"device_id": "web-1", "platform": "web"}
	login := s.expect(s.post("/auth/login", fields{"email": "ana@example.tl", "password": goodPassword, "device": device}), 200, "")
	held := s.sessionOf(s.expect(s.page("POST", "", fields{"refresh_token": login.text("refresh_token"), "device_id": "web-1"}), 200, "")).Value
	s.expect(s.page("POST", held, fields{"device_id": "web-1"}), 200, "") // the answer is lost
	s.clock.Advance(time.Hour)
	again := s.expect(s.page("POST", held, fields{"device_id": "web-1"}), 200, "")
	if !s.stands(again.text("access_token")) {
		t.Error("the session has ended")
	}
}

// Only a page of this site may use the cookie, and no other route reads it.
func TestOnlyOurPagesUseAWebSession(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	tokens := s.signedUp("ana@example.tl")
	cookie := s.sessionOf(s.expect(s.page("POST", "", fields{"refresh_token": tokens.text("refresh_token")}), 200, "")).Value
	for name, headers := range map[string][]string{"no header": {"X-LafaekStreet", ""}, "another site": {"Sec-Fetch-Site", "cross-site"}, "another port": {"Sec-Fetch-Site", "same-site"}, "typed": {"Sec-Fetch-Site", "none"}} {
		for _, method := range []string{"POST", "DELETE"} {
			if got := s.page(method, cookie, nil, headers...); got.status != 403 || got.code() != "page_required" {
				t.Errorf("%s %s: %d %s", method, name, got.status, got.raw)
			}
		}
	}
	if got := s.page("POST", cookie, nil, "Content-Type", "text/plain"); got.status != 200 { // an empty body has no type
		t.Errorf("an empty body: %d %s", got.status, got.raw)
	}
	header := http.Header{"Cookie": {"lafaekstreet_session=" + s.sessionOf(s.page("POST", cookie, nil)).Value}, "X-Lafaekstreet": {"1"}}
	s.expect(s.do(request{path: "/auth/logout", body: fields{}, header: header}), 401, "token_missing")
	if got := s.do(request{path: "/auth/refresh", body: fields{}, header: header}); got.status != 422 && got.status != 401 {
		t.Errorf("refresh reads the cookie: %d %s", got.status, got.raw)
	}
}

func TestEndOfAWebSession(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	tokens := s.signedUp("ana@example.tl")
	begun := s.page("POST", "", fields{"refresh_token": tokens.text("refresh_token")})
	cookie := s.sessionOf(begun).Value
	for range 2 {
		if gone := s.sessionOf(s.expect(s.page("DELETE", cookie, nil), 200, "")); gone.Value != "" || gone.MaxAge >= 0 {
			t.Errorf("cookie %+v", gone)
		}
	}
	s.expect(s.page("DELETE", "", nil), 200, "")
	if s.stands(begun.text("access_token")) {
		t.Error("the access token is still good")
	}
	s.expect(s.page("POST", cookie, fields{}), 401, "token_invalid")
}

// A cookie that was set over TLS is sent over TLS alone. The cookie of staff ends with the browser. The language that a person has
// chosen stays after signing out.
func TestCookiesOfAWebSession(t *testing.T) {
	t.Parallel()
	s := newSystem(t, unlimited())
	tokens := s.signedUp("ana@example.tl")
	if _, err := s.db.Exec(t.Context(), `UPDATE users SET role = 'moderator'`); err != nil {
		t.Fatal(err)
	}
	got := s.expect(s.page("POST", "", fields{"refresh_token": tokens.text("refresh_token")}, "X-Forwarded-Proto", "https", "Cookie", "lang=pt"), 200, "")
	if c := s.sessionOf(got); !c.Secure || c.MaxAge != 0 {
		t.Errorf("cookie %+v", c)
	}
	if all := got.header.Values("Set-Cookie"); len(all) != 1 {
		t.Errorf("cookies %q", all)
	}
}

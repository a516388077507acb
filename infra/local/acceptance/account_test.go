package acceptance

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The numbered behaviours that the published client relies on. This file has those of
// accounts, journey_test.go those of journeys and markers.

func TestBehaviour01CrossOriginCalls(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		res := apiclient.NewTester(t, s.URL).Send(t.Context(), apiclient.Request{Method: http.MethodOptions, Path: "/journeys/", Header: http.Header{
			"Origin": {webBase}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": {"authorization,content-type"}}})
		h := res.Header
		allowed := strings.ToLower(h.Get("Access-Control-Allow-Headers"))
		if res.Status >= 300 || !strings.Contains(h.Get("Access-Control-Allow-Methods"), method) ||
			!strings.Contains(allowed, "authorization") || !strings.Contains(allowed, "content-type") {
			t.Errorf("the preflight of %s is %d %v", method, res.Status, h)
		}
	}
	b := s.browser()
	for path, want := range map[string]int{"/users/me": 401, "/nowhere": 404} {
		if a := b.Get(path).Want(want); a.Header.Get("Access-Control-Allow-Origin") == "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}

func TestBehaviour02LoginByForm(t *testing.T) {
	t.Parallel()
	newSite(t).rider("heidi") // keep checks that there are two tokens; loginWith reads /users/me
}

func TestBehaviour03FailuresOfAccountsAreNot401(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.loginWith("wrong-Password-1").Want(400)
	b.email = "nobody@example.org"
	b.loginWith(password).Want(400)
	b.Get("/users/verify-email?token=bad").Want(400)
	b.Do("POST", "/users/reset-password?email=nobody@example.org", nil).Want(202)
	b.Do("POST", "/users/update-password?token=bad&new_password="+url.QueryEscape(password), nil).Want(400)
}

func TestBehaviour04DeadAndMissingTokensAre401Everywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, "RATE_LIMIT_ADDRESS_PER_MINUTE", "6000")
	person := s.Signer.SignIn(s.DB, identity.Citizen)
	claims := identitytest.Claims(time.Now().Add(-2*time.Hour), person.ID, identity.Citizen, person.SessionID)
	expired := s.browser()
	expired.Token = s.Signer.Sign(claims)
	missing := s.browser()
	tried := 0
	for _, group := range []httpapi.Group{&journeys.Group{}, &users.Group{}} {
		for path, item := range httpapi.Document(group).Paths {
			for method, op := range httpapi.Operations(item) {
				if len(op.Security) == 0 { // needs no token
					continue
				}
				tried++
				for name, b := range map[string]*browser{"expired": expired, "missing": missing} {
					if a := b.Do(method, filled(path), object{}); a.Status != 401 {
						t.Errorf("%s %s with an %s token is %d", method, path, name, a.Status)
					}
				}
			}
		}
	}
	if tried < 25 {
		t.Errorf("only %d operations were tried", tried)
	}
}

// filled is a path below /api/v1 with an id for each parameter.
func filled(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/api/v1"), "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = uuid.NewString()
		}
	}
	return strings.Join(parts, "/")
}

func TestBehaviour05RefreshByMultipartAndByQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.Token = ""
	b.keep(b.Post("/auth/refresh", apiclient.Form{Fields: map[string]string{"refresh_token": b.refresh}}).Want(200))
	b.keep(b.Do("POST", "/auth/refresh?refresh_token="+url.QueryEscape(b.refresh), nil).Want(200))
	b.Get("/users/me").Want(200)
	// Two tabs share one refresh token and use it at the same time. Each gets a pair of tokens that works.
	var tabs [2]apiclient.TestResponse
	var running sync.WaitGroup
	for i := range tabs {
		running.Go(func() {
			tabs[i] = b.Post("/auth/refresh", apiclient.Form{Fields: map[string]string{"refresh_token": b.refresh}})
		})
	}
	running.Wait()
	for _, a := range tabs {
		b.keep(a.Want(200))
		b.Get("/users/me").Want(200)
	}
}

func TestBehaviour06AReloadKeepsTheSession(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	for range 5 {
		b.Get("/users/me").Want(200)
	}
}

func TestBehaviour08Registration(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	body := object{"name": "Heidi", "email": "heidi@example.org", "password": password, "phonenumber": "", "country": ""}
	if a := b.Do("POST", "/users/register", body).Want(201); strings.TrimSpace(string(a.Body)) != "null" {
		t.Errorf("registration answers %s", a.Body)
	}
}

func TestBehaviour09TheMailedLinkWorksTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.Do("POST", "/users/register", object{"name": "Heidi", "email": "heidi@example.org", "password": password}).Want(201)
	token := url.QueryEscape(s.mailed("heidi@example.org", "/verify"))
	for range 2 {
		if m, _ := b.Get("/users/verify-email?token=" + token).Want(200).Object().Values["message"].(string); m == "" {
			t.Error("the answer has no message")
		}
	}
}

func TestBehaviour10ResetAndUpdateByQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.rider("heidi")
	b.Do("POST", "/users/reset-password?email="+url.QueryEscape(b.email), nil).Want(202)
	b.Do("POST", "/users/reset-password?email=nobody@example.org", nil).Want(202)
	token := s.mailed(b.email, "/reset-password")
	const next = "down-the-Valley-8"
	b.Token = ""
	b.Do("POST", "/users/update-password?token="+url.QueryEscape(token)+"&new_password="+next, nil).Want(200)
	b.loginWith(password).Want(400)
	b.loginWith(next).Want(200)
}

func TestBehaviour11TheProfileCanBeReadChangedAndSent(t *testing.T) {
	t.Parallel()
	b := newSite(t).rider("heidi")
	me := b.Get("/users/me").Want(200).Object().Values
	for _, name := range []string{"_id", "name", "email", "phonenumber", "instagram", "country"} {
		if _, there := me[name]; !there {
			t.Errorf("/users/me has no %s", name)
		}
	}
	me["name"], me["instagram"], me["phonenumber"], me["country"] = "Heidi R.", "heidirides", "+670 7700 0000", "Switzerland"
	b.Do("PUT", "/users/"+b.id, me).Want(200)
	if again := b.Get("/users/me").Want(200).Object().Values; again["name"] != "Heidi R." || again["instagram"] != "heidirides" || again["country"] != "Switzerland" {
		t.Errorf("the profile became %v", again)
	}
}

func TestBehaviour12AccountDeletion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	id := b.journey("Tour", true)
	b.marker(id, "past", "2026-01-01", 125.5, -8.5)
	b.Do("DELETE", "/users/"+b.id, nil).Want(200)
	other.Get("/journeys/" + id).Want(404)
	if n := s.Int(`SELECT (SELECT count(*) FROM journeys) + (SELECT count(*) FROM markers)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	b.Get("/users/me").Want(401)
}

func TestBehaviour13OtherRidersAreShownWithoutTheirAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.rider("heidi"), s.rider("ueli")
	seen := other.Get("/users/" + b.id).Want(200).Object().Values
	if seen["_id"] != b.id || seen["name"] != "heidi" || seen["email"] != nil || seen["phonenumber"] != nil {
		t.Errorf("others see %v", seen)
	}
	b.Do("PATCH", "/users/me", object{"phone_number": "+670 7700 0000", "instagram": "heidirides", "share_contact": true}).Want(200)
	shared := other.Get("/users/" + b.id).Want(200).Object().Values
	if shared["phonenumber"] == nil || shared["instagram"] != "heidirides" || shared["email"] != nil {
		t.Errorf("with contact shared others see %v", shared)
	}
}

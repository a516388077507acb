package acceptance

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

const (
	webBase  = "https://www.findkairos.com"
	password = "over-the-Hills-9"
)

type object = map[string]any

// site is the system that the web client calls.
type site struct {
	*testenv.System
	sealer *seal.Sealer
}

// newSite starts a site. settings are pairs of name and value.
func newSite(t *testing.T, settings ...string) *site {
	t.Helper()
	w := testenv.New(t)
	for i := 0; i+1 < len(settings); i += 2 {
		w.Env[settings[i]] = settings[i+1]
	}
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{3}, 32))
	w.Env["TOKEN_SIGNING_KEY"], w.Env["SEAL_KEYS"], w.Env["WEB_BASE_URL"] = w.Signer.SigningKey(), key, webBase
	sealer, err := seal.New(seal.Config{Keys: []string{key}})
	if err != nil {
		t.Fatal(err)
	}
	w.Serve(auth.Open, users.Open, journeys.Open, meta.Open)
	return &site{System: w, sealer: sealer}
}

// mailed returns the token in the newest mail to an address that has a link to the page.
func (s *site) mailed(address, page string) string {
	s.Helper()
	rows, err := s.DB.Query(s.Context(), `SELECT body FROM outbox WHERE queue = 'notify' ORDER BY created_at DESC, id DESC`)
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var m queue.NotifyMessage
		if err := rows.Scan(&m); err != nil {
			s.Fatal(err)
		}
		opened, err := mail.Open(s.sealer, m.Mail)
		if err != nil || opened.To != address {
			continue
		}
		if token, ok := strings.CutPrefix(opened.Params["link"], webBase+page+"?token="); ok {
			plain, err := url.QueryUnescape(token)
			if err != nil {
				s.Fatal(err)
			}
			return plain
		}
	}
	s.Fatalf("no mail to %s with a link to %s", address, page)
	return ""
}

// browser is the published web client of one rider. It keeps both tokens.
type browser struct {
	*site
	apiclient.Tester
	email, refresh, id string
}

func (s *site) browser() *browser {
	return &browser{site: s, Tester: apiclient.NewTester(s.TB, s.URL).With("Origin", webBase)}
}

// rider returns a browser whose person has registered, confirmed the address and signed in.
func (s *site) rider(name string) *browser {
	s.Helper()
	b := s.browser()
	b.email = name + "@example.org"
	b.Do("POST", "/users/register", object{"name": name, "email": b.email, "password": password, "phonenumber": "", "country": ""}).Want(201)
	b.Do("GET", "/users/verify-email?token="+url.QueryEscape(s.mailed(b.email, "/verify")), nil).Want(200)
	b.login().Want(200)
	return b
}

// login signs in as the web client does: it sends the OAuth2 password form, then reads /users/me.
func (b *browser) login() apiclient.TestResponse { b.Helper(); return b.loginWith(password) }

func (b *browser) loginWith(password string) apiclient.TestResponse {
	b.Helper()
	b.Token = ""
	a := b.Post("/auth/token", url.Values{"username": {b.email}, "password": {password}, "grant_type": {"password"}})
	if a.Status != http.StatusOK {
		return a
	}
	b.keep(a)
	me := b.Get("/users/me").Want(200)
	b.id, _ = me.Object().Values["_id"].(string)
	return a
}

// keep stores the tokens of an answer.
func (b *browser) keep(a apiclient.TestResponse) {
	b.Helper()
	tokens := a.Object()
	b.Token, b.refresh = tokens.Text("access_token"), tokens.Text("refresh_token")
	if b.Token == "" || b.refresh == "" {
		b.Fatalf("tokens are missing: %s", a.Body)
	}
}

// journey creates a journey with the members that the web client sends.
func (b *browser) journey(name string, active bool) string {
	b.Helper()
	body := object{"name": name, "description": "", "user_id": b.id, "active": active, "created_at": "2026-11-21T08:00:00.000Z"}
	id, _ := b.Do("POST", "/journeys/", body).Want(201).Object().Values["_id"].(string)
	return id
}

// point is a marker as the web client sends it: a past one has only timestamp, a planned one only estimated_time.
func point(journey, kind, date string, lon, lat float64) object {
	m := object{"name": "Stop", "journey_id": journey, "notes": "", "marker_type": kind,
		"coordinates": object{"type": "Point", "coordinates": []float64{lon, lat}}}
	if kind == "past" {
		m["timestamp"] = date
	} else {
		m["estimated_time"] = date
	}
	return m
}

func (b *browser) marker(journey, kind, date string, lon, lat float64) object {
	b.Helper()
	return b.Do("POST", "/journeys/"+journey+"/markers", point(journey, kind, date, lon, lat)).Want(201).Object().Values
}

package acceptance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/infra/local/world"
	"github.com/lafaekstreet/backend/shared/mail"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/seal"
)

const (
	webBase  = "https://www.findkairos.com"
	password = "over-the-Hills-9"
)

type object = map[string]any

// site is what the web client talks to.
type site struct {
	*world.World
	sealer *seal.Sealer
}

// newSite starts one; settings come in pairs of name and value.
func newSite(t *testing.T, settings ...string) *site {
	t.Helper()
	w := world.New(t)
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
	return &site{World: w, sealer: sealer}
}

// mailed is the token in the newest mail to an address whose link leads to a page.
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

// browser is the published web client of one rider: it keeps both tokens.
type browser struct {
	*site
	email, access, refresh string
	id                     string
}

// answer is a response read to its end.
type answer struct {
	testing.TB
	status int
	header http.Header
	body   []byte
}

func (s *site) browser() *browser { return &browser{site: s} }

// rider registers, confirms and signs in.
func (s *site) rider(name string) *browser {
	s.Helper()
	b := s.browser()
	b.email = name + "@example.org"
	b.json("POST", "/users/register", object{"name": name, "email": b.email, "password": password, "phonenumber": "", "country": ""}).want(201)
	b.call("GET", "/users/verify-email?token="+url.QueryEscape(s.mailed(b.email, "/verify")), "", nil).want(200)
	b.login().want(200)
	return b
}

// call sends a body as it is.
func (b *browser) call(method, path, media string, body io.Reader) *answer {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, b.URL+"/api/v1"+path, body)
	if err != nil {
		b.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	req.Header.Set("Origin", webBase)
	if b.access != "" {
		req.Header.Set("Authorization", "Bearer "+b.access)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return &answer{TB: b.TB, status: res.StatusCode, header: res.Header, body: raw}
}

func (b *browser) get(path string) *answer { b.Helper(); return b.call("GET", path, "", nil) }

func (b *browser) json(method, path string, body any) *answer {
	b.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	return b.call(method, path, "application/json", bytes.NewReader(raw))
}

func (b *browser) form(path string, fields url.Values) *answer {
	b.Helper()
	return b.call("POST", path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()))
}

func (b *browser) multipart(path string, fields map[string]string) *answer {
	b.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return b.call("POST", path, w.FormDataContentType(), &body)
}

// login is the web client's: the OAuth2 password form, then at once who that is.
func (b *browser) login() *answer { b.Helper(); return b.loginWith(password) }

func (b *browser) loginWith(password string) *answer {
	b.Helper()
	b.access = ""
	a := b.form("/auth/token", url.Values{"username": {b.email}, "password": {password}, "grant_type": {"password"}})
	if a.status != http.StatusOK {
		return a
	}
	b.keep(a)
	me := b.get("/users/me").want(200)
	b.id, _ = me.object()["_id"].(string)
	return a
}

// keep stores the tokens of an answer.
func (b *browser) keep(a *answer) {
	b.Helper()
	tokens := a.object()
	b.access, _ = tokens["access_token"].(string)
	b.refresh, _ = tokens["refresh_token"].(string)
	if b.access == "" || b.refresh == "" {
		b.Fatalf("tokens are missing: %s", a.body)
	}
}

func (a *answer) want(status int) *answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("status is %d, want %d: %.600s", a.status, status, a.body)
	}
	return a
}

func (a *answer) object() object {
	a.Helper()
	var out object
	if err := json.Unmarshal(a.body, &out); err != nil {
		a.Fatalf("no object: %.600s", a.body)
	}
	return out
}

func (a *answer) list() []object {
	a.Helper()
	var out []object
	if err := json.Unmarshal(a.body, &out); err != nil {
		a.Fatalf("no array of objects: %.600s", a.body)
	}
	return out
}

// journey is the web client's form.
func (b *browser) journey(name string, active bool) string {
	b.Helper()
	body := object{"name": name, "description": "", "user_id": b.id, "active": active, "created_at": "2026-11-21T08:00:00.000Z"}
	id, _ := b.json("POST", "/journeys/", body).want(201).object()["_id"].(string)
	return id
}

// point is the web client's marker form: the fitting date alone.
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
	return b.json("POST", "/journeys/"+journey+"/markers", point(journey, kind, date, lon, lat)).want(201).object()
}

package journeys_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
)

// bundle is the function on a database of its own, over HTTP.
type bundle struct {
	t      testing.TB
	url    string
	served http.Handler
	db     *pgxpool.Pool // as the owner: tests read what the function wrote
	signer *identitytest.Signer
}

func setup(t testing.TB) *bundle {
	t.Helper()
	address := testdb.URL(t)
	signer := identitytest.New(t)
	service, err := journeys.Open(t.Context(), config.Env{
		"DATABASE_URL": testdb.AppURL(address), "DATABASE_MAX_CONNS": "8", "TOKEN_PUBLIC_KEYS": signer.PublicKeys(),
		"AWS_REGION": "us-east-1", "LOG_LEVEL": "ERROR", "MEDIA_BUCKET": "media",
		"RATE_LIMIT_USER_PER_MINUTE": "600000", "RATE_LIMIT_USER_BURST": "100000", "RATE_LIMIT_IMPORT_PER_HOUR": "100000",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(answers.Checked(t, service))
	t.Cleanup(server.Close)
	db, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return &bundle{t: t, url: server.URL, served: service, db: db, signer: signer}
}

// rider signs somebody in.
func (b *bundle) rider() *rider {
	b.t.Helper()
	return &rider{Person: b.signer.SignIn(b.db, identity.Citizen), b: b}
}

// staff signs somebody in who works on reports.
func (b *bundle) staff() *rider {
	b.t.Helper()
	return &rider{Person: b.signer.SignIn(b.db, identity.Moderator), b: b}
}

// exec changes what only the database can.
func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

// count is the one number a query gives.
func (b *bundle) count(sql string, args ...any) int {
	b.t.Helper()
	var n int
	if err := b.db.QueryRow(b.t.Context(), sql, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

type rider struct {
	identitytest.Person
	b *bundle
}

// answer is a response read to its end.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// call sends a request. A string is a body as it is; see apiclient.Request for the others. Headers come in pairs of name and
// value.
func (r *rider) call(method, path string, body any, headers ...string) *answer {
	t := r.b.t
	t.Helper()
	if text, ok := body.(string); ok {
		body = []byte(text)
	}
	req := apiclient.Request{Method: method, Path: path, Token: r.Token, Body: body, Header: http.Header{}}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := apiclient.Client{URL: r.b.url}.Do(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return &answer{t: t, status: res.Status, header: res.Header, body: res.Body}
}

// want fails the test unless the status is this one.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status is %d, want %d: %.600s", a.status, status, a.body)
	}
	return a
}

// wantCode is want for a problem with its code.
func (a *answer) wantCode(status int, code string) *answer {
	a.t.Helper()
	a.want(status)
	if got := a.object()["code"]; got != code {
		a.t.Fatalf("code is %v, want %s: %.600s", got, code, a.body)
	}
	return a
}

func (a *answer) object() map[string]any {
	a.t.Helper()
	var out map[string]any
	a.into(&out)
	return out
}

func (a *answer) list() []map[string]any {
	a.t.Helper()
	var out []map[string]any
	a.into(&out)
	return out
}

func (a *answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("answer is not as expected: %v: %.600s", err, a.body)
	}
}

type object = map[string]any

// journey creates one and gives its id.
func (r *rider) journey(members object) string {
	r.b.t.Helper()
	body := object{"name": "Across the island"}
	for k, v := range members {
		body[k] = v
	}
	return r.call("POST", "/journeys/", body).want(201).object()["_id"].(string)
}

func past(name, date string, lon, lat float64) object {
	return object{"name": name, "marker_type": "past", "timestamp": date, "notes": "",
		"coordinates": object{"type": "Point", "coordinates": []float64{lon, lat}}}
}

func plan(name, date string, lon, lat float64) object {
	m := past(name, "", lon, lat)
	delete(m, "timestamp")
	m["marker_type"], m["estimated_time"] = "plan", date
	return m
}

// marker adds one and gives its id.
func (r *rider) marker(journey string, body object) string {
	r.b.t.Helper()
	return r.call("POST", "/journeys/"+journey+"/markers", body).want(201).object()["_id"].(string)
}

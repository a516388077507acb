package admin_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/infra/local/answers"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/service"
)

type bundle struct {
	apiclient.Tester
	t      *testing.T
	db     *pgxpool.Pool
	signer *identitytest.Signer
	admin  identitytest.Person
}

type fields map[string]any

const setupToken = "only-for-the-first"

// setup has no administrator; signedIn adds one.
func setup(t *testing.T) *bundle {
	t.Helper()
	address, signer := testdb.URL(t), identitytest.New(t)
	db, err := pgxpool.New(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	env := config.Env{
		"DATABASE_URL": testdb.AppURL(address), "TOKEN_PUBLIC_KEYS": signer.PublicKeys(), "AWS_REGION": "ap-southeast-2",
		"SEAL_KEYS": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)), "ADMIN_SETUP_TOKEN": setupToken,
	}
	handler, err := admin.OpenWith(t.Context(), env, service.WithOutput(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	return &bundle{Tester: apiclient.Serve(t, answers.Checked(t, handler)), t: t, db: db, signer: signer}
}

func signedIn(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.admin = b.signer.SignIn(b.db, identity.Admin)
	return b
}

func TestSetupWorksOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := fields{"setup_token": "wrong", "email": "Chefe@example.tl", "password": "rua-Aimutin-42", "full_name": "Chefe"}
	b.Do(http.MethodPost, "/admin/setup", body).WantProblem(403, "setup_token_invalid")
	body["setup_token"] = setupToken
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for range 5 {
		wg.Go(func() {
			a := b.Do(http.MethodPost, "/admin/setup", body)
			mu.Lock()
			defer mu.Unlock()
			answers[a.Status]++
			if a.Status == 201 {
				user, _ := a.Object().Values["user"].(map[string]any)
				if user["role"] != "admin" || user["is_verified"] != true || user["email"] != "chefe@example.tl" ||
					!strings.HasPrefix(a.Object().Text("otpauth_uri"), "otpauth://totp/") || a.Object().Text("secret") == "" {
					t.Errorf("made: %s", a.Body)
				}
			}
		})
	}
	wg.Wait()
	if answers[201] != 1 || answers[409] != 4 {
		t.Errorf("answers by status: %v", answers)
	}
	var on bool
	if err := b.db.QueryRow(t.Context(), `SELECT totp_confirmed_at IS NOT NULL FROM users WHERE role = 'admin'`).Scan(&on); err != nil || !on {
		t.Errorf("the second factor is off (%v)", err)
	}
}

func TestRoutesNeedAnAdministratorWithASecondFactor(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	paths := []struct{ method, path string }{
		{http.MethodGet, "/admin/users"}, {http.MethodPatch, "/admin/users/" + uuid.NewString()}, {http.MethodGet, "/admin/agencies"},
		{http.MethodPost, "/admin/agencies"}, {http.MethodPatch, "/admin/agencies/" + uuid.NewString()},
		{http.MethodDelete, "/admin/agencies/" + uuid.NewString()}, {http.MethodGet, "/admin/audit"},
		{http.MethodGet, "/admin/settings"}, {http.MethodPut, "/admin/settings"}, {http.MethodPost, "/admin/announcements"}, {http.MethodPost, "/admin/users/invite"},
		{http.MethodGet, "/admin/api-keys"}, {http.MethodPost, "/admin/api-keys"}, {http.MethodDelete, "/admin/api-keys/" + uuid.NewString()},
		{http.MethodGet, "/admin/webhooks"}, {http.MethodPost, "/admin/webhooks"}, {http.MethodPatch, "/admin/webhooks/" + uuid.NewString()}, {http.MethodDelete, "/admin/webhooks/" + uuid.NewString()},
		{http.MethodPost, "/admin/webhooks/" + uuid.NewString() + "/rotate"}, {http.MethodGet, "/admin/webhooks/" + uuid.NewString() + "/deliveries"}, {http.MethodPost, "/admin/webhooks/" + uuid.NewString() + "/deliveries/" + uuid.NewString() + "/redrive"},
	}
	for _, role := range []identity.Role{identity.Citizen, identity.Moderator, identity.Official} {
		p := b.signer.SignInAs(b.db, identitytest.Person{Role: role, SecondFactor: true})
		for _, r := range paths {
			b.WithToken(p.Token).Do(r.method, r.path, fields{}).WantProblem(403, "forbidden")
		}
	}
	weak := b.signer.SignInAs(b.db, identitytest.Person{ID: uuid.New(), Role: identity.Admin})
	for _, r := range paths {
		b.WithToken(weak.Token).Do(r.method, r.path, fields{}).WantProblem(403, "second_factor_required")
		b.Do(r.method, r.path, fields{}).WantProblem(401, "token_missing")
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	p := b.signer.SignInAs(b.db, identitytest.Person{Email: "100%_maria@example.tl"})
	b.signer.SignInAs(b.db, identitytest.Person{Email: "100xxmaria@example.tl"})
	a := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/users?q=100%25_", nil).Want(200)
	if items := a.Object().Items("items"); len(items) != 1 || items[0].Text("email") != "100%_maria@example.tl" {
		t.Errorf("found: %s", a.Body)
	}
	// % and _ and \ are letters like others, not wildcards of ILIKE.
	b.signer.SignInAs(b.db, identitytest.Person{Email: `back\slash@example.tl`})
	for query, want := range map[string]int{"100%25": 1, "0%25_m": 1, "_": 1, "100_": 0, "%25": 1, `k%5Cs`: 1, "maria@": 2} {
		if items := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/users?q="+query, nil).Want(200).Object().Items("items"); len(items) != want {
			t.Errorf("q=%s: %d users are found, want %d: %v", query, len(items), want, items)
		}
	}
	// Case, accents, apostrophes and the Unicode form of a name do not matter.
	if _, err := b.db.Exec(t.Context(), `UPDATE users SET full_name = E'Jose\u0301 d\u2019Ara\u00fajo' WHERE id = $1`, p.ID); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"jose d'araujo", "JOS\u00c9", "Arau\u0301jo", "d`Ara"} {
		if items := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/users?q="+url.QueryEscape(query), nil).Want(200).Object().Items("items"); len(items) != 1 {
			t.Errorf("q=%s: %v", query, items)
		}
	}
	if items := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/users?role=Admin", nil).Want(200).Object().Items("items"); len(items) != 1 {
		t.Errorf("administrators: %v", items)
	}
	b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/users?role=king", nil).WantProblem(422, "invalid_input")
	path := "/admin/users/" + p.ID.String()

	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"role": "government official"}).WantProblem(422, "agency_required")
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"role": "government_official", "agency_id": uuid.NewString()}).WantProblem(422, "agency_not_found")
	agency := b.WithToken(b.admin.Token).Do(http.MethodPost, "/admin/agencies", fields{"code": "op-dili", "name": "Obras", "agency_type": "Municipal", "municipality_codes": []string{"di"}, "issue_types": []string{"Pothole"}}).Want(201)
	a = b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"role": "Government-Official", "agency_id": agency.Object().Text("id"), "reason": "hired"}).Want(200)
	if a.Object().Text("role") != "government_official" || a.Object().Text("agency_id") != agency.Object().Text("id") {
		t.Errorf("changed: %s", a.Body)
	}
	b.WithToken(b.admin.Token).Do(http.MethodDelete, "/admin/agencies/"+agency.Object().Text("id"), nil).WantProblem(409, "agency_in_use")
	b.WithToken(p.Token).Do(http.MethodGet, "/admin/users", nil).WantProblem(403, "forbidden")

	// A suspended person is signed out at once, everywhere.
	a = b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"suspended": true, "reason": "abuse"}).Want(200)
	if a.Object().Values["is_active"] != false || a.Object().Text("suspended_reason") != "abuse" {
		t.Errorf("suspended: %s", a.Body)
	}
	b.WithToken(p.Token).Do(http.MethodGet, "/admin/users", nil).WantProblem(401, "token_invalid")
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"suspended": false}).Want(200)
	b.WithToken(p.Token).Do(http.MethodGet, "/admin/users", nil).WantProblem(401, "token_invalid")
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"role": "citizen"}).Want(200)
	b.WithToken(b.admin.Token).Do(http.MethodDelete, "/admin/agencies/"+agency.Object().Text("id"), nil).Want(200)
	b.WithToken(b.admin.Token).Do(http.MethodPatch, "/admin/users/"+uuid.NewString(), fields{"role": "citizen"}).WantProblem(404, "user_not_found")
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	path := "/admin/users/" + b.admin.ID.String()
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"role": "citizen"}).WantProblem(409, "last_admin")
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"suspended": true}).WantProblem(409, "last_admin")
	other := b.signer.SignIn(b.db, identity.Admin)
	// Each demotes the other at once: one of them stays. Both requests are under way before either can commit, because no
	// entry can be written to the audit log.
	hold, err := b.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hold.Exec(t.Context(), `LOCK TABLE audit_log IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, move := range []struct{ by, whom identitytest.Person }{{b.admin, other}, {other, b.admin}} {
		wg.Go(func() {
			b.WithToken(move.by.Token).Do(http.MethodPatch, "/admin/users/"+move.whom.ID.String(), fields{"role": "citizen"})
		})
	}
	testdb.AwaitLocked(t, b.db, 2)
	if err := hold.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	var left int
	if err := b.db.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE role = 'admin'`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d administrators are left (%v)", left, err)
	}
}

func TestAgencies(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	body := fields{"code": "OP-DILI", "name": "Obras", "name_pt": "Obras Públicas", "agency_type": "national",
		"municipality_codes": []string{"TL-DI", "TL-BA"}, "issue_types": []string{"pothole", "flood"}, "contact_email": "Op@example.tl"}
	a := b.WithToken(b.admin.Token).With("Idempotency-Key", "agency-key-1").Do(http.MethodPost, "/admin/agencies", body).Want(201)
	again := b.WithToken(b.admin.Token).With("Idempotency-Key", "agency-key-1").Do(http.MethodPost, "/admin/agencies", body).Want(201)
	if string(again.Body) != string(a.Body) || again.Header.Get("Idempotent-Replay") != "true" || a.Object().Text("contact_email") != "op@example.tl" {
		t.Errorf("repeated: %s, first: %s", again.Body, a.Body)
	}
	b.WithToken(b.admin.Token).Do(http.MethodPost, "/admin/agencies", body).WantProblem(409, "agency_code_taken")
	path := "/admin/agencies/" + a.Object().Text("id")
	changed := b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"name": "Novo", "contact_email": ""}).Want(200)
	if changed.Object().Text("name") != "Novo" || changed.Object().Values["contact_email"] != nil || changed.Object().Text("name_pt") != "Obras Públicas" {
		t.Errorf("changed: %s", changed.Body)
	}
	for name, value := range (fields{"agency_type": "private", "municipality_codes": []string{"TL-XX"}, "issue_types": []string{"ufo"},
		"contact_email": "nobody", "code": "!", "name": " "}) {
		b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{name: value}).WantProblem(422, "invalid_input")
	}
	b.WithToken(b.admin.Token).Do(http.MethodPost, "/admin/agencies", fields{"code": "X1"}).WantProblem(422, "invalid_input")
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"code": "OP-DILI-2"}).Want(200)
	report := uuid.New()
	for _, sql := range []string{
		`INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude) VALUES ($1, 'LS-2026-000001', 'x', 'pothole', -8.5, 125.5)`,
		`INSERT INTO report_status_history (id, report_id, new_status, actor_kind, agency_id) SELECT $1, $1, 'fixed', 'government_official', id FROM agencies`,
	} {
		if _, err := b.db.Exec(t.Context(), sql, report); err != nil {
			t.Fatal(err)
		}
	}
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"code": "OP-DILI-3"}).WantProblem(409, "agency_code_logged")
	b.WithToken(b.admin.Token).Do(http.MethodPatch, path, fields{"name": "Obras"}).Want(200)
	if items := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/agencies?per_page=5", nil).Want(200).Object().Items("items"); len(items) != 1 {
		t.Errorf("listed: %v", items)
	}
	b.WithToken(b.admin.Token).Do(http.MethodDelete, path, nil).Want(200)
	b.WithToken(b.admin.Token).Do(http.MethodDelete, path, nil).WantProblem(404, "agency_not_found")
}

// A change of an agency is refused for an agency that is not there, and for a code of another one.
func TestChangesOfAgenciesThatAreRefused(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	boss.Do(http.MethodPatch, "/admin/agencies/"+uuid.NewString(), fields{"name": "Novo"}).WantProblem(404, "agency_not_found")
	var id string
	for _, code := range []string{"OP-DILI", "OP-BAUCAU"} {
		id = boss.Do(http.MethodPost, "/admin/agencies", fields{"code": code, "name": "Obras", "agency_type": "national"}).Want(201).Object().Text("id")
	}
	boss.Do(http.MethodPatch, "/admin/agencies/"+id, fields{"code": "OP-DILI"}).WantProblem(409, "agency_code_taken")
}

// A client that does not know the settings of a later version leaves them as they are.
func TestAnEarlierClientKeepsLaterSettings(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	admin := b.WithToken(b.admin.Token)
	later := []string{"ai_daily_pictures", "ai_daily_pictures_person", "citizen_events_per_day", "citizen_events_per_report",
		"ledger_burst", "ledger_interval_seconds"}
	s := admin.Do(http.MethodGet, "/admin/settings", nil).Want(200).Object().Values
	for _, name := range later {
		s[name] = 77
	}
	admin.Do(http.MethodPut, "/admin/settings", s).Want(200)
	for _, name := range later {
		delete(s, name)
	}
	s["uploads_per_hour"] = 61
	answers := []map[string]any{admin.Do(http.MethodPut, "/admin/settings", s).Want(200).Object().Values,
		admin.Do(http.MethodGet, "/admin/settings", nil).Want(200).Object().Values}
	for _, got := range answers {
		for _, name := range later {
			if got[name] != 77.0 {
				t.Errorf("%s is %v, want 77", name, got[name])
			}
		}
		if got["uploads_per_hour"] != 61.0 {
			t.Errorf("uploads_per_hour is %v", got["uploads_per_hour"])
		}
	}
}

func TestSettingsAndAudit(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	start := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	s := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/settings", nil).Want(200).Object().Values
	if s["reject_confidence"] != 0.95 || s["evidence_images_max"] != 1.0 {
		t.Errorf("by default: %v", s)
	}
	s["evidence_images_max"] = 3
	b.WithToken(b.admin.Token).Do(http.MethodPut, "/admin/settings", s).Want(200)
	if got := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/settings", nil).Want(200).Object().Values; got["evidence_images_max"] != 3.0 {
		t.Errorf("after the change: %v", got)
	}
	s["reject_confidence"] = 7
	b.WithToken(b.admin.Token).Do(http.MethodPut, "/admin/settings", s).WantProblem(422, "invalid_input")

	a := b.WithToken(b.admin.Token).Do(http.MethodGet, fmt.Sprintf("/admin/audit?entity=settings&actor=%s&since=%s", b.admin.ID, start), nil).Want(200)
	items := a.Object().Items("items")
	if len(items) != 1 || items[0].At("action") != "settings.change" || items[0].At("actor") != b.admin.ID.String() || items[0].At("request_id") == nil {
		t.Fatalf("log: %s", a.Body)
	}
	before, _ := items[0].At("before").(map[string]any)
	after, _ := items[0].At("after").(map[string]any)
	if before["evidence_images_max"] != 1.0 || after["evidence_images_max"] != 3.0 {
		t.Errorf("log: %s", a.Body)
	}
	if items := b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/audit?actor="+uuid.NewString(), nil).Want(200).Object().Items("items"); len(items) != 0 {
		t.Errorf("of a stranger: %v", items)
	}
	b.WithToken(b.admin.Token).Do(http.MethodGet, "/admin/audit?actor=me", nil).WantProblem(422, "invalid_input")
}

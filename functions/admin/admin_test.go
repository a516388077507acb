package admin_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/infra/local/apitest"
	"github.com/lafaekstreet/backend/infra/local/identitytest"
	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/service"
)

type bundle struct {
	*apitest.API
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
	return &bundle{API: apitest.Serve(t, handler), t: t, db: db, signer: signer}
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
	b.Do(http.MethodPost, "/admin/setup", "", body).Expect(403, "setup_token_invalid")
	body["setup_token"] = setupToken
	var wg sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for range 5 {
		wg.Go(func() {
			a := b.Do(http.MethodPost, "/admin/setup", "", body)
			mu.Lock()
			defer mu.Unlock()
			answers[a.Status]++
			if a.Status == 201 {
				user, _ := a.Body["user"].(map[string]any)
				if user["role"] != "admin" || user["is_verified"] != true || user["email"] != "chefe@example.tl" ||
					!strings.HasPrefix(a.Text("otpauth_uri"), "otpauth://totp/") || a.Text("secret") == "" {
					t.Errorf("made: %s", a.Raw)
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

func TestOnlyAdministratorsWithTheirSecondFactor(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	paths := []struct{ method, path string }{
		{http.MethodGet, "/admin/users"}, {http.MethodPatch, "/admin/users/" + uuid.NewString()}, {http.MethodGet, "/admin/agencies"},
		{http.MethodPost, "/admin/agencies"}, {http.MethodPatch, "/admin/agencies/" + uuid.NewString()},
		{http.MethodDelete, "/admin/agencies/" + uuid.NewString()}, {http.MethodGet, "/admin/audit"},
		{http.MethodGet, "/admin/settings"}, {http.MethodPut, "/admin/settings"},
	}
	for _, role := range []identity.Role{identity.Citizen, identity.Moderator, identity.Official} {
		p := b.signer.SignInAs(b.db, identitytest.Person{Role: role, SecondFactor: true})
		for _, r := range paths {
			b.Do(r.method, r.path, p.Token, fields{}).Expect(403, "forbidden")
		}
	}
	weak := b.signer.SignInAs(b.db, identitytest.Person{ID: uuid.New(), Role: identity.Admin})
	for _, r := range paths {
		b.Do(r.method, r.path, weak.Token, fields{}).Expect(403, "second_factor_required")
		b.Do(r.method, r.path, "", fields{}).Expect(401, "token_missing")
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	p := b.signer.SignInAs(b.db, identitytest.Person{Email: "100%_maria@example.tl"})
	b.signer.SignInAs(b.db, identitytest.Person{Email: "100xxmaria@example.tl"})
	a := b.Do(http.MethodGet, "/admin/users?q=100%25_", b.admin.Token, nil).Expect(200, "")
	if items := a.Items(); len(items) != 1 || items[0]["email"] != "100%_maria@example.tl" {
		t.Errorf("found: %s", a.Raw)
	}
	// % and _ and \ are letters like others, not wildcards of ILIKE.
	b.signer.SignInAs(b.db, identitytest.Person{Email: `back\slash@example.tl`})
	for query, want := range map[string]int{"100%25": 1, "0%25_m": 1, "_": 1, "100_": 0, "%25": 1, `k%5Cs`: 1, "maria@": 2} {
		if items := b.Do(http.MethodGet, "/admin/users?q="+query, b.admin.Token, nil).Expect(200, "").Items(); len(items) != want {
			t.Errorf("q=%s: %d users are found, want %d: %v", query, len(items), want, items)
		}
	}
	if items := b.Do(http.MethodGet, "/admin/users?role=Admin", b.admin.Token, nil).Expect(200, "").Items(); len(items) != 1 {
		t.Errorf("administrators: %v", items)
	}
	b.Do(http.MethodGet, "/admin/users?role=king", b.admin.Token, nil).Expect(422, "invalid_input")
	path := "/admin/users/" + p.ID.String()

	b.Do(http.MethodPatch, path, b.admin.Token, fields{"role": "government official"}).Expect(422, "agency_required")
	b.Do(http.MethodPatch, path, b.admin.Token, fields{"role": "government_official", "agency_id": uuid.NewString()}).Expect(422, "agency_not_found")
	agency := b.Do(http.MethodPost, "/admin/agencies", b.admin.Token,
		fields{"code": "op-dili", "name": "Obras", "agency_type": "Municipal", "municipality_codes": []string{"di"}, "issue_types": []string{"Pothole"}}).Expect(201, "")
	a = b.Do(http.MethodPatch, path, b.admin.Token, fields{"role": "Government-Official", "agency_id": agency.Text("id"), "reason": "hired"}).Expect(200, "")
	if a.Text("role") != "government_official" || a.Text("agency_id") != agency.Text("id") {
		t.Errorf("changed: %s", a.Raw)
	}
	b.Do(http.MethodDelete, "/admin/agencies/"+agency.Text("id"), b.admin.Token, nil).Expect(409, "agency_in_use")
	b.Do(http.MethodGet, "/admin/users", p.Token, nil).Expect(403, "forbidden")

	// Suspension holds at once, and leaves no session behind.
	a = b.Do(http.MethodPatch, path, b.admin.Token, fields{"suspended": true, "reason": "abuse"}).Expect(200, "")
	if a.Body["is_active"] != false || a.Text("suspended_reason") != "abuse" {
		t.Errorf("suspended: %s", a.Raw)
	}
	b.Do(http.MethodGet, "/admin/users", p.Token, nil).Expect(401, "token_invalid")
	b.Do(http.MethodPatch, path, b.admin.Token, fields{"suspended": false}).Expect(200, "")
	b.Do(http.MethodGet, "/admin/users", p.Token, nil).Expect(401, "token_invalid")
	b.Do(http.MethodPatch, path, b.admin.Token, fields{"role": "citizen"}).Expect(200, "")
	b.Do(http.MethodDelete, "/admin/agencies/"+agency.Text("id"), b.admin.Token, nil).Expect(200, "")
	b.Do(http.MethodPatch, "/admin/users/"+uuid.NewString(), b.admin.Token, fields{"role": "citizen"}).Expect(404, "user_not_found")
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	path := "/admin/users/" + b.admin.ID.String()
	b.Do(http.MethodPatch, path, b.admin.Token, fields{"role": "citizen"}).Expect(409, "last_admin")
	b.Do(http.MethodPatch, path, b.admin.Token, fields{"suspended": true}).Expect(409, "last_admin")
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
			b.Do(http.MethodPatch, "/admin/users/"+move.whom.ID.String(), move.by.Token, fields{"role": "citizen"})
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
	a := b.Do(http.MethodPost, "/admin/agencies", b.admin.Token, body, "Idempotency-Key", "agency-key-1").Expect(201, "")
	again := b.Do(http.MethodPost, "/admin/agencies", b.admin.Token, body, "Idempotency-Key", "agency-key-1").Expect(201, "")
	if again.Raw != a.Raw || again.Header.Get("Idempotent-Replay") != "true" || a.Text("contact_email") != "op@example.tl" {
		t.Errorf("repeated: %s, first: %s", again.Raw, a.Raw)
	}
	b.Do(http.MethodPost, "/admin/agencies", b.admin.Token, body).Expect(409, "agency_code_taken")
	path := "/admin/agencies/" + a.Text("id")
	changed := b.Do(http.MethodPatch, path, b.admin.Token, fields{"name": "Novo", "contact_email": ""}).Expect(200, "")
	if changed.Text("name") != "Novo" || changed.Body["contact_email"] != nil || changed.Text("name_pt") != "Obras Públicas" {
		t.Errorf("changed: %s", changed.Raw)
	}
	for name, value := range (fields{"agency_type": "private", "municipality_codes": []string{"TL-XX"}, "issue_types": []string{"ufo"},
		"contact_email": "nobody", "code": "!", "name": " "}) {
		b.Do(http.MethodPatch, path, b.admin.Token, fields{name: value}).Expect(422, "invalid_input")
	}
	b.Do(http.MethodPost, "/admin/agencies", b.admin.Token, fields{"code": "X1"}).Expect(422, "invalid_input")
	if items := b.Do(http.MethodGet, "/admin/agencies?per_page=5", b.admin.Token, nil).Expect(200, "").Items(); len(items) != 1 {
		t.Errorf("listed: %v", items)
	}
	b.Do(http.MethodDelete, path, b.admin.Token, nil).Expect(200, "")
	b.Do(http.MethodDelete, path, b.admin.Token, nil).Expect(404, "agency_not_found")
}

func TestSettingsAndAudit(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	start := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	s := b.Do(http.MethodGet, "/admin/settings", b.admin.Token, nil).Expect(200, "").Body
	if s["reject_confidence"] != 0.95 || s["evidence_images_max"] != 1.0 {
		t.Errorf("by default: %v", s)
	}
	s["evidence_images_max"] = 3
	b.Do(http.MethodPut, "/admin/settings", b.admin.Token, s).Expect(200, "")
	if got := b.Do(http.MethodGet, "/admin/settings", b.admin.Token, nil).Expect(200, "").Body; got["evidence_images_max"] != 3.0 {
		t.Errorf("after the change: %v", got)
	}
	s["reject_confidence"] = 7
	b.Do(http.MethodPut, "/admin/settings", b.admin.Token, s).Expect(422, "invalid_input")

	a := b.Do(http.MethodGet, fmt.Sprintf("/admin/audit?entity=settings&actor=%s&since=%s", b.admin.ID, start), b.admin.Token, nil).Expect(200, "")
	items := a.Items()
	if len(items) != 1 || items[0]["action"] != "settings.change" || items[0]["actor"] != b.admin.ID.String() || items[0]["request_id"] == nil {
		t.Fatalf("log: %s", a.Raw)
	}
	before, _ := items[0]["before"].(map[string]any)
	after, _ := items[0]["after"].(map[string]any)
	if before["evidence_images_max"] != 1.0 || after["evidence_images_max"] != 3.0 {
		t.Errorf("log: %s", a.Raw)
	}
	if items := b.Do(http.MethodGet, "/admin/audit?actor="+uuid.NewString(), b.admin.Token, nil).Expect(200, "").Items(); len(items) != 0 {
		t.Errorf("of a stranger: %v", items)
	}
	b.Do(http.MethodGet, "/admin/audit?actor=me", b.admin.Token, nil).Expect(422, "invalid_input")
}

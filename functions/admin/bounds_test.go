package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testdb"
	"github.com/lafaekstreet/backend/shared/identity"
)

// patch is a request that changes something under a path of the administrators.
func (b *bundle) patch(path string, body fields) func() {
	return func() { b.WithToken(b.admin.Token).Do(http.MethodPatch, path, body) }
}

func (b *bundle) text(sql string, args ...any) string {
	b.t.Helper()
	var s string
	if err := b.db.QueryRow(b.t.Context(), sql, args...).Scan(&s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bundle) agency() string {
	b.t.Helper()
	body := fields{"code": "OP-DILI", "name": "Obras", "agency_type": "national"}
	return b.WithToken(b.admin.Token).Do(http.MethodPost, "/admin/agencies", body).Want(201).Object().Text("id")
}

func TestTwoChangesOfAnAgencyAtOnceBothStay(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	id := b.agency()
	path := "/admin/agencies/" + id
	testdb.AtOnce(t, b.db, `SELECT FROM agencies WHERE id = $1 FOR UPDATE`, []any{id},
		b.patch(path, fields{"name": "Novo"}), b.patch(path, fields{"name_tet": "Foun"}))
	if got := b.text(`SELECT name || ' ' || coalesce(name_tet, '') FROM agencies WHERE id = $1`, id); got != "Novo Foun" {
		t.Errorf("got %q, want both changes", got)
	}
}

func TestASuspensionStaysWhenTheRoleChangesAtOnce(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	p := b.signer.SignIn(b.db, identity.Citizen)
	path := "/admin/users/" + p.ID.String()
	testdb.AtOnce(t, b.db, `SELECT FROM users WHERE id = $1 FOR UPDATE`, []any{p.ID},
		b.patch(path, fields{"suspended": true}), b.patch(path, fields{"role": "moderator"}))
	if got := b.text(`SELECT role || ' ' || (suspended_at IS NOT NULL) FROM users WHERE id = $1`, p.ID); got != "moderator true" {
		t.Errorf("got %q, want both changes", got)
	}
}

func TestNobodyJoinsAnAgencyThatIsBeingRemoved(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	id, p := b.agency(), b.signer.SignIn(b.db, identity.Citizen)
	testdb.AtOnce(t, b.db, `UPDATE agencies SET deleted_at = now() WHERE id = $1`, []any{id},
		b.patch("/admin/users/"+p.ID.String(), fields{"role": "government_official", "agency_id": id}))
	if got := b.text(`SELECT role FROM users WHERE id = $1`, p.ID); got != "citizen" {
		t.Errorf("the person is a %s of an agency that is gone", got)
	}
}

// An agency may have an area, so its body may be larger than others.
func TestABodyOverItsLimitIsRefused(t *testing.T) {
	t.Parallel()
	b := signedIn(t)
	boss := b.WithToken(b.admin.Token)
	boss.Do(http.MethodPut, "/admin/settings", fields{"x": strings.Repeat("x", 64<<10)}).WantProblem(413, "too_large")
	boss.Do(http.MethodPost, "/admin/agencies", fields{"code": strings.Repeat("x", 1<<20)}).WantProblem(413, "too_large")
}

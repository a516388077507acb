package security

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

func contains(body []byte, text string) bool { return bytes.Contains(body, []byte(text)) }

// A client may send fields that only the server sets. They have no effect.
func TestClientsCannotSetFieldsOfTheServer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria, joao := w.Citizen(), w.Citizen()
	forged := draft(object{"id": "018f6f6e-1111-7000-8000-000000000001", "report_number": "LS-2020-000001", "status": "fixed", "user_id": joao.ID, "reporter": object{"id": joao.ID},
		"severity_score": 10, "priority": "critical", "ai_status": "completed", "ai": object{"status": "completed"}, "blockchain_status": "confirmed", "version": 99,
		"created_at": "2001-01-01T00:00:00Z", "verified_at": "2001-01-01T00:00:00Z", "deleted_at": "2001-01-01T00:00:00Z", "assigned_agency_id": joao.ID, "duplicate_of": joao.ID, "comments_count": 7})
	r := maria.Post("/reports", forged).Want(http.StatusCreated).Object()
	const intact = `SELECT count(*) FROM reports WHERE user_id = $1 AND id = $2 AND status = 'pending' AND severity_score IS NULL AND ai_status = 'needs_review'
		AND blockchain_status = 'queued' AND version = 1 AND created_at > now() - interval '1 hour' AND verified_at IS NULL AND deleted_at IS NULL
		AND assigned_agency_id IS NULL AND duplicate_of IS NULL AND comments_count = 0 AND report_number <> 'LS-2020-000001'`
	if w.Int(intact, maria.ID, r.Text("id")) != 1 {
		t.Errorf("the report is %v", r.Values)
	}
	maria.Patch("/reports/"+r.Text("id"), object{"title": "New", "user_id": joao.ID, "report_number": "LS-2020-000001", "version": 99, "ai_status": "completed"}).Want(http.StatusOK)
	for _, staffs := range []object{{"status": "fixed"}, {"severity": "critical"}, {"municipality": "Dili"}} {
		if got := maria.Patch("/reports/"+r.Text("id"), staffs); got.Status != http.StatusForbidden {
			t.Errorf("%v: %d %s", staffs, got.Status, got.Body)
		}
	}
	c := maria.Post("/reports/"+r.Text("id")+"/comments", object{"content": "x", "is_official": true, "author_id": joao.ID, "author": object{"role": "admin"}}).Want(http.StatusCreated).Object()
	if c.At("author.is_official") != false || c.Text("author.id") != maria.ID.String() {
		t.Errorf("comment %v", c.Values)
	}
	maria.Patch("/users/me", object{"full_name": "Maria", "role": "admin", "is_verified": true, "email": "new@example.org", "agency_id": joao.ID, "suspended": true, "reports_count": 99, "id": joao.ID}).Want(http.StatusOK)
	if n := w.Int(`SELECT count(*) FROM users WHERE role <> 'citizen' OR email = 'new@example.org' OR agency_id IS NOT NULL OR reports_count > 1`); n != 0 {
		t.Errorf("%d people changed their role, address or counters", n)
	}
	register := object{"email": "eve@example.org", "password": "ponte-Comoro-77", "full_name": "Eve", "role": "admin", "is_verified": true, "email_verified_at": "2001-01-01T00:00:00Z"}
	w.Anonymous().Post("/auth/register", register).Want(http.StatusCreated)
	if n := w.Int(`SELECT count(*) FROM users WHERE email = 'eve@example.org' AND role = 'citizen'`); n != 1 {
		t.Error("the account did not get the role citizen")
	}
	if got := w.Anonymous().Post("/auth/login", object{"email": "eve@example.org", "password": "ponte-Comoro-77"}); got.Status != http.StatusForbidden {
		t.Errorf("an unverified person signs in: %d", got.Status)
	}
}

// Only staff can use the operations of staff, and only administrators those of administrators.
func TestStaffOperationsNeedTheirRole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r := w.Citizen().Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
	agency := w.Agency("ROADS")
	for _, role := range []identity.Role{identity.Citizen, identity.Moderator, identity.Official} {
		c := w.Staff(role, agency)
		for _, path := range []string{"/admin/users", "/admin/agencies", "/admin/audit", "/admin/settings"} {
			c.Get(path).Want(http.StatusForbidden)
		}
		if got := c.Do(http.MethodPut, "/admin/settings", object{}); got.Status != http.StatusForbidden {
			t.Errorf("%s changes settings: %d", role, got.Status)
		}
	}
	for _, path := range []string{"/reports/" + r + "/notes", "/staff/queue?kind=new"} {
		w.Citizen().Get(path).Want(http.StatusForbidden)
		w.Anonymous().Get(path).Want(http.StatusUnauthorized)
	}
}

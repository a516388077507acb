package security

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// work is an operation of an official on a report, and its status and code where the official may work on it.
type work struct {
	name   string
	status int
	code   string
	// assigns is the agency that an unassigned report has afterwards.
	assigns string
	do      func(c *testenv.Client, id string) (int, string)
}

// TestOfficialsWorkForTheirAgency tries every operation of officials on reports of the own agency, of another one, and on
// unassigned ones inside and outside of the agency's area and kinds.
func TestOfficialsWorkForTheirAgency(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ours, theirs := w.Agency("OURS"), w.Agency("THEIRS")
	w.Exec(`UPDATE agencies SET municipality_codes = '{TL-DI}', issue_types = '{pothole}'`)
	citizen, official := w.Citizen(), w.Staff(identity.Official, ours)
	call := func(method, path string, body any) func(c *testenv.Client, id string) (int, string) {
		return func(c *testenv.Client, id string) (int, string) {
			got := c.Do(method, "/reports/"+id+path, body)
			if got.Status < 300 {
				return got.Status, ""
			}
			return got.Status, got.Code()
		}
	}
	original := citizen.Post("/reports", draft(object{"latitude": -8.5571})).Want(http.StatusCreated).Object().Text("id")
	all := []work{
		{name: "verify", status: 200, assigns: "OURS", do: call("POST", "/status", object{"status": "verified"})},
		{name: "verify by PATCH", status: 200, assigns: "OURS", do: call("PATCH", "", object{"status": "verified"})},
		{name: "reject", status: 403, code: "transition_forbidden", do: call("POST", "/status", object{"status": "rejected", "reason_code": "unsafe"})},
		{name: "reject by PATCH", status: 403, code: "transition_forbidden", do: call("PATCH", "", object{"status": "rejected", "reason_code": "unsafe"})},
		{name: "duplicate", status: 200, assigns: "OURS", do: call("POST", "/status", object{"status": "duplicate", "duplicate_of": original})},
		{name: "severity, street, address", status: 200, do: call("PATCH", "", object{"severity": "low", "street": "Rua", "address": "1"})},
		{name: "title", status: 403, code: "officials_may_not_edit", do: call("PATCH", "", object{"title": ""})},
		{name: "type", status: 403, code: "officials_may_not_edit", do: call("PATCH", "", object{"issue_type": "other"})},
		{name: "municipality", status: 403, code: "officials_may_not_edit", do: call("PATCH", "", object{"municipality": "Oecusse"})},
		{name: "what it has already", status: 200, do: call("PATCH", "", object{"title": "Hole", "issue_type": "pothole"})},
		{name: "override", status: 200, assigns: "OURS", do: call("POST", "/ai-analysis/override", object{"is_relevant": true, "note": "Seen."})},
		{name: "override to irrelevant", status: 403, code: "forbidden", do: call("POST", "/ai-analysis/override", object{"is_relevant": false, "note": "No."})},
		{name: "note", status: 201, do: call("POST", "/notes", object{"content": "Ask."})},
		{name: "assign", status: 200, assigns: "OURS", do: call("POST", "/assign", object{"agency_id": ours})},
		{name: "give away", status: 403, code: "not_your_agency", do: call("POST", "/assign", object{"agency_id": theirs})},
		{name: "assign in bulk", status: 200, assigns: "OURS", do: func(c *testenv.Client, id string) (int, string) {
			got := c.Post("/staff/reports/bulk-assign", object{"items": []object{{"report_id": id, "agency_id": ours}}}).Want(200).Object().Items("results")[0]
			if got.Text("status") == "error" {
				return http.StatusForbidden, got.Text("code")
			}
			return http.StatusOK, ""
		}},
		{name: "delete", status: 403, code: "forbidden", do: call("DELETE", "?reason_code=unsafe", nil)},
		{name: "picture of the repair", status: 201, do: func(c *testenv.Client, id string) (int, string) {
			got := c.Post("/reports/"+id+"/images", object{"upload_id": uploaded(c, w, 1), "kind": "resolution"})
			return got.Status, got.Code()
		}},
		{name: "picture as evidence", status: 201, do: func(c *testenv.Client, id string) (int, string) {
			got := c.Post("/reports/"+id+"/images", object{"upload_id": uploaded(c, w, 1)})
			return got.Status, got.Code()
		}},
		{name: "in bulk", status: 200, assigns: "OURS", do: func(c *testenv.Client, id string) (int, string) {
			got := c.Post("/staff/reports/bulk-status", object{"items": []object{{"report_id": id, "status": "verified"}}}).Want(200).Object().Items("results")[0]
			if got.Text("status") == "error" {
				return http.StatusForbidden, got.Text("code")
			}
			return http.StatusOK, ""
		}},
	}
	for _, where := range []struct {
		name, set string
		may       bool
	}{
		{"own", fmt.Sprintf("assigned_agency_id = '%s', municipality_code = 'TL-BA'", ours), true},
		{"another agency's", fmt.Sprintf("assigned_agency_id = '%s', municipality_code = 'TL-DI'", theirs), false},
		{"nobody's, inside", "municipality_code = 'TL-DI'", true},
		{"nobody's, in another municipality", "municipality_code = 'TL-BA'", false},
		{"nobody's, of another kind", "municipality_code = 'TL-DI', issue_type = 'bridge'", false},
	} {
		for i, o := range all {
			id := citizen.Post("/reports", draft(object{"title": "Hole"})).Want(http.StatusCreated).Object().Text("id")
			w.Exec(`UPDATE reports SET `+where.set+` WHERE id = $1`, id)
			before := w.Text(`SELECT concat(r.*) FROM reports r WHERE id = $1`, id)
			status, code := o.do(official, id)
			wantStatus, wantCode := o.status, o.code
			if !where.may && o.name != "delete" {
				wantStatus, wantCode = http.StatusForbidden, "not_your_agency"
			}
			if status != wantStatus || wantCode != code {
				t.Errorf("%s of %s: %d %s, want %d %s (%d)", o.name, where.name, status, code, wantStatus, wantCode, i)
			}
			if status >= 400 && w.Text(`SELECT concat(r.*) FROM reports r WHERE id = $1`, id) != before {
				t.Errorf("%s of %s was refused and changed the report", o.name, where.name)
			}
			agency := w.Text(`SELECT coalesce((SELECT code FROM agencies WHERE id = assigned_agency_id), '') FROM reports WHERE id = $1`, id)
			if where.name == "nobody's, inside" && agency != o.assigns {
				t.Errorf("%s of %s: assigned to %q, want %q", o.name, where.name, agency, o.assigns)
			}
		}
	}
	for name, change := range map[string]string{"far away": "latitude = latitude + 0.005", "of another type": "issue_type = 'bridge'"} {
		id := citizen.Post("/reports", draft(nil)).Want(http.StatusCreated).Object().Text("id")
		w.Exec(`UPDATE reports SET municipality_code = 'TL-DI', assigned_agency_id = $2 WHERE id = $1`, id, ours)
		w.Exec(`UPDATE reports SET `+change+` WHERE id = $1`, id)
		link := object{"status": "duplicate", "duplicate_of": original}
		official.Post("/reports/"+id+"/status", link).WantProblem(http.StatusForbidden, "duplicate_too_different")
		if got := w.Staff(identity.Moderator).Post("/reports/"+id+"/status", link); got.Status != http.StatusOK {
			t.Errorf("a moderator may not link one %s: %d", name, got.Status)
		}
	}
}

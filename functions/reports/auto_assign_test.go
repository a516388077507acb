package reports_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

// square is an area of about 2 km around a place.
func square(longitude, latitude float64) string {
	return fmt.Sprintf(`ST_Multi(ST_MakeEnvelope(%f, %f, %f, %f, 4326))`, longitude-.01, latitude-.01, longitude+.01, latitude+.01)
}

// The narrowest agency gets a report that is verified: by area, then municipality, then kind, then code. The log says why.
func TestAVerifiedReportIsAssignedByItself(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name     string
		agencies map[string]string // code to what is special about it
		report   string
		want     string // code, rule and candidates
	}{
		{"one for everything", map[string]string{"ALL": ""}, "", `ALL only_one ["ALL"]`},
		{"a municipality", map[string]string{"ALL": "", "DILI": "municipality_codes = '{TL-DI}'", "THREE": "municipality_codes = '{TL-DI,TL-AT,TL-BA}'"}, "", `DILI municipality ["DILI", "THREE", "ALL"]`},
		{"a kind", map[string]string{"ALL": "", "HOLES": "issue_types = '{pothole}'", "ROADS": "issue_types = '{pothole,road_damage}'"}, "", `HOLES issue_types ["HOLES", "ROADS", "ALL"]`},
		{"a municipality before a kind", map[string]string{"HOLES": "issue_types = '{pothole}'", "DILI": "municipality_codes = '{TL-DI}'"}, "", `DILI municipality ["DILI", "HOLES"]`},
		{"an area before a municipality", map[string]string{"DILI": "municipality_codes = '{TL-DI}', issue_types = '{pothole}'", "PORT": "area = " + square(125.5603, -8.5569)}, "", `PORT area ["PORT", "DILI"]`},
		{"the smaller area", map[string]string{"BIG": "area = ST_Multi(ST_MakeEnvelope(125, -9, 126, -8, 4326))", "PORT": "area = " + square(125.5603, -8.5569)}, "", `PORT area ["PORT", "BIG"]`},
		{"outside of the area", map[string]string{"ALL": "", "PORT": "area = " + square(125.7, -8.5)}, "", `ALL only_one ["ALL"]`},
		{"an area that reaches into another municipality", map[string]string{"ALL": "", "PORT": "municipality_codes = '{TL-LI}', area = " + square(125.5603, -8.5569)}, "", `ALL only_one ["ALL"]`},
		{"a tie", map[string]string{"B": "municipality_codes = '{TL-DI}'", "A": "municipality_codes = '{TL-DI}'"}, "", `A code ["A", "B"]`},
		{"nobody", map[string]string{"LIGHTS": "issue_types = '{street_light}'", "BAUCAU": "municipality_codes = '{TL-BA}'", "GONE": "deleted_at = now()"}, "", ""},
		{"a place that is not known yet", map[string]string{"ALL": "", "DILI": "municipality_codes = '{TL-DI}'"}, "municipality_code = NULL, geocoded_at = NULL", ""},
		{"such a place in an area", map[string]string{"ALL": "", "PORT": "municipality_codes = '{TL-DI}', area = " + square(125.5603, -8.5569)}, "municipality_code = NULL, geocoded_at = NULL", `PORT only_one ["PORT"]`},
		{"a place that nobody knows", map[string]string{"ALL": "", "DILI": "municipality_codes = '{TL-DI}'"}, "municipality_code = NULL", `ALL only_one ["ALL"]`},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := whole(t)
			for code, special := range x.agencies {
				id := w.Agency(code)
				if special != "" {
					w.Exec(`UPDATE agencies SET `+special+` WHERE id = $1`, id)
				}
			}
			c := w.Citizen()
			id := created(c, object{"issue_type": "pothole", "latitude": -8.5569, "longitude": 125.5603})
			w.Exec(`UPDATE reports SET municipality_code = 'TL-DI', geocoded_at = now() WHERE id = $1`, id)
			if x.report != "" {
				w.Exec(`UPDATE reports SET `+x.report+` WHERE id = $1`, id)
			}
			r := w.Staff(identity.Moderator).Post("/reports/"+id+"/status", object{"status": "verified"}).Want(http.StatusOK).Object()
			got := w.Text(`SELECT coalesce((SELECT concat((SELECT code FROM agencies WHERE id = (after ->> 'agency_id')::uuid), ' ', after -> 'why' ->> 'rule', ' ', after -> 'why' ->> 'candidates')
				FROM audit_log WHERE action = 'report.assign'), '')`)
			if got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
			if x.want == "" {
				if r.At("assigned_agency") != nil || r.At("due_at") != nil {
					t.Errorf("got %v", r.Values)
				}
				return
			}
			if r.At("assigned_agency") == nil || r.Text("due_at") == "" || assignments(w, id) != 1 || notices(w, "assigned", id) != 1 {
				t.Errorf("%d events, %d notices, %v", assignments(w, id), notices(w, "assigned", id), r.Values)
			}
			last := w.Text(`SELECT string_agg(event_type || ' ' || (convert_from(payload, 'UTF8')::jsonb -> 'changed_by' ->> 'kind'), ', ' ORDER BY seq) FROM ledger_events WHERE report_id = $1 AND seq > 1 AND event_type IN ('STATUS_CHANGED', 'ASSIGNED')`, id)
			if last != "STATUS_CHANGED moderator, ASSIGNED system" {
				t.Errorf("events: %s", last)
			}
			vouched(w, c, id)
		})
	}
}

// Who verifies, and how, makes no difference. With auto_assign off, and where somebody has the report, nothing is assigned.
func TestEveryVerificationAssigns(t *testing.T) {
	t.Parallel()
	w := whole(t)
	agency, other := w.Agency("A"), w.Agency("B")
	w.Exec(`UPDATE agencies SET municipality_codes = '{TL-BA}' WHERE id = $1`, other)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	fresh := func() string {
		id := created(c, nil)
		w.Exec(`UPDATE reports SET municipality_code = 'TL-DI', geocoded_at = now() WHERE id = $1`, id)
		return id
	}
	code := func(id string) string {
		return w.Text(`SELECT coalesce((SELECT code FROM agencies WHERE id = assigned_agency_id), 'none') FROM reports WHERE id = $1`, id)
	}
	patched := fresh()
	mod.Patch("/reports/"+patched, object{"status": "verified"}).Want(http.StatusOK)
	theirs := fresh()
	w.Staff(identity.Official, agency).Post("/reports/"+theirs+"/status", object{"status": "verified"}).Want(http.StatusOK)
	already := fresh()
	mod.Post("/reports/"+already+"/assign", object{"agency_id": other, "due_at": "2033-01-01T00:00:00Z"}).Want(http.StatusOK)
	mod.Post("/reports/"+already+"/status", object{"status": "verified"}).Want(http.StatusOK)
	for id, want := range map[string]string{patched: "A", theirs: "A", already: "B"} {
		if code(id) != want {
			t.Errorf("assigned to %s, want %s", code(id), want)
		}
		if w.Text(`SELECT (due_at IS NOT NULL)::text FROM reports WHERE id = $1`, id) != "true" {
			t.Errorf("%s has no deadline", want)
		}
	}
	if n := assignments(w, theirs); n != 1 {
		t.Errorf("%d assignments of what an official took", n)
	}
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"auto_assign": false}')`)
	off := fresh()
	mod.Post("/reports/"+off+"/status", object{"status": "verified"}).Want(http.StatusOK)
	if code(off) != "none" {
		t.Errorf("with auto_assign off: %s", code(off))
	}
}

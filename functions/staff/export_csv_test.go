package staff_test

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// exported reads a part: its rows by the names of the columns, and the cursor of the next one.
func (d *desk) exported(who *testenv.Client, query string) ([]map[string]string, string) {
	d.Helper()
	got := who.Get("/staff/export.csv?" + query).Want(http.StatusOK)
	body, marked := strings.CutPrefix(string(got.Body), "\ufeff")
	if !marked || got.Header.Get("Content-Type") != "text/csv; charset=utf-8" || got.Header.Get("Cache-Control") != "no-store" {
		d.Errorf("the export begins with %.20q, headers %v", got.Body, got.Header)
	}
	lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		d.Fatal(err)
	}
	var out []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		out = append(out, row)
	}
	return out, got.Header.Get("Next-Cursor")
}

func TestExportOfAQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Exec(`UPDATE users SET full_name = '=Maria', phone_number = '77312345' WHERE id = $1`, d.citizen.ID)
	d.Exec(`UPDATE users SET full_name = 'Ana Soares' WHERE id = $1`, d.official.ID)
	ours := d.report("ai_status = 'completed', status = 'verified', assigned_agency_id = '%s', assigned_user_id = '%s', due_at = '2026-12-24T14:59:59Z', title = '+670 \"x\"', "+
		"description = E'two\\nlines', flags_count = 2, confirmations_count = 3, municipality_code = 'TL-DI', created_at = now() + interval '1 minute'", d.dili, d.official.ID)
	near := d.report("ai_status = 'completed', municipality_code = 'TL-DI', is_anonymous = true, words_hidden = 'moderator'")
	theirs := d.report("ai_status = 'completed', status = 'rejected', assigned_agency_id = '%s'", d.other)
	d.report("deleted_at = now()")
	ids := func(rows []map[string]string) string {
		var out []string
		for _, row := range rows {
			out = append(out, row["id"])
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	sorted := func(ids ...string) string { slices.Sort(ids); return strings.Join(ids, " ") }
	for _, c := range []struct {
		who   *testenv.Client
		query string
		want  string
	}{
		{d.moderator, "", sorted(ours, near, theirs)}, {d.official, "", sorted(ours, near)}, {d.official, "kind=assigned", ours}, {d.moderator, "kind=new", near},
		{d.moderator, "agency=OTHER&status=rejected", theirs}, {d.official, "assigned_to=me", ours}, {d.Staff(identity.Official), "", ""},
	} {
		rows, next := d.exported(c.who, c.query)
		if got := ids(rows); got != c.want || next != "" {
			t.Errorf("%s %s: %s, next %q, want %s", c.who.Role, c.query, got, next, c.want)
		}
	}
	rows, _ := d.exported(d.official, "")
	for column, want := range map[string]string{"title": `'+670 "x"`, "description": "two\nlines", "agency": "DILI", "assigned_to": "Ana Soares", "due_at": "2026-12-24T14:59:59.000Z",
		"reporter": "'=Maria", "flags_count": "2", "confirmations_count": "3", "status": "verified", "ai_confidence": "", "content_hidden": "false"} {
		if got := rows[0][column]; got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if rows[1]["reporter"] != "" || rows[1]["content_hidden"] != "true" {
		t.Errorf("an anonymous report with hidden words: %v", rows[1])
	}
	if body := string(d.moderator.Get("/staff/export.csv").Body); strings.Contains(body, "77312345") || strings.Contains(body, "example.tl") {
		t.Errorf("the export has contact data: %s", body)
	}
	got := d.Text(`SELECT actor_id || ' ' || entity_id || ' ' || (after ->> 'reports') FROM audit_log WHERE action = 'report.export' AND entity_id = 'new'`)
	if got != d.moderator.ID.String()+" new 1" {
		t.Errorf("the audit log has %q", got)
	}
	d.citizen.Get("/staff/export.csv").Want(http.StatusForbidden)
	d.Anonymous().Get("/staff/export.csv").Want(http.StatusUnauthorized)
	for _, query := range []string{"kind=old", "agency=NOBODY", "cursor=x", "format=xlsx"} {
		d.moderator.Get("/staff/export.csv?" + query).Want(http.StatusUnprocessableEntity)
	}
	for _, name := range []string{"page", "page_size", "limit"} { // a part has no page
		if got := d.moderator.Get("/staff/export.csv?" + name + "=1").Want(http.StatusUnprocessableEntity).Code(); got != "unknown_parameter" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := d.Int(`SELECT count(*) FROM audit_log WHERE action = 'report.export'`); n != 9 {
		t.Errorf("%d exports are in the audit log, want 9: a refused one is none", n)
	}
}

// An export in parts has each report once, in every order: parts end at 5,000 reports and at 4 MB.
func TestExportInParts(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const reports = 5_020
	d.Exec(`INSERT INTO reports (id, report_number, user_id, content_hash, issue_type, latitude, longitude, severity, priority, due_at, created_at)
		SELECT gen_random_uuid(), 'N' || n, $1, '', 'pothole', -8.5, 125.5,
		       (ARRAY['low', 'high'])[1 + n % 2], (ARRAY['low', 'critical', 'medium'])[1 + n % 3], CASE WHEN n % 4 > 0 THEN now() + n % 7 * interval '1 day' END,
		       '2026-11-01'::timestamptz + n % 1000 * interval '1 minute'
		  FROM generate_series(1, $2::int) n`, d.citizen.ID, reports)
	for _, sort := range []string{"updated_at&order=asc", "severity", "due_at"} {
		seen, parts := map[string]bool{}, 0
		for next := ""; parts == 0 || next != ""; parts++ {
			rows, following := d.exported(d.moderator, "sort="+sort+"&cursor="+next)
			if len(rows) > 5_000 {
				t.Errorf("%s: a part has %d reports", sort, len(rows))
			}
			for _, row := range rows {
				if seen[row["id"]] {
					t.Fatalf("%s: a report is in two parts", sort)
				}
				seen[row["id"]] = true
			}
			next = following
		}
		if len(seen) != reports || parts != 2 {
			t.Errorf("%s: %d reports in %d parts, want %d in 2", sort, len(seen), parts, reports)
		}
	}
	// 4 MB are about 1,000 reports of 4 kB.
	d.Exec(`UPDATE reports SET description = repeat('ç', 2000) WHERE id IN (SELECT id FROM reports ORDER BY created_at DESC, id DESC LIMIT 1100)`)
	first, next := d.exported(d.moderator, "")
	if n := len(first); n < 900 || n > 1_050 || next == "" {
		t.Errorf("a part of large reports has %d, next %q", n, next)
	}
}

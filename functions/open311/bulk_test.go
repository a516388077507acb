package open311_test

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/apiclient"
)

// rows reads a file: the rows after that of the names.
func rows(t *testing.T, r apiclient.TestResponse) [][]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(string(r.Body))).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%v: %.300s", err, r.Body)
	}
	const names = "service_request_id requested_datetime updated_datetime closed_date status_description status_notes source service_name service_subtype description agency_responsible address lat long"
	if got := strings.Join(all[0], " "); got != names {
		t.Errorf("columns %s", got)
	}
	return all[1:]
}

func TestBulk(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, nobody := w.Citizen(), w.Anonymous()
	formula, first := file(w, c, object{"title": `=HYPERLINK("http://x")`, "description": "", "suco": "+Comoro", "latitude": -8.5, "longitude": 125.5})
	closed, second := file(w, c, object{"title": "Light", "issue_type": "street_light"})
	_, pending := file(w, c, object{"title": "Words before a verdict", "issue_type": "bridge"})
	w.Verify(formula)
	w.Verify(closed)
	w.Exec(`UPDATE reports SET status = 'fixed', resolved_at = '2026-11-20T01:02:03Z' WHERE id = $1`, closed)
	got := nobody.Get(path("requests.csv")).Want(http.StatusOK)
	if got.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(string(got.Body), "\r\n") || got.Header.Get("X-Truncated") != "" {
		t.Errorf("%v", got.Header)
	}
	all := rows(t, got)
	if len(all) != 3 {
		t.Fatalf("%v", all)
	}
	find := func(number string) []string {
		for _, row := range all {
			if row[0] == number {
				return row
			}
		}
		t.Fatalf("no row of %s", number)
		return nil
	}
	if row := find(first); row[3] != "" || row[4] != "open" || row[5] != "Verified" || row[6] != "app" || row[7] != "Pothole" || row[9] != `'=HYPERLINK("http://x")` || row[11] != "'+Comoro" || row[12] != "-8.5" || row[13] != "125.5" {
		t.Errorf("%q", row)
	}
	if row := find(second); row[2] != "2026-11-20T01:02:03Z" || row[3] != row[2] || row[4] != "closed" || row[5] != "Fixed" {
		t.Errorf("%q", row)
	}
	if row := find(pending); row[9] != "" || row[12] != "-8.557" {
		t.Errorf("%q", row)
	}
	for query, want := range map[string][]string{"status=closed": {second}, "service_code=pothole": {first}, "service_request_id=" + pending + "," + second: {pending, second},
		"page_size=1&page=3": {first}, "page=200000": {}, "q=light": {second}, "start_date=2020-01-01": {}} {
		found := []string{}
		for _, row := range rows(t, nobody.Get(path("requests.csv?"+query)).Want(http.StatusOK)) {
			found = append(found, row[0])
		}
		if !slices.Equal(found, want) {
			t.Errorf("%q: %v, want %v", query, found, want)
		}
	}
	if got := nobody.Get(path("requests.csv?page_size=1")).Header.Get("X-Truncated"); got != "true" {
		t.Errorf("one of three is truncated: %q", got)
	}
	checkErrors(t, nobody.Get(path("requests.csv?status=broken")), http.StatusBadRequest, "status: ")
}

// A file has at most as many reports and bytes as its bounds. It is read 1,000 reports at a time.
func TestBulkIsBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Serve(reports.Open, open311.OpenBounded(1_000_000, 1_000_000, 2_000, 100_000))
	id, _ := file(w, w.Citizen(), nil)
	w.Verify(id)
	clone(w, id, 2_100)
	nobody := w.Anonymous()
	got := nobody.Get(path("requests.csv")).Want(http.StatusOK)
	seen := map[string]bool{}
	all := rows(t, got)
	for _, row := range all {
		seen[row[0]] = true
	}
	if len(all) != 2_000 || len(seen) != 2_000 || got.Header.Get("X-Truncated") != "true" {
		t.Errorf("%d rows, %d reports, truncated %q", len(all), len(seen), got.Header.Get("X-Truncated"))
	}
	w.Serve(reports.Open, open311.OpenBounded(20_000, 1_000_000, 2_000, 100_000))
	got = nobody.With("Accept-Encoding", "identity").Get(path("requests.csv?page_size=500")).Want(http.StatusOK)
	if n := len(rows(t, got)); n < 50 || n >= 500 || len(got.Body) > 20_000 || got.Header.Get("X-Truncated") != "true" {
		t.Errorf("%d rows in %d bytes, truncated %q", n, len(got.Body), got.Header.Get("X-Truncated"))
	}
}

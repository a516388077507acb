package public_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Beyond the zoom of clusters a tile has its newest 1,000 reports, wherever in time most of them are.
func TestATileHasItsNewestReports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i, ages := range [][]int{{1500, 0, 0, 10}, {400, 900, 0, 50}, {100, 200, 1000, 600}, {10, 20, 30, 1300}, {5, 5, 5, 5}} {
		latitude, longitude := -8.55-float64(i)*0.02, 125.57
		longest := []string{"20 hours", "7 days", "60 days", "700 days"}
		for j, n := range ages {
			w.Exec(`INSERT INTO reports (id, report_number, content_hash, issue_type, status, latitude, longitude, created_at, updated_at)
				SELECT gen_random_uuid(), $1 || n, '', 'pothole', CASE WHEN n % 3 = 0 THEN 'pending' ELSE 'verified' END, $2 + random() * 0.0002, $3 + random() * 0.0002,
				       now() - random() * $4::interval, now() FROM generate_series(1, $5::int) n`,
				fmt.Sprintf("T-%d-%d-", i, j), latitude, longitude, longest[j], n)
		}
		want := strings.Fields(w.Text(`SELECT coalesce(string_agg(report_number, ' '), '') FROM (
			SELECT report_number FROM reports WHERE report_number LIKE $1 ORDER BY created_at DESC, id DESC LIMIT 1000) r`, fmt.Sprintf("T-%d-%%", i)))
		var got []string
		for _, f := range tile(t, w, 16, latitude, longitude)["reports"].Features {
			got = append(got, fmt.Sprint(f.Properties["report_number"]))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("ages %v: the tile has %d reports that are not its newest %d", ages, len(got), len(want))
		}
	}
}

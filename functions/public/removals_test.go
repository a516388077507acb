package public_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/shared/identity"
)

// The list of what was taken down has every tombstone, newest first, and nothing of the words.
func TestRemovalsAreListed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod, admin, nobody := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Admin), w.Anonymous()
	var ids []string
	for range 5 {
		id, _ := file(w, c, object{"title": "Secret title", "municipality": "Secret town"})
		ids = append(ids, id)
	}
	mod.Post("/reports/"+ids[0]+"/status", object{"status": "rejected", "reason_code": "other", "note": "Secret note"}).Want(http.StatusOK)
	c.Delete("/reports/" + ids[1]).Want(http.StatusOK)
	admin.Delete("/reports/" + ids[2] + "?reason_code=unsafe").Want(http.StatusOK)
	w.Exec(`UPDATE reports SET status = 'rejected', updated_at = now() WHERE id = $1`, uuid.MustParse(ids[3])) // by a function of an earlier version
	got := nobody.Get("/public/removals").Want(http.StatusOK)
	var lines []string
	for _, r := range got.Object().Items("items") {
		lines = append(lines, strings.TrimSpace(r.Text("status")+" "+r.Text("removed_by")))
	}
	if strings.Join(lines, ", ") != "rejected moderator, removed admin, withdrawn reporter, rejected moderator" || got.Object().Number("total") != 4 {
		t.Errorf("%v", lines)
	}
	if strings.Contains(string(got.Body), "Secret") || strings.Contains(string(got.Body), c.ID.String()) {
		t.Errorf("words: %s", got.Body)
	}
	for query, want := range map[string]float64{"status=removed": 1, "status=withdrawn,removed": 2, "municipality=Baucau": 0, "from=2000-01-01T00:00:00Z": 4, "to=2000-01-01T00:00:00Z": 0} {
		if n := nobody.Get("/public/removals?" + query).Want(http.StatusOK).Object().Number("total"); n != want {
			t.Errorf("%s: %v, want %v", query, n, want)
		}
	}
	if page := nobody.Get("/public/removals?page=2&page_size=3").Want(http.StatusOK).Object(); len(page.Items("items")) != 1 || page.At("has_next") != false {
		t.Errorf("the second page: %v", page.Values)
	}
	for _, query := range []string{"status=pending", "municipality=Atlantis", "from=yesterday"} {
		nobody.Get("/public/removals?" + query).Want(http.StatusUnprocessableEntity)
	}
	mod.Post("/reports/"+ids[0]+"/status", object{"status": "pending"}).Want(http.StatusOK)
	if n := nobody.Get("/public/removals").Want(http.StatusOK).Object().Number("total"); n != 3 {
		t.Errorf("after a restore: %v", n)
	}
	for lang, words := range map[string]string{"en": "This report was withdrawn by its reporter.", "pt": "Este relato foi retirado por quem o fez.", "tet": "Ema ne'ebé halo relatóriu ne'e dada fali tiha ona."} {
		page := strings.ReplaceAll(string(nobody.Get("//r/"+ids[1]+"?lang="+lang).Want(http.StatusGone).Body), "&#39;", "'")
		if !strings.Contains(page, words) || strings.Contains(page, "Secret") {
			t.Errorf("the page in %s: %s", lang, page)
		}
	}
}

// The list reads the index of what was taken down, in its order, and not all reports.
func TestRemovalsUseTheirIndex(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Tamper(`ALTER TABLE reports DISABLE TRIGGER USER;
		INSERT INTO reports (id, report_number, content_hash, issue_type, latitude, longitude, status, removed_at, removed_by)
		SELECT gen_random_uuid(), 'LS-2025-' || lpad(n::text, 6, '0'), '', 'pothole', -8.5, 125.5, CASE WHEN n % 20 = 0 THEN 'rejected' ELSE 'verified' END,
		       CASE WHEN n % 20 = 0 THEN now() - n * interval '1 minute' END, CASE WHEN n % 20 = 0 THEN 'ai' END FROM generate_series(1, 30000) n;
		ANALYZE reports`)
	for query, more := range map[string][]any{public.RemovalsSQL: {21, 0}, public.RemovalsCountSQL: {1000}} {
		for _, statuses := range [][]string{nil, {"removed"}} {
			rows, err := w.DB.Query(t.Context(), "EXPLAIN "+query, append([]any{statuses, "", time.Time{}, time.Now()}, more...)...)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			plan := strings.Join(lines, "\n")
			if err != nil || !strings.Contains(plan, "reports_removed_idx") || strings.Contains(plan, "Seq Scan on reports") || strings.Contains(plan, "Sort Key: (COALESCE") {
				t.Errorf("%v: %v\n%s", statuses, err, plan)
			}
		}
	}
}

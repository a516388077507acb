package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lafaekstreet/backend/shared/database"
)

// The page shows what was reported, the repair, and that somebody says it is not done; a picture of a dispute after its verdict.
func TestThePageShowsBeforeAfterAndDispute(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author := w.Citizen()
	id, number := file(w, author, nil)
	w.Exec(`UPDATE reports SET status = 'in_progress' WHERE id = $1`, id)
	pictures := map[string]any{}
	for n, kind := range []string{"resolution", "evidence", "dispute"} {
		upload, image := database.NewID(), database.NewID()
		w.Exec(`INSERT INTO uploads (id, user_id, s3_key, content_type, size_bytes, state, width, height, expires_at) VALUES ($1, $2, $3, 'image/jpeg', 5, 'processed', 40, 30, now() + interval '1 day')`,
			upload, author.ID, fmt.Sprint("k", n))
		w.Exec(`INSERT INTO report_images (id, report_id, upload_id, kind, verdict) VALUES ($1, $2, $3, $4, CASE WHEN $4 = 'evidence' THEN 'relevant' ELSE 'awaited' END)`, image, id, upload, kind)
		pictures[kind] = image
	}
	w.Exec(`INSERT INTO report_status_history (id, report_id, old_status, new_status, actor_kind) VALUES (gen_random_uuid(), $1, 'fixed', 'in_progress', 'citizen')`, id)
	page := func(lang string) string {
		t.Helper()
		return string(w.Anonymous().Get("//r/" + number + "?lang=" + lang).Want(http.StatusOK).Body)
	}
	body := page("en")
	before, after := strings.Index(body, `data-kind="evidence"`), strings.Index(body, `data-kind="resolution"`)
	if before < 0 || after < before || strings.Contains(body, `data-kind="dispute"`) || !strings.Contains(body, "says that it is not fixed") {
		t.Errorf("before at %d, after at %d: %s", before, after, body)
	}
	w.Exec(`UPDATE report_images SET verdict = 'relevant' WHERE id = $1`, pictures["dispute"])
	for lang, says := range map[string]string{"en": "After the repair", "pt": "Depois da reparação", "tet": "seidauk hadi"} {
		if body := page(lang); !strings.Contains(body, `data-kind="dispute"`) || !strings.Contains(body, says) {
			t.Errorf("%s: no dispute, or not %q", lang, says)
		}
	}
}

package reports_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/infra/local/testenv"
	"github.com/lafaekstreet/backend/shared/identity"
)

// Whatever a reader sees of a report changes its ETag, also what is no change of the report's own and leaves its version.
func TestWhatIsSeenChangesTheETag(t *testing.T) {
	t.Parallel()
	w := testenv.New(t, reports.Open, community.Open)
	author, reader := w.Citizen(), w.Staff(identity.Moderator)
	picture := uploaded(author, w, 1)
	id := author.Post("/reports", newBody(object{"images": []object{{"upload_id": picture}}})).Want(http.StatusCreated).Object().Text("id")
	agency, other := w.Agency("A1"), author.Post("/reports", newBody(object{"client_id": uuid.NewString()})).Want(http.StatusCreated).Object().Text("id")
	path := "/reports/" + id
	tag := reader.Get(path).Want(http.StatusOK).Header.Get("ETag")
	for _, change := range []struct {
		what string
		make func()
	}{
		{"the ledger has it", func() { w.Exec(`UPDATE reports SET blockchain_status = 'submitted' WHERE id = $1`, id) }},
		{"its picture is there", func() { w.ProcessUpload(picture) }},
		{"somebody comments", func() { reader.Post(path+"/comments", object{"content": "Still there."}).Want(http.StatusCreated) }},
		{"AI is done", func() { w.Exec(`UPDATE reports SET ai_status = 'completed', severity_score = 7 WHERE id = $1`, id) }},
		{"its author has another name", func() { w.Exec(`UPDATE users SET full_name = 'Domingos' WHERE id = $1`, author.ID) }},
		{"its agency is known", func() { w.Exec(`UPDATE reports SET assigned_agency_id = $2 WHERE id = $1`, id, agency) }},
		{"its agency has another name", func() { w.Exec(`UPDATE agencies SET name = 'Obras' WHERE id = $1`, agency) }},
		{"it may be a duplicate", func() {
			w.Exec(`INSERT INTO duplicate_candidates (report_id, candidate_id, distance_meters) VALUES ($1, $2, 12)`, id, other)
		}},
		{"its place is named", func() { w.Exec(`UPDATE reports SET suco = 'Comoro' WHERE id = $1`, id) }},
		{"its title is another", func() { author.Patch(path, object{"title": "A hole"}).Want(http.StatusOK) }},
	} {
		if got := reader.With("If-None-Match", tag).Get(path); got.Status != http.StatusNotModified {
			t.Errorf("before %s: %d for an unchanged report", change.what, got.Status)
		}
		change.make()
		got := reader.With("If-None-Match", tag).Get(path)
		if got.Status != http.StatusOK || got.Header.Get("ETag") == tag {
			t.Errorf("after %s: %d, ETag %s", change.what, got.Status, got.Header.Get("ETag"))
		}
		if list := reader.Get("/reports"); list.Status != http.StatusOK || list.Header.Get("ETag") == "" {
			t.Errorf("list: %d", list.Status)
		}
		tag = got.Header.Get("ETag")
	}
}

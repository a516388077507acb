package reports_test

import (
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/shared/identity"
)

// Pictures that nobody judged bring a message for the worker: one of staff on a verified report, and those that are left
// when another one is removed.
func TestChangedPicturesAskForAVerdict(t *testing.T) {
	t.Parallel()
	w := setup(t)
	author, mod, admin := w.Citizen(), w.Staff(identity.Moderator), w.Staff(identity.Admin)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"evidence_images_max": 3}')`)
	id := created(author, object{"images": []object{{"upload_id": uploaded(author, w, 1)}}})
	second := author.Post("/reports/"+id+"/images", object{"upload_id": uploaded(author, w, 2)}).Want(http.StatusCreated).Object().Text("id")
	messages := func() int { return w.Int(`SELECT count(*) FROM outbox WHERE queue = 'validate'`) }
	before := messages()
	author.Delete("/reports/" + id + "/images/" + second).Want(http.StatusOK)
	if got := messages(); got != before+1 {
		t.Errorf("after a picture was removed: %d messages, %d before", got, before)
	}
	w.Verify(id)
	picture := uploaded(mod, w, 3)
	w.ProcessUpload(picture)
	before = messages()
	image := mod.Post("/reports/"+id+"/images", object{"upload_id": picture}).Want(http.StatusCreated).Object()
	if got := messages(); got != before+1 || image.At("is_public") != false {
		t.Errorf("a picture of staff on a verified report: %d messages, %d before; %v", got, before, image.Values)
	}
	// Without the picture that a person should look at, nobody has to.
	w.Exec(`UPDATE report_images SET verdict = 'unsure' WHERE id = $1`, image.Text("id"))
	w.Exec(`UPDATE reports SET ai_status = 'needs_review' WHERE id = $1`, id)
	admin.Delete("/reports/" + id + "/images/" + image.Text("id")).Want(http.StatusOK)
	if got := w.Text(`SELECT ai_status FROM reports WHERE id = $1`, id); got != "completed" {
		t.Errorf("after the unsure picture was removed: %s", got)
	}
}

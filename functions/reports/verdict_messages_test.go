package reports_test

import (
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
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

// A person who verifies a report without naming its version may not have seen its newest picture. That picture waits for a
// verdict of its own.
func TestAPersonsVerdictCountsForPicturesTheySaw(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, mod := w.Citizen(), w.Staff(identity.Moderator)
	for _, k := range []struct {
		name, was string
		send      func(path string) apiclient.TestResponse
		want      string
	}{
		{"no version, not judged", "awaited", func(path string) apiclient.TestResponse {
			return mod.Post(path+"/status", object{"status": "verified"})
		}, "awaited"},
		{"any version, not judged", "awaited", func(path string) apiclient.TestResponse {
			return mod.With("If-Match", "*").Post(path+"/status", object{"status": "verified"})
		}, "awaited"},
		{"no version, unsure", "unsure", func(path string) apiclient.TestResponse {
			return mod.Post(path+"/status", object{"status": "verified"})
		}, "relevant"},
		{"no version, irrelevant", "irrelevant", func(path string) apiclient.TestResponse { return mod.Patch(path, object{"status": "verified"}) }, "relevant"},
		{"with the version", "awaited", func(path string) apiclient.TestResponse {
			return mod.Post(path+"/status", object{"status": "verified", "expected_version": 1})
		}, "relevant"},
		{"with If-Match", "awaited", func(path string) apiclient.TestResponse {
			return mod.With("If-Match", `"v1"`).Patch(path, object{"severity": "high", "status": "verified"})
		}, "relevant"},
		{"without, by PATCH", "awaited", func(path string) apiclient.TestResponse {
			return mod.Patch(path, object{"severity": "high", "status": "verified"})
		}, "awaited"},
	} {
		id := c.Post("/reports", object{"issue_type": "pothole", "title": k.name, "latitude": -8.55, "longitude": 125.57,
			"images": []object{{"upload_id": issued(c)}}}).Want(http.StatusCreated).Object().Text("id")
		w.Exec(`UPDATE uploads SET state = 'processed' FROM report_images i WHERE i.upload_id = uploads.id AND i.report_id = $1`, id)
		w.Exec(`UPDATE report_images SET verdict = $2 WHERE report_id = $1`, id, k.was)
		k.send("/reports/" + id).Want(http.StatusOK)
		if got := w.Text(`SELECT verdict FROM report_images WHERE report_id = $1`, id); got != k.want {
			t.Errorf("%s: the picture is %s, want %s", k.name, got, k.want)
		}
	}
}

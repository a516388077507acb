package reports_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/lafaekstreet/backend/infra/local/testenv"
)

// issued is the id of an upload whose bytes have not come.
func issued(c *testenv.Client) string {
	return c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": 900}).Want(http.StatusCreated).Object().Text("upload_id")
}

// A picture that nobody will ever see takes no place, and the next one replaces it.
func TestALostPictureTakesNoPlace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for name, change := range map[string]string{
		"refused":       `UPDATE uploads SET state = 'refused', refusal = 'not_a_picture' WHERE id = $1`,
		"expired":       `UPDATE uploads SET state = 'stored', expires_at = now() - interval '1 second' WHERE id = $1`,
		"never arrived": `UPDATE uploads SET created_at = now() - interval '61 minutes' WHERE id = $1`,
		"irrelevant": `WITH done AS (UPDATE uploads SET state = 'processed', deletion = NULL WHERE id = $1)
			UPDATE report_images SET verdict = 'irrelevant' WHERE upload_id = $1`,
		"not arrived": `UPDATE uploads SET state = 'issued' WHERE id = $1`,
	} {
		lost := issued(c)
		r := c.Post("/reports", newBody(object{"title": name, "images": []object{{"upload_id": lost}}})).Want(http.StatusCreated).Object()
		w.Exec(change, lost)
		path := "/reports/" + r.Text("id") + "/images"
		got := c.Post(path, object{"upload_id": uploaded(c, w, 7)})
		if got.Status != http.StatusCreated {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
			continue
		}
		shown := c.Get("/reports/" + r.Text("id")).Want(http.StatusOK).Object().Items("images")
		if len(shown) != 1 || shown[0].Text("id") != got.Object().Text("id") {
			t.Errorf("%s: the report has %v, want the newer picture alone", name, shown)
		}
		if got := c.Post(path, object{"upload_id": uploaded(c, w, 8)}).Want(http.StatusConflict).Code(); got != "image_limit" {
			t.Errorf("%s: a third picture: %s", name, got)
		}
		if got := w.Text(`SELECT coalesce(deletion, '') FROM uploads WHERE id = $1`, lost); got != "all" {
			t.Errorf("%s: the files of the picture that went: deletion %q", name, got)
		}
	}
}

// Where places are free, a picture whose bytes may still come stays beside the newer one.
func TestAnAwaitedPictureStaysWhereAPlaceIsFree(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.Exec(`INSERT INTO app_settings (key, value) VALUES ('settings', '{"evidence_images_max": 2}')`)
	c := w.Citizen()
	r := c.Post("/reports", newBody(object{"images": []object{{"upload_id": issued(c)}}})).Want(http.StatusCreated).Object()
	path := "/reports/" + r.Text("id") + "/images"
	c.Post(path, object{"upload_id": uploaded(c, w, 1)}).Want(http.StatusCreated)
	if n := len(c.Get("/reports/" + r.Text("id")).Object().Items("images")); n != 2 {
		t.Errorf("%d pictures, want 2", n)
	}
	c.Post(path, object{"upload_id": uploaded(c, w, 2)}).Want(http.StatusCreated) // replaces the awaited one
	if n := len(c.Get("/reports/" + r.Text("id")).Object().Items("images")); n != 2 {
		t.Errorf("%d pictures, want 2", n)
	}
	c.Post(path, object{"upload_id": uploaded(c, w, 3)}).Want(http.StatusConflict)
}

// The reporter may replace a lost picture also when staff have verified the report meanwhile, and with a retry.
func TestALostPictureOfAVerifiedReport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, other := w.Citizen(), w.Citizen()
	for i, status := range []string{"verified", "in_progress"} {
		body := withID(object{"latitude": -8.5 - float64(i)/100, "images": picturesOf(issued(c))})
		id := c.Post("/reports", body).Want(http.StatusCreated).Object().Text("id")
		w.Exec(`UPDATE uploads SET state = 'refused', refusal = 'not_a_picture' WHERE state = 'issued'`)
		w.Exec(`UPDATE reports SET status = $2, ai_status = 'completed' WHERE id = $1`, id, status)
		if i == 0 {
			c.Post("/reports/"+id+"/images", object{"upload_id": uploaded(c, w, 1)}).Want(http.StatusCreated)
		} else if got := c.Post("/reports", changed(body, object{"images": picturesOf(uploaded(c, w, 1))})).Want(http.StatusOK).Object(); warned(got) != "images[0] updated" {
			t.Errorf("%s: warned of %q", status, warned(got))
		}
		w.Exec(`UPDATE uploads SET state = 'processed'`)
		if got := c.Get("/reports/" + id).Object().Items("images"); len(got) != 1 || got[0].Text("status") != "processed" {
			t.Errorf("%s: its reporter sees %v", status, got)
		}
		if got := other.Get("/reports/" + id).Want(http.StatusOK).Object().Items("images"); len(got) != 0 {
			t.Errorf("%s: others see a picture without a verdict: %v", status, got)
		}
	}
	for _, status := range []string{"fixed", "rejected"} {
		id := c.Post("/reports", withID(object{"latitude": -8.6})).Want(http.StatusCreated).Object().Text("id")
		w.Exec(`UPDATE reports SET status = $2 WHERE id = $1`, id, status)
		if got := c.Post("/reports/"+id+"/images", object{"upload_id": uploaded(c, w, 2)}).Want(http.StatusConflict).Code(); got != "not_editable" {
			t.Errorf("%s: %s", status, got)
		}
	}
}

func sumOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

package reports_test

import (
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/identity"
)

// largePNG is a PNG whose header says that it has 100 million pixels.
func largePNG(png []byte) []byte {
	out := append([]byte(nil), png...)
	header := out[12:29] // the type and the members of the first chunk
	binary.BigEndian.PutUint32(header[4:], 10_000)
	binary.BigEndian.PutUint32(header[8:], 10_000)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(header))
	return out
}

// Every operation that takes a file answers a bad file with the same codes. It stores nothing of that request.
func TestFilesAreRefusedWithTheSameCodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	id := created(c, nil)
	reports := w.Int(`SELECT count(*) FROM reports`)
	jpeg := w.JPEG(1)
	for code, test := range map[string]struct {
		file   []byte
		status int
	}{
		"unsupported_image": {[]byte("\x00\x00\x00\x18ftypheic0000mif1heic"), http.StatusUnsupportedMediaType},
		"image_broken":      {jpeg[:len(jpeg)/2], http.StatusUnprocessableEntity},
		"image_extra_data":  {append(append([]byte(nil), jpeg...), "<script>alert(1)</script>"...), http.StatusUnprocessableEntity},
		"image_too_large":   {largePNG(w.PNG(1)), http.StatusRequestEntityTooLarge},
		"use_direct_upload": {make([]byte, 4_600_000), http.StatusRequestEntityTooLarge},
	} {
		for _, path := range []string{"/reports", "/reports/pre-upload-image", "/reports/" + id + "/images"} {
			fields := map[string]string{"latitude": "-8.55", "longitude": "125.56"}
			if got := c.Form(path, fields, "file", "a.jpg", test.file); got.Status != test.status || got.Code() != code {
				t.Errorf("%s: %d %s, want %s", path, got.Status, got.Body, code)
			}
		}
	}
	if got := c.Post("/reports/"+id+"/images", object{}).Want(http.StatusUnprocessableEntity).Code(); got != "file_missing" {
		t.Errorf("no file and no upload: %s", got)
	}
	if n := w.Int(`SELECT count(*) FROM uploads`); n != 0 || w.Int(`SELECT count(*) FROM reports`) != reports {
		t.Errorf("refused files left %d uploads", n)
	}
}

// An upload that cannot be attached is told by its code, where nothing else is in the request.
func TestUploadsThatCannotBeAttached(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, agency := w.Citizen(), w.Agency("OP")
	official := w.Staff(identity.Official, agency)
	id, fixed := created(c, nil), filed(w, c, "pending")
	official.Post("/reports/"+fixed+"/status", object{"status": "verified"}).Want(http.StatusOK)
	official.Post("/reports/"+fixed+"/status", object{"status": "in_progress"}).Want(http.StatusOK)
	official.Post("/reports/"+fixed+"/status", object{"status": "fixed", "note": "Filled"}).Want(http.StatusOK)
	used, refused := uploaded(c, w, 1), uploaded(c, w, 2)
	created(c, object{"images": []object{{"upload_id": used}}, "latitude": -8.6})
	w.Exec(`UPDATE uploads SET state = 'refused' WHERE id = $1`, refused)
	for code, test := range map[string]struct {
		upload string
		status int
	}{
		"upload_in_use":  {used, http.StatusConflict},
		"upload_refused": {refused, http.StatusUnprocessableEntity},
		"upload_unknown": {uuid.NewString(), http.StatusUnprocessableEntity},
	} {
		for _, path := range []string{"/reports/" + id + "/images", "/reports/" + fixed + "/dispute"} {
			if got := c.Post(path, object{"upload_id": test.upload}); got.Status != test.status || got.Code() != code {
				t.Errorf("%s: %d %s, want %s", path, got.Status, got.Body, code)
			}
		}
		made := c.Post("/reports", newBody(object{"images": []object{{"upload_id": test.upload}}, "title": code})).Want(http.StatusCreated).Object()
		if told := made.Items("warnings"); len(told) != 1 || told[0].Text("code") != code {
			t.Errorf("a report with the upload is created with the warnings %v, want %s", told, code)
		}
	}
}

// A picture that is not there cannot be removed, shown or made black. One of a report with a verdict is no more its reporter's to remove.
func TestPicturesThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c, moderator := w.Citizen(), w.Staff(identity.Moderator)
	r := c.Post("/reports", newBody(object{"images": []object{{"upload_id": uploaded(c, w, 1)}}})).Want(http.StatusCreated).Object()
	path := "/reports/" + r.Text("id") + "/images/"
	box := object{"boxes": []object{{"x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}}, "reason_code": "personal_data"}
	c.Delete(path+uuid.NewString()).WantProblem(http.StatusNotFound, "image_not_found")
	moderator.Post(path+uuid.NewString()+"/unhide", object{}).WantProblem(http.StatusNotFound, "image_not_found")
	moderator.Post(path+uuid.NewString()+"/redact", box).WantProblem(http.StatusNotFound, "image_not_found")
	image := r.Items("images")[0].Text("id")
	moderator.Post(path+image+"/redact", box).WantProblem(http.StatusConflict, "image_not_ready")
	w.Exec(`UPDATE reports SET status = 'verified' WHERE id = $1`, r.Text("id"))
	c.Delete(path+image).WantProblem(http.StatusConflict, "not_editable")
}

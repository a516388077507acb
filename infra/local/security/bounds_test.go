package security

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
)

// No request can make the answer, or the work for it, larger than its limit.
func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria := w.Citizen()
	for _, path := range []string{"/reports?page_size=101", "/reports?page_size=1000000", "/reports?page=1000000000", "/reports?limit=101", "/reports?per_page=-1", "/reports/my-reports?page_size=101",
		"/reports/nearby?latitude=0&longitude=0&limit=201", "/reports/nearby?latitude=0&longitude=0&radius=51", "/notifications?page_size=101", "//public/reports?page_size=101",
		"/reports?cursor=" + strings.Repeat("a", 400), "/reports?q=" + strings.Repeat("a", 101)} {
		if strings.HasPrefix(path, "//") {
			path = "//api/v1" + path[1:]
		}
		if got := maria.Get(path); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %.100s", path, got.Status, got.Body)
		}
	}
	many := make([]any, 51)
	for i := range many {
		many[i] = draft(nil)
	}
	maria.Post("/reports/batch", object{"reports": many}).Want(http.StatusUnprocessableEntity)
	if got := maria.Post("/reports", draft(object{"description": strings.Repeat("a", 2<<20)})).Want(http.StatusCreated).Object(); len(got.Text("description")) != 2000 {
		t.Errorf("a description of 2 MB: %d characters are kept", len(got.Text("description")))
	}
	if got := maria.Patch("/users/me", object{"full_name": strings.Repeat("a", 2<<20)}); got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a name of 2 MB: %d", got.Status)
	}
	if got := maria.Do(http.MethodPatch, "/users/me", []byte(strings.Repeat(`{"a":`, 100_000))); got.Status != http.StatusUnprocessableEntity && got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("100,000 nested objects: %d", got.Status)
	}
}

// A compressed body is not decompressed, and a picture that claims a huge size is not decoded.
func TestCompressedBodiesAreNotDecompressed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria := w.Citizen()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(bytes.Repeat([]byte(" "), 50<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	got := maria.With("Content-Encoding", "gzip").Do(http.MethodPost, "/reports", packed.Bytes())
	if got.Status != http.StatusUnprocessableEntity && got.Status != http.StatusUnsupportedMediaType {
		t.Errorf("a compressed body: %d %.200s", got.Status, got.Body)
	}
	bomb := w.PNG(1)
	copy(bomb[16:24], []byte{0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff}) // 32767 × 32767 pixels
	if got := maria.Form("/reports/pre-upload-image", nil, "file", "a.png", bomb); got.Status != http.StatusRequestEntityTooLarge && got.Status != http.StatusUnprocessableEntity {
		t.Errorf("a picture of a billion pixels: %d %.200s", got.Status, got.Body)
	}
	if n := w.Int(`SELECT count(*) FROM uploads`) + w.Int(`SELECT count(*) FROM reports`); n != 0 {
		t.Errorf("%d of them were accepted", n)
	}
}

// The system never calls an address that a client sends.
func TestAddressesInRequestsAreNotCalled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var calls atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(trap.Close)
	maria := w.Citizen()
	for _, address := range []string{trap.URL + "/originals/" + uuid.NewString(), trap.URL, "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"} {
		for _, body := range []object{{"image_url": address}, {"s3_keys": []string{address}}, {"images": []object{{"s3_key": address}}}} {
			if got := maria.Post("/reports", draft(body)).Want(http.StatusCreated).Object(); len(got.Items("images")) != 0 || got.Items("warnings")[0].Text("code") != "upload_unknown" {
				t.Errorf("%v: %v", body, got.Values)
			}
		}
		maria.Patch("/users/me", object{"avatar_url": address, "full_name": address})
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls to addresses of the client", n)
	}
}

// A file name or key with ".." or another folder gives no access to other files.
func TestPathsDoNotLeaveTheirFolder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	maria := w.Citizen()
	up := maria.Form("/reports/pre-upload-image", nil, "file", "../../../etc/cron.d/x.jpg", w.JPEG(1)).Want(http.StatusCreated).Object()
	if key := up.Text("s3_key"); key != "originals/"+up.Text("upload_id") {
		t.Errorf("kept at %s", key)
	}
	r := maria.Post("/reports", draft(object{"images": []object{{"upload_id": up.Text("upload_id")}}})).Want(http.StatusCreated).Object()
	image := "/reports/" + r.Text("id") + "/images/" + r.Items("images")[0].Text("id") + "/"
	for _, path := range []string{image + "original", image + "..%2f..%2foriginals%2f" + up.Text("upload_id"), image + "display.jpg%00.png",
		"//assets/..%2f..%2fgo.mod", "//assets/%2e%2e/public.go"} {
		if got := maria.Get(path); got.Status < 400 || got.Status >= 500 {
			t.Errorf("%s: %d %.80s", path, got.Status, got.Body)
		}
	}
	for _, key := range []string{"originals/../originals/" + up.Text("upload_id"), "/etc/passwd", "originals/"} {
		if got := maria.Post("/reports", draft(object{"s3_keys": []string{key}})).Want(http.StatusCreated).Object(); len(got.Items("images")) != 0 {
			t.Errorf("%s: %v", key, got.At("images"))
		}
	}
	for _, ref := range []string{"%2e%2e", "..%2fpublic", fmt.Sprintf("%s%%0d%%0aSet-Cookie:%%20a=b", r.Text("id"))} {
		if got := maria.Get("/reports/" + ref); got.Status < 400 || got.Status >= 500 || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d", ref, got.Status)
		}
	}
}

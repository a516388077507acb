package reports_test

import (
	"net/http"
	"os"
	"testing"
)

func TestDirectUpload(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	picture := w.JPEG(5)
	up := c.Post("/reports/pre-upload-image", object{"content_type": "image/jpeg", "size_bytes": len(picture)}).Want(http.StatusCreated).Object()
	if up.Text("upload.method") != http.MethodPut || up.Text("s3_key") != "originals/"+up.Text("upload_id") {
		t.Fatalf("got %v", up.Values)
	}
	if got := put(t, up, append(picture, 0)); got != http.StatusForbidden {
		t.Errorf("a byte more: %d", got)
	}
	if got := put(t, up, picture); got != http.StatusOK {
		t.Errorf("the picture: %d", got)
	}
	for code, body := range map[string]object{
		"unsupported_image": {"content_type": "image/heic", "size_bytes": 5},
		"image_too_large":   {"content_type": "image/jpeg", "size_bytes": 10_000_001},
		"file_missing":      {},
		"invalid_input":     {"content_type": "image/jpeg"},
	} {
		if got := c.Post("/reports/pre-upload-image", body).Code(); got != code {
			t.Errorf("%v: %s, want %s", body, got, code)
		}
	}
}

func TestUploadThroughTheAPI(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	for _, part := range []string{"file", "image", "images"} {
		up := c.Form("/reports/pre-upload-image", nil, part, "photo.bin", w.PNG(1)).Want(http.StatusCreated).Object()
		if up.Text("content_type") != "image/png" || up.Number("width") != 64 || up.Number("height") != 48 || len(up.Text("sha256")) != 64 {
			t.Errorf("%s: %v", part, up.Values)
		}
	}
	before := w.Int(`SELECT count(*) FROM uploads`)
	jpeg := w.JPEG(1)
	for name, c2 := range map[string]struct {
		file   []byte
		status int
		code   string
	}{
		"heic":      {[]byte("\x00\x00\x00\x18ftypheic0000mif1heic"), http.StatusUnsupportedMediaType, "unsupported_image"},
		"tiff":      {[]byte("MM\x00*\x00\x00\x00\x08tiff tiff tiff"), http.StatusUnsupportedMediaType, "unsupported_image"},
		"half":      {jpeg[:len(jpeg)/2], http.StatusUnprocessableEntity, "image_broken"},
		"too large": {make([]byte, 4_600_000), http.StatusRequestEntityTooLarge, "use_direct_upload"},
	} {
		got := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", c2.file)
		if got.Status != c2.status || got.Code() != c2.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := c.Form("/reports/pre-upload-image", nil, "", "", nil).Want(422).Code(); got != "file_missing" {
		t.Errorf("no file: %s", got)
	}
	if after := w.Int(`SELECT count(*) FROM uploads`); after != before {
		t.Errorf("refused files left %d rows", after-before)
	}
}

// Photographs of real phones, where the machine has them.
func TestRealPhotographs(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("LAFAEK_TEST_PHOTOS")
	if dir == "" {
		return
	}
	w := setup(t)
	c := w.Citizen()
	for name, want := range map[string]int{
		"phone-iphone.jpg": 201, "gps-nikon.jpg": 201, "orientation-6.jpg": 201, "phone-nokia.jpg": 201,
		"corrupted.jpg": 422, "phone.heic": 415, "not-accepted.tiff": 415,
	} {
		raw, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Form("/reports/pre-upload-image", nil, "file", name, raw); got.Status != want {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

func TestStorageDownLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.Citizen()
	if err := w.AWS.Close(); err != nil {
		t.Fatal(err)
	}
	got := c.Form("/reports/pre-upload-image", nil, "file", "a.jpg", w.JPEG(1)).Want(http.StatusServiceUnavailable)
	if got.Header.Get("Retry-After") == "" || w.Int(`SELECT count(*) FROM uploads`) != 0 {
		t.Errorf("got %s, %d rows", got.Body, w.Int(`SELECT count(*) FROM uploads`))
	}
}

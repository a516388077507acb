package upload

import (
	"bytes"
	"errors"
	"mime/multipart"
	"testing"

	"github.com/lafaekstreet/backend/shared/problem"
)

// A form may have 1,000 parts, 256 KiB of text and a picture of 4.5 MB. The answer to a larger picture says to upload it directly.
func TestPartsOfAFormAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		text, picture int // bytes
		more          int // empty fields
		code          string
	}{
		{"most text", 256 << 10, 0, 0, ""},
		{"too much text", 256<<10 + 1, 0, 0, "too_large"},
		{"largest picture", 1, 4_500_000, 0, ""},
		{"most parts", 1, 0, 998, ""},
		{"too many parts", 1, 0, 999, "too_large"},
		{"too large a picture", 1, 4_500_001, 0, "use_direct_upload"},
	} {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for _, half := range []int{c.text / 2, c.text - c.text/2} { // the bound is on all parts together
			if err := w.WriteField("description", string(bytes.Repeat([]byte("a"), half))); err != nil {
				t.Fatal(err)
			}
		}
		for range c.more {
			if err := w.WriteField("more", ""); err != nil {
				t.Fatal(err)
			}
		}
		if c.picture > 0 {
			part, err := w.CreateFormFile("image", "a.jpg")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write(make([]byte, c.picture)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, _, err := ReadForm(multipart.NewReader(&body, w.Boundary()), nil)
		var refused *problem.Error
		if c.code == "" && err != nil || c.code != "" && (!errors.As(err, &refused) || refused.Code != c.code) {
			t.Errorf("%s: got %v, want code %q", c.name, err, c.code)
		}
	}
}

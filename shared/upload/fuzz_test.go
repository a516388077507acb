package upload

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/storage"
)

// FuzzForm: any bytes are refused as the sender's fault, or give files and members that
// are JSON.
func FuzzForm(f *testing.F) {
	form := func(parts ...string) []byte {
		return []byte(strings.Join(append([]string{""}, parts...), "--b\r\n") + "--b--\r\n")
	}
	text := func(name, value string) string {
		return "Content-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	file := func(name string) string {
		return "Content-Disposition: form-data; name=\"" + name + "\"; filename=\"../../a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n"
	}
	f.Add(form(text("latitude", "-8.5"), text("title", "123"), file("file")))
	f.Add(form(file("image"), file("images")))
	f.Add(form(text("a", ""), text("b", "null"), text("c", `{"d":[1,2`), text("", "x")))
	f.Add(form("Content-Disposition: form-data\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ\r\n"))
	f.Add(form(slices.Repeat([]string{text("a", "b")}, MaxParts+1)...))
	f.Add([]byte("--b\r\n"))
	f.Add([]byte("--b--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, fields, err := ReadForm(multipart.NewReader(bytes.NewReader(body), "b"), []string{"title"})
		if err != nil {
			var e *problem.Error
			if !errors.As(err, &e) || e.Kind < 400 || e.Kind >= 500 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if len(found)+len(fields) > MaxParts {
			t.Errorf("%d parts", len(found)+len(fields))
		}
		members := formFields(fields).members([]string{"title"}, nil)
		for _, file := range found {
			if len(file.Bytes) > MaxThroughAPI {
				t.Errorf("a file of %d bytes", len(file.Bytes))
			}
		}
		raw, err := json.Marshal(members)
		if err != nil {
			t.Fatalf("members are no JSON: %v", err)
		}
		if len(raw) > 8*MaxFields {
			t.Errorf("%d bytes of members", len(raw))
		}
		if title, ok := members["title"]; ok {
			if _, text := title.(string); !text {
				t.Errorf("title %v", title)
			}
		}
	})
}

// FuzzIDOfKey: only a key under our prefixes names an upload, and a key names
// the upload it was made for, however it is wrapped.
func FuzzIDOfKey(f *testing.F) {
	id := uuid.MustParse("018f6f6e-1111-7000-8000-000000000001")
	for _, seed := range []string{OriginalKey(id), RenditionKey(id, 0, Display), RenditionKey(id, 12, Display), "https://bucket.s3.amazonaws.com/" + RenditionKey(id, 0, Thumbnail) + "?X-Amz-Signature=a",
		storage.Originals + "../" + id.String(), "%zz", "originals/", "/", "://", storage.Originals + "%2e%2e/" + id.String()} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		got, ok := IDOfKey(ref)
		if !ok {
			return
		}
		if got == uuid.Nil {
			t.Errorf("%q names nothing, and is taken", ref)
		}
		for _, key := range []string{OriginalKey(got), RenditionKey(got, 3, Display), "https://h.example/" + OriginalKey(got) + "?" + url.QueryEscape(ref)} {
			if again, ok := IDOfKey(key); !ok || again != got {
				t.Errorf("%q names %s, %q names %s", ref, got, key, again)
			}
		}
	})
}

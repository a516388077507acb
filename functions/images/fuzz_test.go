package images

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lafaekstreet/backend/shared/storage"
	"github.com/lafaekstreet/backend/shared/upload"
)

// fuzzPixels bounds the pixels of a generated picture: a larger one takes long and
// only slows the search down.
const fuzzPixels = 1 << 18

// FuzzRender: a file is refused, or becomes pictures that decode, have the size they
// claim, and hold no metadata of the original.
func FuzzRender(f *testing.F) {
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		f.Fatal(err)
	}
	small := arrow(24, 16)
	f.Add(webp)
	f.Add(asPNG(f, small))
	f.Add(asPNG(f, image.NewPaletted(image.Rect(0, 0, 9, 7), color.Palette{color.White, color.Black})))
	f.Add(asPNG(f, image.NewNRGBA64(image.Rect(0, 0, 5, 3))))
	f.Add(asJPEG(f, small, 60))
	f.Add(asJPEG(f, image.NewGray(image.Rect(0, 0, 17, 9)), 60))
	f.Add(withEXIF(asJPEG(f, small, 60), tiff(6)))
	f.Add(asJPEG(f, small, 60)[:200])
	f.Fuzz(func(t *testing.T, file []byte) {
		if info, err := upload.Inspect(file); err == nil && info.Width*info.Height > fuzzPixels {
			return
		}
		out, err := render(file)
		if err != nil {
			var refusal *upload.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("no refusal but %v", err)
			}
			return
		}
		if len(out.blurhash) < 6 {
			t.Errorf("blurhash %q", out.blurhash)
		}
		for name, made := range map[string][]byte{"display": out.display, "thumbnail": out.thumbnail} {
			c, err := jpeg.DecodeConfig(bytes.NewReader(made))
			if err != nil {
				t.Fatalf("%s does not decode: %v", name, err)
			}
			if name == "display" && (c.Width != out.width || c.Height != out.height) || max(c.Width, c.Height) > displaySide {
				t.Errorf("%s is %d × %d, said %d × %d", name, c.Width, c.Height, out.width, out.height)
			}
			if again, err := upload.Inspect(made); err != nil || again.EXIF != nil {
				t.Errorf("%s: %+v, %v", name, again, err)
			}
		}
		checkSignals(t, out.signals)
	})
}

// FuzzSignals: any EXIF block gives a place on earth, a time a database holds and
// one of the eight orientations, or nothing.
func FuzzSignals(f *testing.F) {
	f.Add(tiff(6))
	f.Add([]byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("II\x2a\x00\xff\xff\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, block []byte) {
		before := bytes.Clone(block)
		checkSignals(t, readSignals(block))
		if !bytes.Equal(before, block) {
			t.Error("the block was changed")
		}
	})
}

func checkSignals(t *testing.T, s signals) {
	t.Helper()
	if s.orientation < 1 || s.orientation > 8 || (s.latitude == nil) != (s.longitude == nil) {
		t.Errorf("%+v", s)
	}
	if s.latitude != nil && !(math.Abs(*s.latitude) <= 90 && math.Abs(*s.longitude) <= 180) {
		t.Errorf("at %v, %v", *s.latitude, *s.longitude)
	}
	if s.takenAt != nil && (s.takenAt.Year() < 1989 || s.takenAt.Year() > 2200 || s.takenAt.Location() != time.UTC) {
		t.Errorf("taken at %v", s.takenAt)
	}
}

// FuzzOriginals: any message is an error, or keys of originals and nothing else. The
// key that an event was made with is read again.
func FuzzOriginals(f *testing.F) {
	for _, seed := range []string{
		`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"originals/018f+a%2Fb"}}}]}`,
		`{"Service":"Amazon S3","Event":"s3:TestEvent"}`, `{"Records":[{"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"originals/x"}}}]}`,
		`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"originals/%zz"}}}]}`, `{"Records":null}`, `[]`, `null`, ``,
		`{"Records":[{"eventName":"ObjectCreated:Copy","s3":{"object":{"key":"renditions/../originals/x"}}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		keys, err := originalKeys(body)
		if err != nil && keys != nil {
			t.Errorf("an error and %d keys", len(keys))
		}
		for _, key := range keys {
			if !strings.HasPrefix(key, storage.Originals) {
				t.Errorf("key %q", key)
			}
		}
		if !utf8.ValidString(body) {
			return
		}
		own := s3Event{}
		if err := json.Unmarshal([]byte(`{"Records":[{"eventName":"ObjectCreated:Put"}]}`), &own); err != nil {
			t.Fatal(err)
		}
		own.Records[0].S3.Object.Key = url.QueryEscape(storage.Originals + body)
		raw, err := json.Marshal(own)
		if err != nil {
			t.Fatal(err)
		}
		if keys, err := originalKeys(string(raw)); err != nil || len(keys) != 1 || keys[0] != storage.Originals+body {
			t.Errorf("%q was read as %q, %v", body, keys, err)
		}
	})
}

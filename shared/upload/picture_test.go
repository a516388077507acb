package upload_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/lafaekstreet/backend/shared/upload"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	jpg, pic := encodedJPEG(t), encodedPNG(t)
	webp := losslessWebP(40, 30)
	cases := []struct {
		name string
		file []byte
		want upload.RefusalCode // empty: accepted
	}{
		{"jpeg", jpg, ""},
		{"png", pic, ""},
		{"webp", webp, ""},
		{"jpeg with a second view behind it", cat(jpg, jpg), ""},
		{"jpeg with padding behind it", cat(jpg, make([]byte, 100)), ""},
		{"jpeg with a motion clip behind it", cat(jpg, []byte("\x00\x00\x00\x18ftypmp42 a clip")), ""},
		{"jpeg with a harmless comment", withComment(jpg, "seen in Dili <3"), ""},
		{"empty", nil, upload.NotAPicture},
		{"heic", []byte("\x00\x00\x00\x18ftypheic and so on"), upload.NotAPicture},
		{"tiff", []byte("II*\x00\x08\x00\x00\x00 and so on"), upload.NotAPicture},
		{"gif", []byte("GIF89a and so on"), upload.NotAPicture},
		{"svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), upload.NotAPicture},
		{"animated webp", riff("VP8X", make([]byte, 10), "ANIM", make([]byte, 6)), upload.NotAPicture},
		{"jpeg signature alone", jpg[:3], upload.Broken},
		{"half a jpeg", jpg[:len(jpg)/2], upload.Broken},
		{"jpeg without its end", jpg[:len(jpg)-2], upload.Broken},
		{"half a png", pic[:len(pic)/2], upload.Broken},
		{"png without its end", pic[:len(pic)-12], upload.Broken},
		{"half a webp", webp[:len(webp)-4], upload.Broken},
		{"jpeg with a broken scan", broken(jpg), upload.Broken},
		{"too many bytes", cat(jpg, make([]byte, upload.MaxStored)), upload.TooLarge},
		{"jpeg bomb", resized(jpg, 30000, 30000), upload.TooLarge},
		{"png bomb", pngOf(30000, 2000), upload.TooLarge},
		{"webp bomb behind a small canvas", riff("VP8X", make([]byte, 10), "VP8L", vp8l(16000, 16000)), upload.TooLarge},
		{"jpeg of endless scans", manyScans(jpg), upload.TooLarge},
		{"jpeg and zip", cat(jpg, zipped(t)), upload.ExtraData},
		{"png and zip after padding", cat(pic, make([]byte, 10), zipped(t)), upload.ExtraData},
		{"jpeg and pdf", withComment(jpg, "%PDF-1.7 1 0 obj"), upload.ExtraData},
		{"jpeg and php", withComment(jpg, "hello <?php system($_GET[0]); ?>"), upload.ExtraData},
		{"jpeg and script behind it", cat(jpg, []byte("x<ScRiPt>alert(1)</script>")), upload.ExtraData},
		{"png and program", cat(pic, []byte("MZ\x90\x00")), upload.ExtraData},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			info, err := upload.Inspect(c.file)
			var refusal *upload.Refusal
			switch {
			case c.want == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case c.want == "":
				if info.Width != 40 || info.Height != 30 {
					t.Errorf("%d × %d, want 40 × 30", info.Width, info.Height)
				}
			case !errors.As(err, &refusal):
				t.Fatalf("accepted as %+v, want %s", info, c.want)
			case refusal.Code != c.want:
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A picture may be 32,000 pixels wide or high and have 50 million pixels in all.
func TestPictureDimensionsAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, height uint32
		tooLarge      bool
	}{
		{32_000, 1, false}, {32_001, 1, true}, {1, 32_000, false}, {1, 32_001, true},
		{10_000, 5_000, false}, {10_000, 5_001, true},
	} {
		_, err := upload.Inspect(pngOf(c.width, c.height))
		var refusal *upload.Refusal
		if !c.tooLarge && err != nil {
			t.Errorf("%d × %d: %v", c.width, c.height, err)
		}
		if c.tooLarge && (!errors.As(err, &refusal) || refusal.Code != upload.TooLarge) {
			t.Errorf("%d × %d: %v, want %s", c.width, c.height, err, upload.TooLarge)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xda\x00\x02\xff\xd9"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"))
	f.Add(losslessWebP(4, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := upload.Inspect(b)
		if err == nil && (info.Width <= 0 || info.Height <= 0 || info.Width*info.Height > upload.MaxPixels) {
			t.Errorf("accepted %+v", info)
		}
	})
}

func scene() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	img.Set(0, 0, color.White)
	return img
}

func encodedJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, scene(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodedPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, scene()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func withComment(jpg []byte, text string) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xfe}, uint16(len(text)+2))
	return cat(jpg[:2], head, []byte(text), jpg[2:])
}

// broken puts an impossible marker into the entropy-coded data.
func broken(jpg []byte) []byte {
	at := len(jpg) - 20
	return cat(jpg[:at], []byte{0xff, 0x05, 0x00}, jpg[at:])
}

func resized(jpg []byte, w, h uint16) []byte {
	out := bytes.Clone(jpg)
	at := bytes.Index(out, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(out[at+5:], h)
	binary.BigEndian.PutUint16(out[at+7:], w)
	return out
}

func manyScans(jpg []byte) []byte {
	at := bytes.Index(jpg, []byte{0xff, 0xda})
	scan := jpg[at : len(jpg)-2]
	return cat(jpg[:at], bytes.Repeat(scan, 70), jpg[len(jpg)-2:])
}

func pngOf(w, h uint32) []byte {
	data := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	data = append(data, 8, 2, 0, 0, 0)
	out := cat([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), data, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(data)))
	return cat(out, []byte("\x00\x00\x00\x00IEND\xae\x42\x60\x82"))
}

func losslessWebP(w, h uint32) []byte { return riff("VP8L", vp8l(w, h)) }

func vp8l(w, h uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0x2f}, (w-1)|(h-1)<<14)
}

func riff(chunks ...any) []byte {
	body := []byte("WEBP")
	for i := 0; i < len(chunks); i += 2 {
		data := chunks[i+1].([]byte)
		body = append(body, chunks[i].(string)...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(data)))
		body = append(body, data...)
		if len(data)%2 == 1 {
			body = append(body, 0)
		}
	}
	return cat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body)
}

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("hidden")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

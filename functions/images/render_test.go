package images

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/upload"
)

// arrow is a picture whose corners show its orientation: red top left, green top
// right, blue bottom left, white bottom right.
func arrow(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{A: 255}
			if y < h/2 && x < w/2 || y >= h/2 && x >= w/2 {
				c.R = 255
			}
			if x >= w/2 {
				c.G = 255
			}
			if y >= h/2 {
				c.B = 255
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tiff is an EXIF block with an orientation, a place of 8°33'S 125°34'E, and a camera time.
func tiff(orientation uint16) []byte {
	le := binary.LittleEndian
	var b []byte
	entry := func(tag, kind uint16, count, value uint32) {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(b, tag), kind), count), value)
	}
	b = append(b, "II*\x00\x08\x00\x00\x00"...)
	b = le.AppendUint16(b, 3) // IFD0 at 8, ends at 50
	entry(0x0112, 3, 1, uint32(orientation))
	entry(0x8769, 4, 1, 50)
	entry(0x8825, 4, 1, 90)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, 1) // EXIF IFD at 50, ends at 68; its text at 68 up to 88
	entry(0x9003, 2, 20, 68)
	b = le.AppendUint32(b, 0)
	b = append(b, "2026:11:20 17:30:00\x00"...)
	b = append(b, 0, 0)
	b = le.AppendUint16(b, 4) // GPS IFD at 90, ends at 144
	entry(1, 2, 2, uint32('S'))
	entry(2, 5, 3, 144)
	entry(3, 2, 2, uint32('E'))
	entry(4, 5, 3, 168)
	b = le.AppendUint32(b, 0)
	for _, v := range []uint32{8, 1, 33, 1, 0, 1, 125, 1, 34, 1, 0, 1} {
		b = le.AppendUint32(b, v)
	}
	return b
}

func withEXIF(jpg []byte, block []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(block)+8))
	return bytes.Join([][]byte{head, []byte("Exif\x00\x00"), block, jpg[2:]}, nil)
}

// corners names the colours at the corners, row by row.
func corners(t *testing.T, jpg []byte) string {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(jpg))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	var out []byte
	for _, p := range []image.Point{{b.Dx() / 8, b.Dy() / 8}, {b.Dx() * 7 / 8, b.Dy() / 8}, {b.Dx() / 8, b.Dy() * 7 / 8}, {b.Dx() * 7 / 8, b.Dy() * 7 / 8}} {
		r, g, bl, _ := img.At(p.X, p.Y).RGBA()
		switch {
		case r > 0xc000 && g > 0xc000 && bl > 0xc000:
			out = append(out, 'W')
		case r > g && r > bl:
			out = append(out, 'R')
		case g > bl:
			out = append(out, 'G')
		default:
			out = append(out, 'B')
		}
	}
	return string(out)
}

func TestEveryOrientationIsTurnedUpright(t *testing.T) {
	t.Parallel()
	// What the corners of a picture stored as RGBW become.
	want := map[uint16]string{0: "RGBW", 1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 9: "RGBW"}
	for orientation, corner := range want {
		for _, size := range []image.Point{{200, 120}, {201, 121}, {4000, 2404}} {
			made, err := render(withEXIF(asJPEG(t, arrow(size.X, size.Y), 90), tiff(orientation)))
			if err != nil {
				t.Fatalf("orientation %d: %v", orientation, err)
			}
			for name, jpg := range map[string][]byte{"display": made.display, "thumbnail": made.thumbnail} {
				if got := corners(t, jpg); got != corner {
					t.Errorf("orientation %d, %v, %s: corners %s, want %s", orientation, size, name, got, corner)
				}
			}
			if upright := orientation < 5 || orientation > 8; (made.width > made.height) != upright {
				t.Errorf("orientation %d: %d × %d", orientation, made.width, made.height)
			}
		}
	}
}

func TestRenditionsHoldNoMetadata(t *testing.T) {
	t.Parallel()
	file := withEXIF(asJPEG(t, arrow(3000, 2000), 90), tiff(6))
	made, err := render(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, jpg := range map[string][]byte{"display": made.display, "thumbnail": made.thumbnail} {
		for i := 2; i+4 <= len(jpg); {
			marker, size := jpg[i+1], int(binary.BigEndian.Uint16(jpg[i+2:]))
			if marker >= 0xe0 && marker <= 0xef || marker == 0xfe {
				t.Errorf("%s carries a segment %#x of %d bytes", name, marker, size)
			}
			if marker == 0xda {
				break
			}
			i += 2 + size
		}
		if info, err := upload.Inspect(jpg); err != nil || info.EXIF != nil {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	if made.width != 1067 || made.height != 1600 {
		t.Errorf("display is %d × %d, want 1067 × 1600", made.width, made.height)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(made.thumbnail)); err != nil || c.Height != 400 || len(made.thumbnail) > thumbnailTarget {
		t.Errorf("thumbnail %d × %d of %d bytes, %v", c.Width, c.Height, len(made.thumbnail), err)
	}
	if len(made.blurhash) != 4+2*blurX*blurY {
		t.Errorf("blurhash %q", made.blurhash)
	}
	s := made.signals
	if s.latitude == nil || *s.latitude > -8.54 || *s.latitude < -8.56 || s.longitude == nil || *s.longitude < 125.56 || *s.longitude > 125.57 {
		t.Errorf("place %v %v", s.latitude, s.longitude)
	}
	if want := time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC); s.takenAt == nil || !s.takenAt.Equal(want) {
		t.Errorf("taken %v, want %v: a bare camera clock is read as Dili's", s.takenAt, want)
	}
}

func TestEveryPictureFormatIsAccepted(t *testing.T) {
	t.Parallel()
	grey := image.NewGray(image.Rect(0, 0, 50, 40))
	clear := image.NewNRGBA(image.Rect(0, 0, 50, 40)) // wholly transparent
	palette := image.NewPaletted(image.Rect(0, 0, 50, 40), color.Palette{color.White, color.Black})
	wide := image.NewNRGBA64(image.Rect(0, 0, 50, 40))
	shifted := arrow(60, 50).SubImage(image.Rect(10, 10, 60, 50))
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{
		"webp": webp, "grey jpeg": asJPEG(t, grey, 80), "clear png": asPNG(t, clear), "palette png": asPNG(t, palette), "16-bit png": asPNG(t, wide),
		"cut jpeg": asJPEG(t, shifted, 80), "cut png": asPNG(t, shifted),
		"one pixel": asPNG(t, image.NewRGBA(image.Rect(0, 0, 1, 1))), "thin": asPNG(t, image.NewRGBA(image.Rect(0, 0, 5000, 1))),
	}
	for name, file := range cases {
		made, err := render(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := jpeg.Decode(bytes.NewReader(made.display)); err != nil {
			t.Errorf("%s: display: %v", name, err)
		}
		if name == "clear png" {
			img, _ := jpeg.Decode(bytes.NewReader(made.display))
			if r, g, b, _ := img.At(10, 10).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
				t.Errorf("transparency became %x %x %x, want white", r, g, b)
			}
		}
	}
}

// Lossy WebP stores black as 16. Without and with an alpha channel, the renditions have it as 0.
func TestLossyWebPKeepsItsRange(t *testing.T) {
	t.Parallel()
	black, err := base64.StdEncoding.DecodeString("UklGRjoAAABXRUJQVlA4IC4AAACQAwCdASpAAEAAPpFIoEwlpCMiIggAsBIJaQAAEDdTUAV4hbkAAP74zvV4AAAA")
	if err != nil {
		t.Fatal(err)
	}
	chunk := func(name string, data []byte) []byte {
		out := append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data))), data...)
		return append(out, make([]byte, len(data)%2)...)
	}
	opaque := append([]byte{0}, bytes.Repeat([]byte{255}, 64*64)...)
	body := bytes.Join([][]byte{[]byte("WEBP"), chunk("VP8X", []byte{0x10, 0, 0, 0, 63, 0, 0, 63, 0, 0}), chunk("ALPH", opaque), black[12:]}, nil)
	for name, file := range map[string][]byte{"lossy": black, "lossy with alpha": chunk("RIFF", body)} {
		made, err := render(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for rendition, jpg := range map[string][]byte{"display": made.display, "thumbnail": made.thumbnail} {
			img, err := jpeg.Decode(bytes.NewReader(jpg))
			if err != nil {
				t.Fatal(err)
			}
			if r, g, b, _ := img.At(30, 30).RGBA(); max(r, g, b) > 0x0200 {
				t.Errorf("%s, %s: black is %x %x %x", name, rendition, r, g, b)
			}
		}
	}
	white := image.NewYCbCr(image.Rect(0, 0, 2, 2), image.YCbCrSubsampleRatio420)
	copy(white.Y, []uint8{235, 126, 16, 250})
	white.Cb[0], white.Cr[0] = 240, 128
	toFullRange(white)
	if got, want := white.Y[:4], []uint8{255, 128, 0, 255}; !bytes.Equal(got, want) || white.Cb[0] != 255 || white.Cr[0] != 128 {
		t.Errorf("luma %v, want %v; chroma %d %d", got, want, white.Cb[0], white.Cr[0])
	}
}

// A damaged EXIF block still turns the picture.
func TestDamagedEXIFKeepsTheOrientation(t *testing.T) {
	t.Parallel()
	whole := tiff(6)
	changed := func(change func(b []byte)) []byte {
		b := bytes.Clone(whole)
		change(b)
		return b
	}
	entry := func(n int) int { return 10 + 12*n } // in the first directory
	for name, block := range map[string][]byte{
		"Exif pointer dangles":   changed(func(b []byte) { binary.LittleEndian.PutUint32(b[entry(1)+8:], 0xffff) }),
		"GPS pointer dangles":    changed(func(b []byte) { binary.LittleEndian.PutUint32(b[entry(2)+8:], 0xffff) }),
		"pointers to itself":     changed(func(b []byte) { binary.LittleEndian.PutUint32(b[entry(1)+8:], 8) }),
		"ends after orientation": whole[:entry(1)],
		"more entries announced": changed(func(b []byte) { b[8], b[9] = 0xff, 0xff }),
		"orientation as LONG":    changed(func(b []byte) { b[entry(0)+2] = 4 }),
		"orientation as BYTE":    changed(func(b []byte) { b[entry(0)+2] = 1 }),
	} {
		made, err := render(withEXIF(asJPEG(t, arrow(200, 120), 90), block))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := corners(t, made.display); got != "BRWG" {
			t.Errorf("%s: corners %s, want BRWG", name, got)
		}
	}
	for name, block := range map[string][]byte{
		"empty": {}, "short": []byte("II*\x00\x08"), "no directory": []byte("II*\x00\xff\xff\xff\xff"), "another value": tiff(9),
		"text": changed(func(b []byte) { b[entry(0)+2] = 2 }),
	} {
		if got := orientationOf(block); got != 1 {
			t.Errorf("%s: orientation %d, want 1", name, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	jpg := asJPEG(t, arrow(200, 100), 80)
	pic := asPNG(t, arrow(200, 100))
	badCRC := bytes.Clone(pic)
	badCRC[len(badCRC)-20] ^= 0xff
	liar := bytes.Clone(pic) // says 200 × 100 to us in its header, but its checksum knows better
	binary.BigEndian.PutUint32(liar[16:], 201)
	var animation bytes.Buffer
	if err := gif.Encode(&animation, arrow(10, 10), nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want upload.RefusalCode
	}{
		"gif":                {animation.Bytes(), upload.NotAPicture},
		"truncated":          {jpg[:len(jpg)-50], upload.Broken},
		"png checksum":       {badCRC, upload.Broken},
		"png header":         {liar, upload.Broken},
		"empty":              {nil, upload.NotAPicture},
		"jpeg bytes missing": {append(bytes.Clone(jpg[:len(jpg)-300]), 0xff, 0xd9), upload.Broken},
	} {
		_, err := render(c.file)
		var refusal *upload.Refusal
		if !errors.As(err, &refusal) || refusal.Code != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestPerceptualHashSurvivesReencoding(t *testing.T) {
	t.Parallel()
	scene := photo(1200, 900, 1)
	original, err := render(asJPEG(t, scene, 95))
	if err != nil {
		t.Fatal(err)
	}
	again, err := render(original.thumbnail)
	if err != nil {
		t.Fatal(err)
	}
	other, err := render(asJPEG(t, photo(1200, 900, 2), 95))
	if err != nil {
		t.Fatal(err)
	}
	if d := bits.OnesCount64(original.perceptual ^ again.perceptual); d > maxHashDistance {
		t.Errorf("a thumbnail of the same picture is %d bits away", d)
	}
	if d := bits.OnesCount64(original.perceptual ^ other.perceptual); d <= maxHashDistance {
		t.Errorf("another picture is only %d bits away", d)
	}
}

func TestScalingKeepsEvenSurfacesAndMeans(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 7, 100, 101, 1000} {
		for _, m := range []int{1, 2, 3, 50, 99, 100} {
			if m > n {
				continue
			}
			p := fullPlane(bytes.Repeat([]byte{200}, n*n), n, n, n)
			for i, v := range p.scaled(m, m, float64(m), float64(m)).pix {
				if v != 200 {
					t.Fatalf("%d to %d: sample %d is %d, want 200", n, m, i, v)
				}
			}
		}
	}
	ramp := fullPlane(make([]byte, 256), 256, 256, 1)
	for i := range ramp.pix {
		ramp.pix[i] = byte(i)
	}
	out := ramp.scaled(100, 1, 100, 1)
	for x, v := range out.pix {
		if want := (float64(x)+0.5)*2.56 - 0.5; float64(v) < want-2 || float64(v) > want+2 {
			t.Errorf("ramp at %d is %d, want about %.1f", x, v, want)
		}
	}
}

// A thumbnail has the best quality at which it is small enough, from flat pictures to noise.
func TestThumbnailHasTheBestQualityThatFits(t *testing.T) {
	t.Parallel()
	chosen := map[int]bool{}
	for noise := 0; noise <= 120; noise += 4 {
		r := rand.New(rand.NewPCG(1, uint64(noise)))
		img := image.NewYCbCr(image.Rect(0, 0, thumbnailSide, thumbnailSide*3/4), image.YCbCrSubsampleRatio420)
		for i := range img.Y {
			img.Y[i] = uint8(128 + r.IntN(2*noise+1) - noise)
		}
		p := toPlanes(img)
		want, q := []byte(nil), firstThumbnailQ
		for ; q >= lowestThumbnailQ; q -= thumbnailQStep {
			var err error
			if want, err = encode(p, q); err != nil {
				t.Fatal(err)
			}
			if len(want) <= thumbnailTarget {
				break
			}
		}
		chosen[q] = true
		if got, err := encodeSmall(p); err != nil || !bytes.Equal(got, want) {
			t.Errorf("noise %d: %d bytes, want the %d of quality %d (%v)", noise, len(got), len(want), q, err)
		}
	}
	if len(chosen) != 6 {
		t.Errorf("the pictures need the qualities %v; a case is missing", chosen)
	}
}

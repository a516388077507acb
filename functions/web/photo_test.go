package web_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// photo makes a JPEG of w by h pixels with a red left top quarter, a green right top, a blue left bottom and a white right bottom
// as a person sees it, stored with this EXIF orientation, with the place -8.5569, 125.5603 and a time.
func photo(t *testing.T, w, h int, orientation uint16) []byte {
	t.Helper()
	seen := func(x, y int) color.Color {
		switch left, top := x < w/2, y < h/2; {
		case left && top:
			return color.RGBA{220, 0, 0, 255}
		case top:
			return color.RGBA{0, 220, 0, 255}
		case left:
			return color.RGBA{0, 0, 220, 255}
		}
		return color.White
	}
	size := image.Rect(0, 0, w, h)
	if orientation > 4 {
		size = image.Rect(0, 0, h, w)
	}
	m := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			var at color.Color
			switch orientation { // the pixel of the picture as seen that is stored at x, y
			case 1:
				at = seen(x, y)
			case 2:
				at = seen(w-1-x, y)
			case 3:
				at = seen(w-1-x, h-1-y)
			case 4:
				at = seen(x, h-1-y)
			case 5:
				at = seen(y, x)
			case 6:
				at = seen(w-1-y, x)
			case 7:
				at = seen(w-1-y, h-1-x)
			case 8:
				at = seen(y, h-1-x)
			}
			m.Set(x, y, at)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	raw := out.Bytes()
	return append(append(append([]byte{}, raw[:2]...), exif(orientation)...), raw[2:]...)
}

// exif is an APP1 segment with an orientation, the time 2026-11-21 08:30:00 +09:00, and the place -8.5569, 125.5603.
func exif(orientation uint16) []byte {
	b := binary.BigEndian
	var data []byte // what does not fit into an entry; it follows the directories
	const dataAt = 8 + (2 + 3*12 + 4) + (2 + 2*12 + 4) + (2 + 4*12 + 4)
	entry := func(tag, kind uint16, count uint32, value []byte) []byte {
		e := b.AppendUint32(b.AppendUint16(b.AppendUint16(nil, tag), kind), count)
		if len(value) > 4 {
			e = b.AppendUint32(e, uint32(dataAt+len(data)))
			data = append(data, value...)
			return e
		}
		return append(append(e, value...), make([]byte, 4-len(value))...)
	}
	directory := func(entries ...[]byte) []byte {
		return b.AppendUint32(append(b.AppendUint16(nil, uint16(len(entries))), bytes.Join(entries, nil)...), 0)
	}
	degrees := func(d, m, hundredths uint32) []byte {
		var out []byte
		for _, n := range []uint32{d, 1, m, 1, hundredths, 100} {
			out = b.AppendUint32(out, n)
		}
		return out
	}
	const exifAt, gpsAt = 8 + 42, 8 + 42 + 30
	tiff := append([]byte("MM\x00\x2a\x00\x00\x00\x08"), directory(
		entry(0x112, 3, 1, b.AppendUint16(nil, orientation)), entry(0x8769, 4, 1, b.AppendUint32(nil, exifAt)), entry(0x8825, 4, 1, b.AppendUint32(nil, gpsAt)))...)
	tiff = append(tiff, directory(entry(0x9003, 2, 20, []byte("2026:11:21 08:30:00\x00")), entry(0x9011, 2, 7, []byte("+09:00\x00")))...)
	tiff = append(tiff, directory(entry(1, 2, 2, []byte("S\x00")), entry(2, 5, 3, degrees(8, 33, 2484)), entry(3, 2, 2, []byte("E\x00")), entry(4, 5, 3, degrees(125, 33, 3708)))...)
	body := append([]byte("Exif\x00\x00"), append(tiff, data...)...)
	return append(b.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2)), body...)
}

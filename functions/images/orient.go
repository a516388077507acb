package images

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/evanoberholster/imagemeta"
	"github.com/evanoberholster/imagemeta/exif2"
)

// upright turns and mirrors the picture as its EXIF orientation (TIFF tag 274,
// 1 to 8) asks; any other value leaves it.
func (p planes) upright(orientation int) planes {
	if orientation < 2 || orientation > 8 {
		return p
	}
	out := planes{w: p.w, h: p.h, y: p.y.turned(orientation)}
	if orientation >= 5 {
		out.w, out.h = p.h, p.w
	}
	if !p.grey() {
		out.cb, out.cr = p.cb.turned(orientation), p.cr.turned(orientation)
	}
	return out
}

// turned walks the result in order and the source by steps: start, then right
// for each column and below for each row.
func (p plane) turned(orientation int) plane {
	right, below := 1, p.stride // steps in the source
	lastX, lastY := p.w-1, (p.h-1)*p.stride
	var start int
	switch orientation {
	case 2: // mirrored
		start, right = lastX, -1
	case 3: // upside down
		start, right, below = lastX+lastY, -1, -p.stride
	case 4: // mirrored and upside down
		start, below = lastY, -p.stride
	case 5: // mirrored, then a quarter turn counter-clockwise
		right, below = p.stride, 1
	case 6: // needs a quarter turn clockwise
		start, right, below = lastY, -p.stride, 1
	case 7: // mirrored, then a quarter turn clockwise
		start, right, below = lastX+lastY, -p.stride, -1
	case 8: // needs a quarter turn counter-clockwise
		start, right, below = lastX, p.stride, -1
	}
	w, h, extentX, extentY := p.w, p.h, p.extentX, p.extentY
	if orientation >= 5 {
		w, h, extentX, extentY = h, w, extentY, extentX
	}
	out := plane{pix: make([]uint8, w*h), stride: w, w: w, h: h, extentX: extentX, extentY: extentY}
	for y := range h {
		at := start + y*below
		line := out.pix[y*w:][:w]
		for x := range line {
			line[x] = p.pix[at]
			at += right
		}
	}
	return out
}

// signals is the camera's metadata that staff can see. It is never published, and it
// proves nothing, because anybody can write it.
type signals struct {
	orientation         int      // of EXIF, 1 to 8; 1 if unknown
	latitude, longitude *float64 // degrees WGS 84
	takenAt             *time.Time
}

// cameraZone is assumed for a camera time without a time zone.
var cameraZone = time.FixedZone("Asia/Dili", 9*60*60)

// readSignals reads the TIFF block of EXIF. It leaves out what it cannot read; no
// picture is refused because of its metadata.
func readSignals(block []byte) signals {
	s := signals{orientation: orientationOf(block)}
	if len(block) == 0 {
		return s
	}
	padded := append(bytes.Clone(block), make([]byte, 64)...) // the reader peeks a fixed length
	var e exif2.Exif
	var err error
	if cause := recoverFrom(func() { e, err = imagemeta.Decode(bytes.NewReader(padded)) }); cause != nil || err != nil {
		return s
	}
	if lat, lon := e.GPS.Latitude(), e.GPS.Longitude(); validPosition(lat, lon) {
		s.latitude, s.longitude = &lat, &lon
	}
	s.takenAt = captureTime(e.GPS.Date(), e.DateTimeOriginal())
	return s
}

// orientationOf reads the orientation from the first directory of a TIFF block (TIFF 6.0, section 2); 1 where there is none
// from 1 to 8. The rest of the block may be damaged: a picture must be turned even if its Exif or GPS directory is missing.
func orientationOf(block []byte) int {
	const header, entry, tag = 8, 12, 0x0112
	if len(block) < header {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(block[:2]) == "II" {
		order = binary.LittleEndian
	}
	first := int64(order.Uint32(block[4:]))
	if first+2 > int64(len(block)) {
		return 1
	}
	at := block[first:]
	entries := at[2:min(len(at), 2+entry*int(order.Uint16(at)))]
	for ; len(entries) >= entry; entries = entries[entry:] {
		if order.Uint16(entries) != tag {
			continue
		}
		value := 0
		switch kind := order.Uint16(entries[2:]); kind {
		case 1: // BYTE
			value = int(entries[8])
		case 3: // SHORT, as the specification has it
			value = int(order.Uint16(entries[8:]))
		case 4: // LONG, as some programs write it
			value = int(order.Uint32(entries[8:]))
		}
		if value >= 1 && value <= 8 {
			return value
		}
		return 1
	}
	return 1
}

// validPosition reports whether lat and lon are degrees within their range. 0, 0 is
// not valid: cameras write it if they do not know their position.
func validPosition(lat, lon float64) bool {
	return !math.IsNaN(lat) && !math.IsNaN(lon) && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0)
}

// captureTime returns the first of these times: the satellite time, the camera's
// time with its offset, the camera's time in cameraZone. It returns nil if none is
// plausible.
func captureTime(satellite, camera time.Time) *time.Time {
	t := satellite
	if !plausible(t) {
		t = camera
		if _, offset := t.Zone(); offset == 0 && !t.IsZero() {
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), cameraZone)
		}
	}
	if !plausible(t) {
		return nil
	}
	t = t.UTC()
	return &t
}

func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }

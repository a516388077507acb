package images

import (
	"bytes"
	"math"
	"time"

	"github.com/evanoberholster/imagemeta"
	"github.com/evanoberholster/imagemeta/exif2"
)

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
	s := signals{orientation: 1}
	if len(block) == 0 {
		return s
	}
	padded := append(bytes.Clone(block), make([]byte, 64)...) // the reader peeks a fixed length
	var e exif2.Exif
	var err error
	if cause := recoverFrom(func() { e, err = imagemeta.Decode(bytes.NewReader(padded)) }); cause != nil || err != nil {
		return s
	}
	if o := int(e.Orientation); o >= 1 && o <= 8 {
		s.orientation = o
	}
	if lat, lon := e.GPS.Latitude(), e.GPS.Longitude(); validPosition(lat, lon) {
		s.latitude, s.longitude = &lat, &lon
	}
	s.takenAt = captureTime(e.GPS.Date(), e.DateTimeOriginal())
	return s
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

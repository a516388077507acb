package images

import (
	"bytes"
	"math"
	"time"

	"github.com/evanoberholster/imagemeta"
	"github.com/evanoberholster/imagemeta/exif2"
)

// signals are what a camera wrote beside the picture. They are evidence for
// staff, never published and never proof: anybody can write them.
type signals struct {
	orientation         int
	latitude, longitude *float64 // degrees WGS 84
	takenAt             *time.Time
}

// dili is the zone of a camera clock that names none.
var dili = time.FixedZone("Asia/Dili", 9*60*60)

// readSignals reads the TIFF block of EXIF. What cannot be read is absent: no
// picture is refused for its metadata.
func readSignals(block []byte) signals {
	s := signals{orientation: 1}
	if len(block) == 0 {
		return s
	}
	padded := append(bytes.Clone(block), make([]byte, 64)...) // the reader peeks a fixed length
	var e exif2.Exif
	var err error
	if cause := contained(func() { e, err = imagemeta.Decode(bytes.NewReader(padded)) }); cause != nil || err != nil {
		return s
	}
	if o := int(e.Orientation); o >= 1 && o <= 8 {
		s.orientation = o
	}
	if lat, lon := e.GPS.Latitude(), e.GPS.Longitude(); onEarth(lat, lon) {
		s.latitude, s.longitude = &lat, &lon
	}
	s.takenAt = taken(e.GPS.Date(), e.DateTimeOriginal())
	return s
}

// onEarth refuses 0, 0: what cameras without a fix write.
func onEarth(lat, lon float64) bool {
	return !math.IsNaN(lat) && !math.IsNaN(lon) && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0)
}

// taken prefers the time with a zone: the satellites', then the camera's own
// with an offset, then its bare clock read as local time.
func taken(satellite, camera time.Time) *time.Time {
	t := satellite
	if !plausible(t) {
		t = camera
		if _, offset := t.Zone(); offset == 0 && !t.IsZero() {
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), dili)
		}
	}
	if !plausible(t) {
		return nil
	}
	t = t.UTC()
	return &t
}

func plausible(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2200 }

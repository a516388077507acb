package trackfile

import (
	"encoding/xml"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// Elevations that a place of a rider can have, in metres. Devices write -9999 and -32768 for an unknown one.
const lowest, highest = -1000, 100_000

// firstFix is the first year in which a device can have recorded a track. Planners write times from 1970 on, which count from
// the start of the ride.
const firstFix = 1980

func (r *gpxReader) elevation(p *track.Point) error {
	var text string
	if err := r.xml.text(&text); err != nil || text == "" {
		return err
	}
	metres, ok := number(text)
	switch {
	case !ok:
		r.warn(warning.Unreadable)
	case metres < lowest || metres > highest:
		r.warn(warning.OutOfRange)
	default:
		p.Elevation = float32(metres)
	}
	return nil
}

// pointTime reads the time of a point. The first time with an offset gives the line its offset.
func (r *gpxReader) pointTime(p *track.Point, l *gpxLine) error {
	at, ok, err := r.time()
	if err != nil || !ok {
		return err
	}
	if at.Year() < firstFix {
		r.warn(warning.OutOfRange)
		return nil
	}
	p.Time = at.UnixMilli()
	if l.Offset == nil && at.Stated() {
		_, seconds := at.Zone()
		offset := time.Duration(seconds) * time.Second
		l.Offset = &offset
	}
	return nil
}

// time reads the text of a time element. It is false, with a warning, for one that cannot be read, and for a blank one.
func (r *gpxReader) time() (fileTime, bool, error) {
	var text string
	if err := r.xml.text(&text); err != nil || text == "" {
		return fileTime{}, false, err
	}
	at, code := readTime(text)
	if code != "" {
		r.warn(code)
	}
	return at, code == "", nil
}

// placeOf returns the longitude and the latitude of a point. It is false where they are missing or are no place.
func placeOf(attributes []xml.Attr) (float64, float64, bool) {
	var lon, lat float64
	var hasLon, hasLat bool
	for _, a := range attributes {
		switch a.Name.Local {
		case "lon":
			lon, hasLon = number(a.Value)
		case "lat":
			lat, hasLat = number(a.Value)
		}
	}
	return lon, lat, hasLon && hasLat && onEarth(lon, lat)
}

package track

import (
	"time"

	"github.com/lafaekstreet/backend/shared/report"
)

// Day returns the rider's own day of a time, as midnight in UTC. If the file states an offset other than Z, it is the day in
// that offset. Otherwise it is the day in Timor-Leste when the place is in or near the country, and the day in UTC elsewhere.
// Longitude and latitude are in degrees.
func Day(at time.Time, stated bool, lon, lat float64) time.Time {
	if !stated {
		at = at.UTC()
		if nearTimorLeste(lon, lat) {
			at = at.In(report.Zone())
		}
	}
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// nearTimorLeste reports whether a place is in the box around the country, Oecusse and the islands included.
func nearTimorLeste(lon, lat float64) bool {
	return lon >= 124.0 && lon <= 127.4 && lat >= -9.6 && lat <= -8.0
}

// days returns the first and the last day of points; nil when none has a time.
func (t *Track) days(points []Point) *[2]time.Time {
	var out *[2]time.Time
	for _, p := range points {
		if p.Time == NoTime {
			continue
		}
		at, stated := time.UnixMilli(p.Time).UTC(), t.Offset != nil
		if stated {
			at = at.Add(*t.Offset)
		}
		day := Day(at, stated, p.Lon, p.Lat)
		switch {
		case out == nil:
			out = &[2]time.Time{day, day}
		case day.Before(out[0]):
			out[0] = day
		case day.After(out[1]):
			out[1] = day
		}
	}
	return out
}

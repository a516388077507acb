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

package report

import "time"

// ValidPoint reports whether both are degrees within their range; NaN is not.
func ValidPoint(latitude, longitude float64) bool {
	return latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180
}

// Zone is the time of Timor-Leste (UTC+9, no summer time): the days of filters
// and statistics, and the year in report numbers.
func Zone() *time.Location { return time.FixedZone("TLT", 9*60*60) }

package report

import (
	"time"

	"github.com/lafaekstreet/backend/shared/problem"
)

// ValidPoint reports whether both are degrees within their range; NaN is not.
func ValidPoint(latitude, longitude float64) bool {
	return latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180
}

// Area is a box of coordinates: the smallest longitude and latitude, then the largest; degrees, WGS 84.
type Area [4]float64

// TimorLeste is the bounding box of the country with a margin of one degree.
func TimorLeste() Area { return Area{123.04, -10.51, 128.35, -7.12} }

// Has reports whether a report may be about the point. The point 0,0 is never in an area: phones send it when they do not know
// their place.
func (a Area) Has(latitude, longitude float64) bool {
	return (latitude != 0 || longitude != 0) && longitude >= a[0] && latitude >= a[1] && longitude <= a[2] && latitude <= a[3]
}

// Zone is the time of Timor-Leste (UTC+9, no summer time): the days of filters
// and statistics, and the year in report numbers.
func Zone() *time.Location { return time.FixedZone("TLT", 9*60*60) }

// ErrOutsideArea is the 422 for a place outside the setting report_area.
var ErrOutsideArea = &problem.Error{Kind: problem.Invalid, Code: "outside_area",
	Fields: []problem.Field{{Name: "latitude", Message: "outside the area of this service"}, {Name: "longitude", Message: "outside the area of this service"}}}

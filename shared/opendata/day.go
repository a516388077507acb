package opendata

import (
	"math"
	"time"
)

// dili is UTC+9 all year. It is fixed here because the image of the Lambda functions has no time zone database.
var dili = time.FixedZone(Zone, 9*3600)

// today returns the date in Dili, as YYYY-MM-DD.
func today(now time.Time) string { return now.In(dili).Format(time.DateOnly) }

func rounded(v float64, decimals int) float64 {
	p := math.Pow10(decimals)
	return math.Round(v*p) / p
}

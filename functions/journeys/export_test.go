package journeys

// The queries whose plans and times are held against the indexes.
var (
	ReportsAlongSQL = reportsAlong
	AffectedSQL     = affectedCount
)

// NearbyIDsSQL is the search of a mode.
func NearbyIDsSQL(mode string) string { return nearbyIDsSQL(sqlOf(mode)) }

// NearbyJourneysSQL is the search that also says how near and where.
func NearbyJourneysSQL(mode string) string { return nearbyJourneysSQL(sqlOf(mode)) }

func sqlOf(mode string) searchSQL {
	parts, known := searchMode(mode).sql()
	if !known {
		panic("no search mode " + mode)
	}
	return parts
}

// Reads of journey $2 for person $1.
const (
	JourneySQL = `SELECT ` + journeyColumns + ` FROM journeys WHERE id = $1`
	MarkersSQL = markersQuery
	RouteSQL   = routeQuery
)

// LayLegsSQL is what every write of a marker of journey $1 ends with.
const LayLegsSQL = layLegs

package journeys

// Statements whose plans and times are measured.
var (
	ReportsBesideSQL    = reportsBesideSQL
	AreasWithReportsSQL = areasWithReportsSQL
	AffectedSQL         = ridersAffectedSQL
)

// NearbyIDsSQL is the search for ids in a mode.
func NearbyIDsSQL(mode string) string { return nearbyIDsSQL(partsOf(mode)) }

// NearbyJourneysSQL is the search for journeys and distances in a mode.
func NearbyJourneysSQL(mode string) string { return nearbyJourneysSQL(partsOf(mode)) }

func partsOf(mode string) searchSQL {
	parts, known := searchMode(mode).sql()
	if !known {
		panic("no search mode " + mode)
	}
	return parts
}

// Statements that read journey $2 for person $1.
const (
	JourneySQL   = `SELECT ` + journeyColumns + ` FROM journeys WHERE id = $1`
	MarkersSQL   = markersSQL
	TracksSQL    = tracksSQL
	LegsSQL      = trackLegsSQL
	LengthSQL    = routeLengthSQL
	RouteLegsSQL = routeLegsSQL
)

package journeys

// Statements whose plans and times are measured.
var (
	ReportsBesideSQL    = reportsBesideSQL
	AreasWithReportsSQL = areasWithReportsSQL
	AffectedSQL         = ridersAffectedSQL
	DatedShapesSQL      = datedShapesSQL
	PointRowsSQL        = pointRowsSQL
	StopAtLimit         = stopAtLimit
	VisibleSQL          = visibleSQL
)

// NearShapesSQL is the statement of the search for shapes nearby in a mode.
func NearShapesSQL(mode string) string { return nearShapesSQL(searchMode(mode)) }

// OwnShapesSQL is the statement that reads the shapes of one journey in a mode.
func OwnShapesSQL(mode string) string { return ownShapesSQL(searchMode(mode)) }

// Statements that read journey $2 for person $1.
const (
	JourneySQL   = `SELECT ` + journeyColumns + ` FROM journeys WHERE id = $1`
	MarkersSQL   = markersSQL
	TracksSQL    = tracksSQL
	LegsSQL      = trackLegsSQL
	LengthSQL    = routeLengthSQL
	RouteLegsSQL = routeLegsSQL
)

package report

import "math"

// A report is without a verdict while its status is pending. Its reporter and staff see all of it; others see that it is
// there, but none of its words and pictures. The setting publish_before_verdict ends that.
//
// The texts below are parts of queries, of reports r.
const (
	// PublishedSQL is true while the setting publish_before_verdict is on. The database evaluates it once a statement.
	PublishedSQL = `coalesce((SELECT (value ->> 'publish_before_verdict')::boolean FROM app_settings WHERE key = 'settings'), false)`

	// HiddenSQL is true for a report whose words and pictures are for its reporter and staff alone.
	HiddenSQL = `(r.status = 'pending' AND NOT ` + PublishedSQL + `)`

	// ShownSQL is the contrary of HiddenSQL.
	ShownSQL = `(r.status <> 'pending' OR ` + PublishedSQL + `)`

	// WordsShownSQL is true for a report whose words are not hidden by a moderator or by flags. Others than its reporter and
	// staff then see the label of its type, no description, address and street, and find it by none of them. HeldBackSQL is true
	// where its words or one of its pictures are hidden: what the AI says about it describes them.
	WordsShownSQL = `r.words_hidden IS NULL`
	HeldBackSQL   = `(r.words_hidden IS NOT NULL OR EXISTS (SELECT FROM report_images hi WHERE hi.report_id = r.id AND hi.hidden IS NOT NULL AND hi.deleted_at IS NULL))`

	// ShownLatitudeSQL and ShownLongitudeSQL are the place that others know, in degrees: with 3 decimals while the report is
	// pending. Searches of others go by it, so that no search tells more. It lies at most ShownWithin from the exact place.
	ShownLatitudeSQL  = `shown_degrees(r.latitude, r.status)`
	ShownLongitudeSQL = `shown_degrees(r.longitude, r.status)`

	// ShownSeveritySQL is the severity that others know, NULL while the report is hidden.
	ShownSeveritySQL = `CASE WHEN ` + ShownSQL + ` THEN r.severity END`

	// ShownPositionSQL is the same place as a geography.
	ShownPositionSQL = `CASE WHEN r.status = 'pending' THEN ST_SetSRID(ST_MakePoint(` + ShownLongitudeSQL + `, ` + ShownLatitudeSQL + `), 4326)::geography ELSE r.position END`
)

// ShownWithin is the greatest distance in metres between a place and ShownPlace of it: half of a thousandth of a degree in
// both directions. ShownWithinDegrees is the greatest difference of a coordinate.
const (
	ShownWithin        = 80
	ShownWithinDegrees = 0.0005
)

// ShownPlace returns a coordinate in degrees with 3 decimals, as the database function shown_degrees does.
func ShownPlace(degrees float64) float64 { return math.RoundToEven(degrees*1000) / 1000 }

// PictureVerdict says who may see a picture of evidence or of a dispute. A picture of the repair needs no verdict.
type PictureVerdict string

// The verdicts. Staff may give them too: who verifies a report has seen its pictures.
const (
	PictureAwaited    PictureVerdict = "awaited"    // not judged yet
	PictureRelevant   PictureVerdict = "relevant"   // everybody may see it
	PictureUnsure     PictureVerdict = "unsure"     // a person should look at it
	PictureIrrelevant PictureVerdict = "irrelevant" // it shows no problem
)

// PublicPictureSQL is true for a picture ri (report_images) that everybody may see of a report that is not hidden.
const PublicPictureSQL = `(ri.hidden IS NULL AND (ri.verdict = 'relevant' OR ri.kind = 'resolution' OR ri.verdict <> 'irrelevant' AND ` + PublishedSQL + `))`

// HeldPictureSQL is true for a picture i (report_images) that its verdict keeps from others, unless PublishedSQL shows it. A
// change of it is an event of the report once that has a verdict.
const HeldPictureSQL = `(i.kind <> 'resolution' AND i.verdict <> 'relevant')`

// JudgePicturesSQL records that a person's verdict about report $1 found its pictures good. It holds for those that the
// person has seen: all that are processed if $2 is true, which says that the person named the report's present version; else
// those that have a verdict of the AI. The others wait for their own verdict.
const JudgePicturesSQL = `UPDATE report_images i SET verdict = 'relevant' FROM uploads u
	WHERE u.id = i.upload_id AND u.state = 'processed' AND i.report_id = $1 AND i.kind <> 'resolution' AND i.deleted_at IS NULL AND i.verdict <> 'relevant'
	  AND ($2 OR i.verdict <> 'awaited')`

// Names of places that a reporter types are words. While a report or its words are hidden, others see a district or a suco only
// if it is a name of the imported boundaries, and the municipality by its code.
const (
	KnownDistrictSQL = `EXISTS (SELECT FROM boundaries b WHERE b.level = 'district' AND b.name = r.district)`
	KnownSucoSQL     = `EXISTS (SELECT FROM boundaries b WHERE b.level = 'suco' AND b.name = r.suco)`
	// MunicipalityNameSQL is NULL for a report without a code.
	MunicipalityNameSQL = `(SELECT m.name FROM municipalities m WHERE m.code = r.municipality_code)`

	// ShownDistrictSQL, ShownSucoSQL and ShownMunicipalitySQL are what others see of a report that is hidden or whose words are;
	// of one with a verdict and with its words they are the columns.
	ShownDistrictSQL     = `CASE WHEN ` + placesShownSQL + ` OR ` + KnownDistrictSQL + ` THEN r.district END`
	ShownSucoSQL         = `CASE WHEN ` + placesShownSQL + ` OR ` + KnownSucoSQL + ` THEN r.suco END`
	ShownMunicipalitySQL = `CASE WHEN ` + placesShownSQL + ` THEN r.municipality ELSE ` + MunicipalityNameSQL + ` END`

	placesShownSQL = `(r.status <> 'pending' AND ` + WordsShownSQL + `)`
)

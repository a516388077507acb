package journeys

import (
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/report"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/warning"
)

// markerBody is a marker as clients send it. The server sets its owner and its creation time.
type markerBody struct {
	_           struct{}   `schema:"MarkerWrite"`
	Name        string     `json:"name" minLength:"1" maxLength:"200"`
	JourneyID   *uuid.UUID `json:"journey_id" required:"false" format:"uuid" doc:"The journey of the path, or nothing"`
	MarkerType  string     `json:"marker_type" maxLength:"20" words:"past,plan" doc:"past or plan"`
	Coordinates struct {
		_           struct{}  `schema:"CoordinatesWrite"`
		Type        *string   `json:"type" required:"false" words:"Point" doc:"Point"`
		Coordinates []float64 `json:"coordinates" minItems:"2" maxItems:"2" nullable:"false" doc:"Longitude, latitude; degrees, WGS 84"`
	} `json:"coordinates"`
	Timestamp     *string `json:"timestamp" required:"false" doc:"YYYY-MM-DD, or any usual form of a time; for past markers. A date that cannot be read is left out"`
	EstimatedTime *string `json:"estimated_time" required:"false" doc:"As timestamp; for planned markers"`
	Notes         *string `json:"notes" required:"false" maxLength:"5000"`
}

// marker returns the marker of the body, for a journey. It fails with a 422 for a place or a type that is not valid. A date
// that cannot be read, or that the type does not have, is left out with a warning.
func (b *markerBody) marker(journeyID uuid.UUID, w *warning.Collector) (marker, error) {
	if b.JourneyID != nil && *b.JourneyID != journeyID {
		return marker{}, errOtherJourney
	}
	m := marker{JourneyID: journeyID, Name: b.Name, Type: locale.FoldWord(b.MarkerType)}
	if b.Notes != nil {
		m.Notes = *b.Notes
	}
	if t := b.Coordinates.Type; t != nil && locale.FoldWord(*t) != "point" {
		return marker{}, problem.InvalidField("coordinates.type", "expected Point")
	}
	if len(b.Coordinates.Coordinates) != 2 {
		return marker{}, problem.InvalidField("coordinates.coordinates", "expected longitude and latitude")
	}
	m.Lon, m.Lat = b.Coordinates.Coordinates[0], b.Coordinates.Coordinates[1]
	m.HappenedOn, m.PlannedOn = day("timestamp", b.Timestamp, w), day("estimated_time", b.EstimatedTime, w)
	m.dropMisplaced("timestamp", "estimated_time", w)
	return m, m.check()
}

// dropMisplaced leaves out the date that a marker of this type does not have, with a warning. The fields are the names of
// the two dates.
func (m *marker) dropMisplaced(happened, planned string, w *warning.Collector) {
	if m.Type == markerPast && m.PlannedOn != nil {
		m.PlannedOn = nil
		w.Add(planned, warning.NotTaken)
	}
	if m.Type == markerPlan && m.HappenedOn != nil {
		m.HappenedOn = nil
		w.Add(happened, warning.NotTaken)
	}
}

// check tests the same conditions as the table, so that the error can name the field.
func (m marker) check() error {
	switch {
	case m.Type != markerPast && m.Type != markerPlan:
		return problem.InvalidField("marker_type", "expected past or plan")
	case math.IsNaN(m.Lon) || m.Lon < -180 || m.Lon > 180:
		return problem.InvalidField("coordinates.coordinates", "expected a longitude between -180 and 180 degrees first")
	case math.IsNaN(m.Lat) || m.Lat < -90 || m.Lat > 90:
		return problem.InvalidField("coordinates.coordinates", "expected a latitude between -90 and 90 degrees second")
	}
	if err := checkText("name", m.Name); err != nil {
		return err
	}
	return checkText("notes", m.Notes)
}

// Years that a date of a marker may have. Every calendar of a client can show them.
const firstYear, lastYear = 1900, 2199

// parseDay reads a calendar date, or the date of a time in the zone that it names. The code says why there is none.
func parseDay(text string) (time.Time, warning.Code) {
	var d timestamp.Date
	if err := d.UnmarshalText([]byte(text)); err != nil {
		t, ok := timestamp.ParseAny(text, report.Zone())
		if !ok {
			return time.Time{}, warning.Unreadable
		}
		d.Time = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	if d.Year() < firstYear || d.Year() > lastYear { // no calendar of a client shows it
		return time.Time{}, warning.OutOfRange
	}
	return d.Time, ""
}

// day is the date that was sent. It is nil for null and for the empty text that a form sends for an empty input, and, with a
// warning, for what is no date.
func day(field string, sent *string, w *warning.Collector) *time.Time {
	if sent == nil || strings.TrimSpace(*sent) == "" {
		return nil
	}
	d, fault := parseDay(*sent)
	if fault != "" {
		w.Add(field, fault)
		return nil
	}
	return &d
}

package journeys

import (
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/problem"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// markerBody is a marker as clients send it. Whose it is and when it was made are not theirs to say.
type markerBody struct {
	_           struct{}   `additionalProperties:"true"`
	Name        string     `json:"name" minLength:"1" maxLength:"200"`
	JourneyID   *uuid.UUID `json:"journey_id" required:"false" format:"uuid" doc:"The journey of the path, or nothing"`
	MarkerType  string     `json:"marker_type" maxLength:"20" doc:"past or plan"`
	Coordinates struct {
		_           struct{}  `additionalProperties:"true"`
		Type        *string   `json:"type" required:"false" doc:"Point"`
		Coordinates []float64 `json:"coordinates" minItems:"2" maxItems:"2" nullable:"false" doc:"Longitude, latitude; degrees, WGS 84"`
	} `json:"coordinates"`
	Timestamp     *string `json:"timestamp" required:"false" doc:"YYYY-MM-DD, for past markers"`
	EstimatedTime *string `json:"estimated_time" required:"false" doc:"YYYY-MM-DD, for planned markers"`
	Notes         *string `json:"notes" required:"false" maxLength:"5000"`
}

// marker is what the body asks for, for a journey; 422 where it makes no sense.
func (b *markerBody) marker(journeyID uuid.UUID) (marker, error) {
	if b.JourneyID != nil && *b.JourneyID != journeyID {
		return marker{}, errOtherJourneyBody
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
	var err error
	if m.HappenedOn, err = day("timestamp", b.Timestamp); err != nil {
		return marker{}, err
	}
	if m.PlannedOn, err = day("estimated_time", b.EstimatedTime); err != nil {
		return marker{}, err
	}
	return m, m.check("")
}

// check holds what the table holds, so that a fault has a name. Fields are named
// with the prefix in front.
func (m marker) check(prefix string) error {
	switch {
	case m.Type != markerPast && m.Type != markerPlan:
		return problem.InvalidField(prefix+"marker_type", "expected past or plan")
	case m.Type == markerPast && m.PlannedOn != nil:
		return problem.InvalidField(prefix+"estimated_time", "belongs to planned markers; a past one has timestamp")
	case m.Type == markerPlan && m.HappenedOn != nil:
		return problem.InvalidField(prefix+"timestamp", "belongs to past markers; a planned one has estimated_time")
	case math.IsNaN(m.Lon) || m.Lon < -180 || m.Lon > 180:
		return problem.InvalidField(prefix+"coordinates.coordinates", "expected a longitude between -180 and 180 degrees first")
	case math.IsNaN(m.Lat) || m.Lat < -90 || m.Lat > 90:
		return problem.InvalidField(prefix+"coordinates.coordinates", "expected a latitude between -90 and 90 degrees second")
	}
	if err := storable(prefix+"name", m.Name); err != nil {
		return err
	}
	return storable(prefix+"notes", m.Notes)
}

// Years a marker may be of: wide enough for every rider, narrow enough for every calendar.
const firstYear, lastYear = 1900, 2199

// day reads a calendar date; null and the empty text of a cleared input are none.
func day(field string, sent *string) (*time.Time, error) {
	if sent == nil || *sent == "" {
		return nil, nil
	}
	var d timestamp.Date
	if err := d.UnmarshalText([]byte(*sent)); err != nil {
		return nil, problem.InvalidField(field, "expected a date as YYYY-MM-DD")
	}
	if d.Year() < firstYear || d.Year() > lastYear {
		return nil, problem.InvalidField(field, fmt.Sprintf("expected a year between %d and %d", firstYear, lastYear))
	}
	return &d.Time, nil
}

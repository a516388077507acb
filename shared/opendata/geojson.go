package opendata

import (
	"bufio"
	"encoding/json"
	"io"

	"github.com/google/uuid"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// geoJSONEncoder writes a feature collection (RFC 7946), one feature on each line.
type geoJSONEncoder struct {
	w     *bufio.Writer
	first bool
}

func newGeoJSON(w io.Writer) *geoJSONEncoder { return &geoJSONEncoder{bufio.NewWriter(w), true} }

type feature struct {
	Type       string     `json:"type"`
	ID         uuid.UUID  `json:"id"`
	Geometry   geometry   `json:"geometry"`
	Properties properties `json:"properties"`
}

type geometry struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

type properties struct {
	Number       string          `json:"report_number"`
	IssueType    string          `json:"issue_type"`
	Severity     *string         `json:"severity"` // null without a verdict
	Status       string          `json:"status"`
	Title        string          `json:"title"`
	Description  string          `json:"description"`
	Municipality string          `json:"municipality"`
	District     string          `json:"district"`
	Suco         string          `json:"suco"`
	Street       string          `json:"street"`
	CreatedAt    timestamp.Time  `json:"created_at"`
	UpdatedAt    timestamp.Time  `json:"updated_at"`
	ResolvedAt   *timestamp.Time `json:"resolved_at"`
}

func (e *geoJSONEncoder) begin() error {
	_, err := e.w.WriteString(`{"type":"FeatureCollection","features":[`)
	return err
}

func (e *geoJSONEncoder) row(r *row) error {
	severity := &r.Severity
	if r.Severity == "" {
		severity = nil
	}
	raw, err := json.Marshal(feature{"Feature", r.ID, geometry{"Point", [2]float64{r.Longitude, r.Latitude}}, properties{
		r.Number, r.IssueType, severity, r.Status, r.Title, r.Description, r.Municipality, r.District, r.Suco, r.Street,
		timestamp.Of(r.CreatedAt), timestamp.Of(r.UpdatedAt), timestamp.OfPtr(r.ResolvedAt),
	}})
	if err != nil {
		return err
	}
	separator := ",\n"
	if e.first {
		separator, e.first = "\n", false
	}
	if _, err := e.w.WriteString(separator); err != nil {
		return err
	}
	_, err = e.w.Write(raw)
	return err
}

func (e *geoJSONEncoder) end() error {
	if _, err := e.w.WriteString("\n]}\n"); err != nil {
		return err
	}
	return e.w.Flush()
}

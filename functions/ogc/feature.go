package ogc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Feature is a GeoJSON feature (RFC 7946). Links are those of a feature that was asked for alone.
type Feature struct {
	Type       string          `json:"type"`
	ID         string          `json:"id"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties properties      `json:"properties"`
	Links      []Link          `json:"links,omitempty"`

	raw json.RawMessage // this feature as JSON
}

// newFeature returns a feature with the values of the fields, in their order. geometry is GeoJSON.
func newFeature(id string, geometry []byte, fields []field, values ...any) (Feature, error) {
	f := Feature{Type: "Feature", ID: id, Geometry: geometry}
	for i, of := range fields {
		raw, err := json.Marshal(values[i])
		if err != nil {
			return Feature{}, fmt.Errorf("encode %s: %w", of.name, err)
		}
		f.Properties = append(f.Properties, property{of.name, raw})
	}
	var err error
	if f.raw, err = json.Marshal(f); err != nil {
		return Feature{}, fmt.Errorf("encode feature: %w", err)
	}
	return f, nil
}

// fitting is how many of the features are at most maxBytes together, and at least one.
func fitting(all []Feature) int {
	size := 0
	for i, f := range all {
		if size += len(f.raw); size > maxBytes && i > 0 {
			return i
		}
	}
	return len(all)
}

// property is one member of a feature. Its value is JSON.
type property struct {
	name  string
	value json.RawMessage
}

// properties are written in their order.
type properties []property

// MarshalJSON implements json.Marshaler.
func (p properties) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, of := range p {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", of.name, of.value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

type itemInput struct {
	Collection string `path:"collection" doc:"The id of a collection" example:"reports"`
	Feature    string `path:"feature" doc:"The id of a feature" example:"01932f6a-1e5b-7c07-9d5e-3f1f6a5b8c21"`
	Format
}

func (g *Group) item(ctx context.Context, in *itemInput) (*output, error) {
	v, c, err := g.viewOf(ctx, in.Format, in.Collection)
	if err != nil {
		return nil, err
	}
	read := g.area
	if c.id == reportsID {
		read = g.report
	}
	f, err := read(ctx, c, in.Feature)
	if err != nil {
		return nil, err
	}
	f.Links = slices.Concat(v.self(mediaGeoJSON, c.path()+"/items/"+f.ID, nil), []Link{v.link("collection", mediaJSON, c.path(), "collection")})
	return g.answer(v, mediaGeoJSON, f, func() content { return v.pageOfItem(c, f) })
}

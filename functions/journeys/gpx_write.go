package journeys

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
	gpx "github.com/twpayne/go-gpx"
)

const gpxMedia = "application/gpx+xml"

// gpxOutput is the answer with a GPX file.
type gpxOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// routeGPX writes each marker once: dated past ones as a track, dated planned ones as a route, the others as waypoints.
// Importing the file gives the same markers back.
func (g *Group) routeGPX(ctx context.Context, in *journeyInput) (*gpxOutput, error) {
	j, markers, _, err := g.journeyWithMarkers(ctx, in.JourneyID)
	if err != nil {
		return nil, err
	}
	doc := &gpx.GPX{Version: "1.1", Creator: "LafaekStreet",
		Metadata: &gpx.MetadataType{Name: j.Name, Desc: j.Description, Time: j.CreatedAt}}
	track, plan := &gpx.TrkSegType{}, &gpx.RteType{Name: j.Name}
	for _, m := range ridingOrder(markers) {
		if m.Type == markerPast {
			track.TrkPt = append(track.TrkPt, m.gpx())
		} else {
			plan.RtePt = append(plan.RtePt, m.gpx())
		}
	}
	for _, m := range markers {
		if m.date() == nil {
			doc.Wpt = append(doc.Wpt, m.gpx())
		}
	}
	if len(track.TrkPt) > 0 {
		doc.Trk = []*gpx.TrkType{{Name: j.Name, TrkSeg: []*gpx.TrkSegType{track}}}
	}
	if len(plan.RtePt) > 0 {
		doc.Rte = []*gpx.RteType{plan}
	}
	var out bytes.Buffer
	out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	if err := doc.WriteIndent(&out, "", " "); err != nil {
		return nil, fmt.Errorf("write GPX: %w", err)
	}
	return &gpxOutput{ContentType: gpxMedia, Body: out.Bytes(),
		Disposition: `attachment; filename="journey-` + j.ID.String() + `.gpx"`}, nil
}

func (m marker) gpx() *gpx.WptType {
	w := &gpx.WptType{Lat: m.Lat, Lon: m.Lon, Name: m.Name, Desc: m.Notes, Type: m.Type}
	if d := m.date(); d != nil {
		w.Time = d.UTC().Truncate(24 * time.Hour)
	}
	return w
}

func fileResponse(media, description string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: description,
		Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
}

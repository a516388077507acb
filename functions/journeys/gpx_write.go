package journeys

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	gpx "github.com/twpayne/go-gpx"
)

const gpxMedia = "application/gpx+xml"

type routeGPXInput struct {
	JourneyID uuid.UUID `path:"journey_id" format:"uuid"`
	Encodings string    `header:"Accept-Encoding" hidden:"true"`
}

// routeGPX writes each marker once: dated past ones as a track, dated planned ones as a route, the others as waypoints.
// Importing the file gives the same markers back.
func (g *Group) routeGPX(ctx context.Context, in *routeGPXInput) (*fileOutput, error) {
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
	return g.sendFile(ctx, outgoing{journey: j.ID, contentType: gpxMedia, disposition: attachment(j.Name, ".gpx"), encodings: in.Encodings,
		write: func(w io.Writer) error {
			if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
				return fmt.Errorf("write GPX: %w", err)
			}
			if err := doc.WriteIndent(w, "", " "); err != nil {
				return fmt.Errorf("write GPX: %w", err)
			}
			return nil
		}})
}

func (m marker) gpx() *gpx.WptType {
	w := &gpx.WptType{Lat: m.Lat, Lon: m.Lon, Name: m.Name, Desc: m.Notes, Type: m.Type}
	if d := m.date(); d != nil {
		w.Time = d.UTC().Truncate(24 * time.Hour)
	}
	return w
}

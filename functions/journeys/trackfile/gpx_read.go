package trackfile

import (
	"encoding/xml"
	"io"
	"math"
	"slices"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// DerivedSource is the src of a line that a file of this API has beside its waypoints, through which it goes. It is skipped.
const DerivedSource = "LafaekStreet: line through the waypoints"

// readGPX reads a GPX file in one pass. Elements are found by their local names. Only what is used is looked at: places,
// elevations, times, names, notes, types and sources. Of extensions, only those of route points are.
//
// Document types are refused, so no entity but the five of XML is ever expanded.
func readGPX(src io.Reader, now time.Time, w *warning.Collector) (*File, error) {
	r := gpxReader{xml: newXMLReader(src), found: collector{now: now, warnings: w}}
	return r.read()
}

type gpxReader struct {
	xml   xmlReader
	found collector
	via   []int // indexes of the tracks that are routes through a few points of another track
}

func (r *gpxReader) warn(code warning.Code) { r.found.warnings.Add(r.xml.place(), code) }

func (r *gpxReader) read() (*File, error) {
	root, err := r.xml.root()
	if err != nil {
		return nil, err
	}
	if root.Name.Local != "gpx" {
		return nil, r.xml.fault("expected a gpx element")
	}
	err = r.xml.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "wpt":
			return r.waypoint(e)
		case "trk", "rte":
			return r.line(e)
		case "trkseg", "trkpt", "rtept": // without the element that they belong to
			r.warn(warning.PointDropped)
		}
		return r.xml.skip()
	})
	if err != nil {
		return nil, err
	}
	if err := r.xml.end(); err != nil {
		return nil, err
	}
	r.dropVia()
	return r.found.done()
}

// dropVia drops the routes through points of a track when the file has a track: they are the same way in fewer points.
func (r *gpxReader) dropVia() {
	tracks := r.found.file.Tracks
	if !slices.ContainsFunc(tracks, func(t track.Track) bool { return !t.Route }) {
		return
	}
	for _, i := range slices.Backward(r.via) {
		tracks = slices.Delete(tracks, i, i+1)
	}
	r.found.file.Tracks = tracks
}

// gpxLine is a trk or rte while it is read.
type gpxLine struct {
	track.Track
	source string
	via    bool          // its points are marked as points of a track of the file
	loose  []track.Point // points outside of a trkseg, as those of a route are
	shape  []track.Point // the way from the last route point on
}

// line reads a trk or rte.
func (r *gpxReader) line(e xml.StartElement) error {
	l := gpxLine{Track: track.Track{Route: e.Name.Local == "rte"}}
	before, place := r.found.points, r.xml.place()
	err := r.xml.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "name":
			return r.xml.text(&l.Name)
		case "src":
			return r.xml.text(&l.source)
		case "trkseg":
			return r.segment(&l)
		case "trkpt", "rtept":
			err := r.linePoint(e, &l, &l.loose)
			l.loose, l.shape = append(l.loose, l.shape...), l.shape[:0]
			return err
		}
		return r.xml.skip()
	})
	if err != nil {
		return err
	}
	if l.source == DerivedSource {
		r.found.points = before
		return nil
	}
	l.Segments = append(l.Segments, l.loose)
	tracks := len(r.found.file.Tracks)
	r.found.addTrack(l.Track, place)
	if l.Route && l.via && len(r.found.file.Tracks) > tracks {
		r.via = append(r.via, tracks)
	}
	return nil
}

func (r *gpxReader) segment(l *gpxLine) error {
	var points []track.Point
	err := r.xml.children(func(e xml.StartElement) error {
		if e.Name.Local == "trkpt" {
			return r.linePoint(e, l, &points)
		}
		return r.xml.skip()
	})
	if len(points) > 0 {
		l.Segments = append(l.Segments, points)
	}
	return err
}

// linePoint reads a trkpt or rtept and appends it to points.
func (r *gpxReader) linePoint(e xml.StartElement, l *gpxLine, points *[]track.Point) error {
	p := track.Point{Elevation: float32(math.NaN()), Time: track.NoTime}
	var placed bool
	if p.Lon, p.Lat, placed = placeOf(e.Attr); !placed {
		r.warn(warning.PointDropped)
		return r.xml.skip()
	}
	err := r.xml.children(func(e xml.StartElement) error {
		switch name := e.Name.Local; {
		case name == "ele" && math.IsNaN(float64(p.Elevation)): // the first one counts
			return r.elevation(&p)
		case name == "time" && p.Time == track.NoTime:
			return r.pointTime(&p, l)
		case name == "extensions" && l.Route:
			return r.routeExtensions(l)
		}
		return r.xml.skip()
	})
	if err != nil {
		return err
	}
	*points = append(*points, p)
	return r.found.count(1)
}

// routeExtensions reads the extensions of a route point. Garmin's have the way to the next route point. OsmAnd's say which
// point of the track it is.
func (r *gpxReader) routeExtensions(l *gpxLine) error {
	return r.xml.children(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "RoutePointExtension":
			return r.xml.children(func(e xml.StartElement) error {
				if e.Name.Local == "rpt" {
					return r.linePoint(e, l, &l.shape)
				}
				return r.xml.skip()
			})
		case "trkpt_idx":
			l.via = true
		}
		return r.xml.skip()
	})
}

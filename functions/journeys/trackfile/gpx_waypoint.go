package trackfile

import (
	"encoding/xml"

	"github.com/lafaekstreet/backend/functions/journeys/track"
	"github.com/lafaekstreet/backend/shared/warning"
)

// gpxWaypoint is a wpt while it is read.
type gpxWaypoint struct {
	Waypoint
	comment, stated string
	at              fileTime
	timed           bool
}

// waypoint reads a wpt. Its stated type says whether it is planned. Without one it is past when its time is not after now.
func (r *gpxReader) waypoint(e xml.StartElement) error {
	place := r.xml.place()
	lon, lat, placed := placeOf(e.Attr)
	if !placed {
		r.warn(warning.PointDropped)
		return r.xml.skip()
	}
	w := gpxWaypoint{Waypoint: Waypoint{Lon: lon, Lat: lat}}
	if err := r.xml.children(func(e xml.StartElement) error { return r.waypointMember(e, &w) }); err != nil {
		return err
	}
	if w.Notes == "" {
		w.Notes = w.comment
	}
	if w.Notes == w.Name { // as GPSBabel writes a waypoint without notes
		w.Notes = ""
	}
	var known bool
	if w.Planned, known = statedKind(w.stated); !known {
		w.Planned = !w.timed || w.at.After(r.found.now)
	}
	if w.timed {
		day := track.Day(w.at.Time, w.at.Stated(), lon, lat)
		w.Day = &day
	}
	return r.found.addWaypoint(w.Waypoint, place)
}

func (r *gpxReader) waypointMember(e xml.StartElement, w *gpxWaypoint) error {
	switch name := e.Name.Local; {
	case name == "name":
		return r.xml.text(&w.Name)
	case name == "desc":
		return r.xml.text(&w.Notes)
	case name == "cmt":
		return r.xml.text(&w.comment)
	case name == "type":
		return r.xml.text(&w.stated)
	case name == "time" && !w.timed:
		var err error
		w.at, w.timed, err = r.time()
		return err
	}
	return r.xml.skip()
}

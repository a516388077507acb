package public

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
)

const mediaSVG = "image/svg+xml"

// sketchPolicy lets the drawing use its own style where it is opened as a page, and nothing else.
const sketchPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

func (p *Public) registerSketch(a *httpapi.API) {
	op := read("/api/v1/public/sketch.svg", "A small drawing of a place",
		"Boundaries and names around a point, with a scale, as SVG of a few kilobytes. Web Mercator: the world is 256 · 2^zoom pixels wide, and the point is in the middle, "+
			"so a client can turn a tap into a place. Where no boundary is in view, it has a grid with coordinates. Colours follow the reader's light or dark theme.")
	op.Cache = httpapi.FewMinutes
	content(&op, "The drawing", mediaSVG)
	httpapi.Register(a, op, p.sketch)
}

type sketchInput struct {
	Latitude  float64 `query:"latitude" required:"true" minimum:"-85" maximum:"85" doc:"Of the middle, degrees WGS 84" example:"-8.5569"`
	Longitude float64 `query:"longitude" required:"true" minimum:"-180" maximum:"180" doc:"Of the middle, degrees WGS 84" example:"125.5603"`
	Zoom      int     `query:"zoom" minimum:"5" maximum:"18" default:"14" doc:"Zoom level"`
	Width     int     `query:"width" minimum:"100" maximum:"1000" default:"360" doc:"In pixels"`
	Height    int     `query:"height" minimum:"100" maximum:"1000" default:"240" doc:"In pixels"`
	Pin       bool    `query:"pin" doc:"Draw a pin in the middle"`
	Lang      string  `query:"lang" maxLength:"40" doc:"Language of the names of municipalities: tet, pt or en; else that of Accept-Language" example:"tet"`
}

type sketchOutput struct {
	ContentType string `header:"Content-Type"`
	Policy      string `header:"Content-Security-Policy"`
	Body        []byte
}

// sketch draws the surroundings of a point.
func (p *Public) sketch(ctx context.Context, in *sketchInput) (*sketchOutput, error) {
	lang := locale.FromContext(ctx)
	if l, ok := locale.Parse(in.Lang); ok {
		lang = l
	}
	s := newSketch(in)
	var err error
	if s.shapes, err = p.readShapes(ctx, s.frame, lang); err != nil {
		return nil, err
	}
	return &sketchOutput{ContentType: mediaSVG, Policy: sketchPolicy, Body: s.draw()}, nil
}

// frame is a part of the world in Web Mercator, in pixels.
type frame struct {
	zoom, width, height int
	world               float64 // width of the world in pixels
	left, top           float64 // of the frame, in pixels of the world
	latitude            float64 // of the middle
}

// equator is the length of the equator in metres, as Web Mercator (EPSG:3857) has it.
const equator = 2 * math.Pi * 6378137

func newFrame(latitude, longitude float64, zoom, width, height int) frame {
	world := 256 * math.Exp2(float64(zoom))
	y := (1 - math.Asinh(math.Tan(latitude*math.Pi/180))/math.Pi) / 2
	return frame{zoom: zoom, width: width, height: height, world: world, latitude: latitude,
		left: (longitude+180)/360*world - float64(width)/2, top: y*world - float64(height)/2}
}

// longitude returns that of a pixel of the frame.
func (f frame) longitude(x float64) float64 { return (f.left+x)/f.world*360 - 180 }

// latitudeOf returns that of a pixel of the frame.
func (f frame) latitudeOf(y float64) float64 {
	return math.Atan(math.Sinh(math.Pi*(1-2*(f.top+y)/f.world))) * 180 / math.Pi
}

// metres returns the length of a pixel on the ground, in metres, in the middle of the frame.
func (f frame) metres() float64 { return equator / f.world * math.Cos(f.latitude*math.Pi/180) }

// levels are the levels of places that are drawn at this zoom. The names of the last have the first choice of room.
func (f frame) levels() []string {
	switch {
	case f.zoom >= 13:
		return []string{"municipality", "district", "locality", "suco"}
	case f.zoom >= 12:
		return []string{"municipality", "district", "suco"}
	case f.zoom >= 10:
		return []string{"municipality", "district"}
	}
	return []string{"municipality"}
}

// shape is a boundary in pixels of the frame: the data of an SVG path, and the place of its name. A locality has no path.
type shape struct {
	Level, Name, Path string
	X, Y              float64
}

// shapesQuery returns the boundaries in a frame, simplified to about a pixel. They are cut and simplified in degrees before
// they are projected: a municipality has thousands of points. They reach 10 pixels beyond the frame, so that the edges of the
// cut are not seen. Parameters: the frame in degrees $1 to $4, a pixel in degrees $5,
// levels $6, the place of the left top corner in metres of Web Mercator $7 and $8, pixels for a metre $9, language $10.
var shapesQuery = `
	WITH frame AS (SELECT ST_MakeEnvelope($1, $2, $3, $4, 4326) AS box),
	cut AS (
	    SELECT b.level, CASE WHEN m.code IS NULL THEN b.name WHEN $10 = 'tet' THEN m.name_tet WHEN $10 = 'pt' THEN m.name_pt ELSE m.name END AS name,
	           ST_Simplify(ST_ClipByBox2D(b.area, ST_Expand(frame.box, $5::float8 * 10)), $5::float8 * 0.8) AS area, frame.box
	      FROM frame, boundaries b LEFT JOIN municipalities m ON b.level = 'municipality' AND m.code = b.code
	     WHERE b.area && frame.box AND b.level = ANY($6)
	),
	placed AS (
	    SELECT level, name, ST_Area(area) AS size, ` + inPixels("area") + ` AS area, ` + inPixels("ST_PointOnSurface(ST_ClipByBox2D(area, box))") + ` AS at
	      FROM cut WHERE NOT ST_IsEmpty(area)
	)
	SELECT * FROM (SELECT level, name, coalesce(ST_AsSVG(ST_SnapToGrid(area, 0.5), 1, 1), ''), ST_X(at), -ST_Y(at)
	  FROM placed WHERE NOT ST_IsEmpty(at) ORDER BY array_position($6, level), size DESC, name LIMIT 300) shapes
	UNION ALL
	SELECT * FROM (SELECT 'locality', n.name, '', ST_X(` + inPixels("n.place") + `), -ST_Y(` + inPixels("n.place") + `)
	  FROM frame, place_names n WHERE 'locality' = ANY($6) AND n.place && frame.box ORDER BY n.id LIMIT 60) localities`

// inPixels returns the expression that projects a geometry in degrees to pixels of the frame of shapesQuery; y grows upwards.
func inPixels(geometry string) string {
	return `ST_TransScale(ST_Transform(` + geometry + `, 3857), -$7::float8, -$8::float8, $9::float8, $9::float8)`
}

func (p *Public) readShapes(ctx context.Context, f frame, lang locale.Language) ([]shape, error) {
	metre := f.world / equator
	rows, err := p.db.Query(ctx, shapesQuery, f.longitude(0), f.latitudeOf(float64(f.height)), f.longitude(float64(f.width)), f.latitudeOf(0),
		360/f.world, f.levels(), f.left/metre-equator/2, equator/2-f.top/metre, metre, string(lang))
	if err != nil {
		return nil, fmt.Errorf("read boundaries in view: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[shape])
	if err != nil {
		return nil, fmt.Errorf("read boundaries in view: %w", err)
	}
	return found, nil
}

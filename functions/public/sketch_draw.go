package public

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// sketchStyle has the colours of light and dark themes. The ground has no colour of water: nobody knows what lies beyond
// the boundaries.
const sketchStyle = `<style>rect{fill:#e4eaee}path{fill:none;stroke:#8d9ba4;stroke-linejoin:round}.land{fill:#f8f6ef}.suco{stroke-width:.6}.district{stroke-width:1}.municipality{stroke-width:1.6}` +
	`.grid{stroke-width:.5}.bar{stroke:#16212b;stroke-width:2}.pin{fill:#b3261e;stroke:#fff;stroke-width:2}` +
	`text{font:12px system-ui,sans-serif;fill:#33424e;stroke:#fff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}.m{font-weight:700}.middle{text-anchor:middle}` +
	`@media(prefers-color-scheme:dark){rect{fill:#141d24}path{stroke:#5f717d}.land{fill:#25313b}.bar{stroke:#e8eef2}.pin{fill:#ff8a80;stroke:#10181f}text{fill:#d3dde4;stroke:#141d24}}</style>`

// maxPaths bounds the bytes of all paths of a sketch. Gzip makes about a third of them.
const maxPaths = 26_000

// sketch is a drawing of a frame.
type sketch struct {
	frame
	pin    bool
	shapes []shape
	taken  []rectangle // by labels
	out    bytes.Buffer
}

func newSketch(in *sketchInput) *sketch {
	return &sketch{frame: newFrame(in.Latitude, in.Longitude, in.Zoom, in.Width, in.Height), pin: in.Pin}
}

// draw returns the SVG.
func (s *sketch) draw() []byte {
	fmt.Fprintf(&s.out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">`, s.width, s.height, s.width, s.height)
	s.out.WriteString(sketchStyle + `<rect width="100%" height="100%"/>`)
	x, y := float64(s.width)/2, float64(s.height)/2
	scale, room := s.scale()
	s.taken = []rectangle{{x - 16, y - 40, x + 16, y + 8}, room} // a pin in the middle; the scale
	s.drawShapes()
	if !slices.ContainsFunc(s.shapes, func(s shape) bool { return s.Path != "" }) {
		s.drawGrid()
	}
	s.drawNames()
	s.out.WriteString(scale)
	if s.pin {
		fmt.Fprintf(&s.out, `<path class="pin" d="M%s %sc-5-9-12-14-12-22a12 12 0 0 1 24 0c0 8-7 13-12 22z"/>`, decimal(x), decimal(y))
	}
	s.out.WriteString(`</svg>`)
	return s.out.Bytes()
}

// drawShapes draws the boundaries, the largest level first, which also fills the land. Levels that would make the drawing too
// large are left out, the smallest first.
func (s *sketch) drawShapes() {
	total, filled := 0, ""
	for i, shape := range s.shapes {
		if total += len(shape.Path); total > maxPaths && i > 0 && shape.Level != s.shapes[0].Level {
			return
		}
		class := shape.Level
		if filled == "" || filled == shape.Level {
			filled = shape.Level
			class += " land"
		}
		if shape.Path != "" {
			fmt.Fprintf(&s.out, `<path class="%s" d="%s"/>`, class, shape.Path)
		}
	}
}

// scale returns a bar with its length on the ground, and the room that it takes.
func (s *sketch) scale() (string, rectangle) {
	length := roundDown(s.metres() * float64(s.width) / 3)
	label := decimal(length) + " m"
	if length >= 1000 {
		label = decimal(length/1000) + " km"
	}
	width, bottom := length/s.metres(), float64(s.height)-8
	return fmt.Sprintf(`<path class="bar" d="M8 %sv6h%sv-6"/><text x="10" y="%s">%s</text>`, decimal(bottom-6), decimal(width), decimal(bottom-9), label),
		rectangle{0, bottom - 24, 12 + max(width, 50), bottom + 8}
}

// drawGrid draws lines of equal longitude and latitude with their degrees, for a view without boundaries.
func (s *sketch) drawGrid() {
	step := roundDown(360 / s.world * 160)
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	for lon := math.Ceil(s.longitude(0)/step) * step; lon < s.longitude(float64(s.width)); lon += step {
		x := (lon+180)/360*s.world - s.left
		fmt.Fprintf(&s.out, `<path class="grid" d="M%s 0v%d"/>`, decimal(x), s.height)
		s.label(strconv.FormatFloat(lon, 'f', digits, 64)+"°", "middle", x, 10)
	}
	for lat := math.Ceil(s.latitudeOf(float64(s.height))/step) * step; lat < s.latitudeOf(0); lat += step {
		y := (1-math.Asinh(math.Tan(lat*math.Pi/180))/math.Pi)/2*s.world - s.top
		fmt.Fprintf(&s.out, `<path class="grid" d="M0 %sh%d"/>`, decimal(y), s.width)
		s.label(strconv.FormatFloat(lat, 'f', digits, 64)+"°", "middle", 28, y)
	}
}

// drawNames writes the names of the shapes where they do not cover each other. The smallest level comes first: it says most
// about where the point is.
func (s *sketch) drawNames() {
	names := slices.Clone(s.shapes)
	levels := s.levels()
	slices.SortStableFunc(names, func(a, b shape) int { return slices.Index(levels, b.Level) - slices.Index(levels, a.Level) })
	for _, name := range names {
		class := "middle"
		if name.Level == "municipality" {
			class += " m"
		}
		s.label(name.Name, class, name.X, name.Y)
	}
}

// rectangle is a part of the frame, in pixels.
type rectangle struct{ left, top, right, bottom float64 }

func (r rectangle) touches(o rectangle) bool {
	return r.left < o.right && o.left < r.right && r.top < o.bottom && o.top < r.bottom
}

// Sizes of a label in pixels. The width of a letter is a mean of bold text; the halo hides what it is wrong by.
const (
	letter     = 7
	lineHeight = 16
)

// label writes words around x, y, or a line or two above or below where that is taken. It leaves out what has no room.
func (s *sketch) label(words, class string, x, y float64) {
	half := float64(utf8.RuneCountInString(words))*letter/2 + 3
	x = min(max(x, half), float64(s.width)-half)
	shifts := []float64{0, lineHeight, -lineHeight}
	if s.zoom >= 12 { // shapes are large: further away the name is still inside
		shifts = append(shifts, 2*lineHeight, -3*lineHeight)
	}
	for _, shift := range shifts {
		at := rectangle{x - half, y + shift - lineHeight/2, x + half, y + shift + lineHeight/2}
		free := at.left >= 0 && at.top >= 0 && at.bottom <= float64(s.height) && !slices.ContainsFunc(s.taken, at.touches)
		if !free {
			continue
		}
		s.taken = append(s.taken, at)
		fmt.Fprintf(&s.out, `<text class="%s" x="%s" y="%s">%s</text>`, class, decimal(x), decimal(y+shift+4), html.EscapeString(words))
		return
	}
}

// roundDown returns the largest of 1, 2 and 5 times a power of ten that is not above v.
func roundDown(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	switch {
	case v >= 5*power:
		return 5 * power
	case v >= 2*power:
		return 2 * power
	}
	return power
}

// decimal writes a number with at most one digit after the point.
func decimal(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

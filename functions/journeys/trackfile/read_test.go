package trackfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

const (
	wpt   = `<wpt lat="1" lon="2"/>`
	trkpt = `<trkpt lat="1" lon="2"/>`
)

func inTrack(points string) string { return "<gpx><trk><trkseg>" + points + "</trkseg></trk></gpx>" }

func TestFaultsOfGPXFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"ends in a segment":      {"<gpx>\n<trk><trkseg>" + trkpt + trkpt + "\n", "line 3: expected well-formed XML"},
		"ends in a tag":          {"<gpx>\n<wpt lat=\"1\" lo", "line 2: expected well-formed XML"},
		"ends before the root":   {declared, ErrUnknownFormat.Error()},
		"ends in zeros":          {"<gpx>\n" + wpt + "\x00\x00\x00", "line 2: expected well-formed XML"},
		"NUL in a name":          {"<gpx><wpt lat=\"1\" lon=\"2\">\n<name>a\x00b</name></wpt></gpx>", "line 2: expected well-formed XML"},
		"NUL as a reference":     {"<gpx><wpt lat=\"1\" lon=\"2\"><name>a&#0;b</name></wpt></gpx>", "line 1: expected well-formed XML"},
		"NUL in extensions":      {"<gpx>" + wpt + "<extensions>\x00</extensions></gpx>", "line 1: expected well-formed XML"},
		"another end tag":        {"<gpx>\n" + wpt + "<a></b></gpx>", "line 2: expected well-formed XML"},
		"an end tag too many":    {"<gpx>" + wpt + "</gpx>\n</gpx>", "line 1: expected the end of the file"},
		"a second file":          {"<gpx>" + wpt + "</gpx>\n<gpx>" + wpt + "</gpx>", "line 1: expected the end of the file"},
		"text after the end":     {"<gpx>" + wpt + "</gpx>x", "line 1: expected the end of the file"},
		"text before the root":   {"<!-- a -->x<gpx>" + wpt + "</gpx>", "line 1: expected well-formed XML"},
		"another root":           {"\n\n" + declared + "<kml>\n</kml>", "line 4: expected a gpx element"},
		"document type":          {"<!DOCTYPE gpx>\n<gpx>" + wpt + "</gpx>", "line 1: expected no document type"},
		"entities":               {`<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gpx><wpt lat="1" lon="2"><name>&b;</name></wpt></gpx>`, "line 1: expected no document type"},
		"document type inside":   {"<gpx>\n<!DOCTYPE gpx SYSTEM \"file:///etc/passwd\">" + wpt + "</gpx>", "line 2: expected no document type"},
		"nesting":                {"<gpx>" + strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth) + wpt + "</gpx>", "line 1: expected less nesting"},
		"a long attribute":       {"<gpx><wpt lat=\"1\" lon=\"" + strings.Repeat("2", maxToken+1<<17) + "\"/></gpx>", "line 1: expected shorter texts"},
		"a long text":            {"<gpx><wpt lat=\"1\" lon=\"2\"><name>" + strings.Repeat("2", maxToken+1<<17) + "</name></wpt></gpx>", "line 1: expected shorter texts"},
		"a long comment":         {"<gpx>" + wpt + "<!--" + strings.Repeat("2", maxToken+1<<17) + "--></gpx>", "line 1: expected shorter texts"},
		"nothing":                {"", ErrUnknownFormat.Error()},
		"blank":                  {" \n", ErrUnknownFormat.Error()},
		"another format":         {"name,lat,lon", ErrUnknownFormat.Error()},
		"a zip file":             {"PK\x03\x04\x14\x00", ErrUnknownFormat.Error()},
		"no points":              {"<gpx></gpx>", ErrEmpty.Error()},
		"a track without points": {"<gpx><trk><name>a</name></trk><rte/></gpx>", ErrEmpty.Error()},
	} {
		if got, _ := readAll(t, c.file); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestLimitsOfAGPXFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"all points":        {inTrack(strings.Repeat(trkpt, track.MaxPoints)), nil},
		"a point more":      {inTrack(strings.Repeat(trkpt, track.MaxPoints+1)), ErrTooManyPoints},
		"a derived line":    {"<gpx><trk><src>" + DerivedSource + "</src>" + strings.Repeat(trkpt, track.MaxPoints) + "</trk><trk>" + trkpt + trkpt + "</trk></gpx>", nil},
		"all waypoints":     {"<gpx>" + strings.Repeat(wpt, MaxWaypoints) + "</gpx>", nil},
		"a waypoint more":   {"<gpx>" + strings.Repeat(wpt, MaxWaypoints+1) + "</gpx>", ErrTooManyPoints},
		"all bytes":         {oneName + strings.Repeat(" ", MaxBytes-len(oneName)), nil},
		"a byte more":       {oneName + strings.Repeat(" ", MaxBytes-len(oneName)+1), ErrTooLarge},
		"a byte more first": {strings.Repeat(" ", MaxBytes) + "<", ErrUnknownFormat},
		"all depth":         {"<gpx>" + strings.Repeat("<a>", maxDepth-1) + strings.Repeat("</a>", maxDepth-1) + wpt + "</gpx>", nil},
		"a long text":       {fmt.Sprintf("<gpx>%s<extensions>%s</extensions></gpx>", wpt, strings.Repeat("a", maxToken-1<<17)), nil},
	} {
		if _, err := Read(strings.NewReader(c.file), now(), nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestTheFirstCharacterTellsTheFormat(t *testing.T) {
	t.Parallel()
	little := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	const json = `{"type":"Feature","geometry":{"type":"Point","coordinates":[2,1]},"properties":{"name":"Díli"}}`
	const gpx = `<gpx><wpt lat="1" lon="2"><name>Díli</name></wpt></gpx>`
	for _, text := range []string{json, gpx} {
		for _, file := range []string{text, "\ufeff" + text, " \r\n\t" + text + "\x00\x00", "\xff\xfe" + encoded(t, little, text), encoded(t, little, text+"\n\x00"),
			encoded(t, charmap.Windows1252, text)} {
			if got, warnings := readAll(t, file); got != "plan \"Díli\" \"\" 1,2 -\n" || warnings != "" {
				t.Errorf("%q: %s %s", file, got, warnings)
			}
		}
	}
}

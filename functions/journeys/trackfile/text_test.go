package trackfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

const (
	declared = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	oneName  = `<gpx><wpt lat="-8.5" lon="125.5"><name>Díli “Porto”</name></wpt></gpx>`
)

// encoded returns a text in another encoding.
func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadsAnyEncoding(t *testing.T) {
	t.Parallel()
	little, big := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	declare := func(label string) string { return `<?xml version="1.0" encoding="` + label + `"?>` + "\n" }
	for name, file := range map[string]string{
		"UTF-8":                                declared + oneName,
		"no declaration":                       oneName,
		"byte order mark":                      "\ufeff" + declared + oneName,
		"two byte order marks":                 "\ufeff\ufeff" + declared + oneName,
		"byte order mark after space":          " \n\ufeff" + oneName,
		"space before the declaration":         "\r\n \t" + declared + oneName,
		"UTF-16 LE with a mark":                "\xff\xfe" + encoded(t, little, declare("UTF-16")+oneName),
		"UTF-16 BE with a mark":                "\xfe\xff" + encoded(t, big, declare("UTF-16")+oneName),
		"UTF-16 LE with two marks":             "\xff\xfe\xff\xfe" + encoded(t, little, oneName),
		"UTF-16 LE without a mark":             encoded(t, little, declare("utf-16")+oneName),
		"UTF-16 BE without a mark":             encoded(t, big, "\n"+declare("utf-16")+oneName),
		"UTF-16 that declares UTF-8":           encoded(t, little, declared+oneName),
		"UTF-16 that declares windows-1252":    encoded(t, little, declare("windows-1252")+oneName),
		"UTF-16 with NULs after the end":       encoded(t, little, oneName+"\x00\x00\n"),
		"UTF-8 that declares UTF-16":           declare("UTF-16") + oneName,
		"UTF-8 that declares UTF-16LE":         declare("utf-16le") + oneName,
		"windows-1252":                         declare("windows-1252") + encoded(t, charmap.Windows1252, oneName),
		"windows-1252 in single quotes":        `<?xml version='1.0' encoding='windows-1252' standalone='yes' ?>` + encoded(t, charmap.Windows1252, oneName),
		"windows-1250":                         declare("Windows-1250") + encoded(t, charmap.Windows1250, oneName),
		"windows-1252 that declares UTF-8":     declared + encoded(t, charmap.Windows1252, oneName),
		"windows-1252 that declares nothing":   encoded(t, charmap.Windows1252, oneName),
		"UTF-8 that declares what is not one":  declare("ANSI") + oneName,
		"windows-1252 after a byte order mark": "\ufeff" + declare("windows-1252") + oneName,
		"XML 1.1":                              `<?xml version="1.1"?>` + oneName,
		"NULs after the end":                   oneName + "\x00\x00\x00",
		"space and NULs after the end":         oneName + "\n\x00 \r\n\x00\t",
	} {
		if got, warnings := readAll(t, file); got != `plan "Díli “Porto”" "" -8.5,125.5 -`+"\n" || warnings != "" {
			t.Errorf("%s: %s %s", name, got, warnings)
		}
	}
	for label, c := range map[string]struct {
		e    encoding.Encoding
		name string
	}{
		"ISO-8859-15": {charmap.ISO8859_15, "Díli €"}, "iso-8859-7": {charmap.ISO8859_7, "Τιμόρ"}, "Windows-1251": {charmap.Windows1251, "Тимор"},
		"Shift_JIS": {japanese.ShiftJIS, "ティモール"},
	} {
		file := declare(label) + encoded(t, c.e, `<gpx><wpt lat="1" lon="2"><name>`+c.name+`</name></wpt></gpx>`)
		if got, _ := readAll(t, file); got != fmt.Sprintf("plan %q \"\" 1,2 -\n", c.name) {
			t.Errorf("%s: %s", label, got)
		}
	}
}

// The encoding does not depend on how the bytes arrive.
func TestReadsOneByteAtATime(t *testing.T) {
	t.Parallel()
	text := declared + oneName + "\x00"
	for _, file := range []string{text, "\xff\xfe" + encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), text), encoded(t, charmap.Windows1252, text)} {
		f, err := Read(iotest.OneByteReader(strings.NewReader(file)), now(), nil)
		if err != nil || f.Waypoints[0].Name != "Díli “Porto”" {
			t.Errorf("%q: %+v %v", file, f, err)
		}
	}
}

// A character that becomes three bytes for one fits the buffers too.
func TestALongTextThatDeclaresNoEncoding(t *testing.T) {
	t.Parallel()
	notes := strings.Repeat("“", 5000)
	got, _ := readAll(t, encoded(t, charmap.Windows1252, `<gpx><wpt lat="1" lon="2"><desc>`+notes+`</desc></wpt></gpx>`))
	if want := "plan \"Waypoint 1\" \"" + notes + "\" 1,2 -\n"; got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

func TestCharactersThatXMLForbids(t *testing.T) {
	t.Parallel()
	got, warnings := readAll(t, "<gpx>\x0b<wpt lat=\"1\" lon=\"2\"><name>a\x01b\uffffc\ufffed\x0c</name><desc>&nbsp;&amp;nbsp; &eacute; a & b</desc></wpt></gpx>")
	if want := "plan \"a b c d\" \"&nbsp;&nbsp; &eacute; a & b\" 1,2 -\n"; got != want || warnings != "" {
		t.Errorf("got %s %s", got, warnings)
	}
}

// An error of the reader is not a fault of the file.
func TestErrorsOfTheReaderComeBack(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection lost")
	for _, start := range []string{"", "<gpx>", oneName, "{", "\xff\xfe"} {
		if _, err := Read(io.MultiReader(strings.NewReader(start), iotest.ErrReader(lost)), now(), nil); !errors.Is(err, lost) {
			t.Errorf("after %.10q: %v", start, err)
		}
	}
}

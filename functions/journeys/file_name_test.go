package journeys

import (
	"mime"
	"strings"
	"testing"
)

func TestNamesOfFiles(t *testing.T) {
	for journey, want := range map[string]string{
		"Across the island":           `attachment; filename="Across the island.gpx"`,
		"Tour":                        `attachment; filename=Tour.gpx`,
		"Díli – Baucau":               `attachment; filename="Dili Baucau.gpx"; filename*=utf-8''D%C3%ADli%20%E2%80%93%20Baucau.gpx`,
		"رحلة":                        `attachment; filename=journey.gpx; filename*=utf-8''%D8%B1%D8%AD%D9%84%D8%A9.gpx`,
		"🚲":                           `attachment; filename=journey.gpx; filename*=utf-8''%F0%9F%9A%B2.gpx`,
		`a"b'c\d`:                     `attachment; filename=a-b'c-d.gpx`,
		"../../etc/passwd":            `attachment; filename=etc-passwd.gpx`,
		"a\r\nSet-Cookie: x=1":        `attachment; filename="a Set-Cookie- x=1.gpx"`,
		"gpx\u202exe.exe\u2066":       `attachment; filename=gpxxe.exe.gpx`,
		"50% %41 <b>":                 `attachment; filename="50- -41 -b.gpx"`,
		" . ":                         `attachment; filename=journey.gpx`,
		"\u0085\u2028\x00\x7f\ufffd-": `attachment; filename=journey.gpx`,
	} {
		if got := attachment(journey, ".gpx"); got != want {
			t.Errorf("%q: %s, want %s", journey, got, want)
		}
	}
}

// The header is short, and a client reads the cut name in it.
func TestALongNameIsCut(t *testing.T) {
	for letter, want := range map[string]string{"a": strings.Repeat("a", 120), "ل": strings.Repeat("ل", 60), "🚲": strings.Repeat("🚲", 30), "𝄞a": strings.Repeat("𝄞a", 24)} {
		value := attachment(strings.Repeat(letter, 200), ".gpx")
		_, whole, _ := strings.Cut(value, "filename*=")
		read := "attachment; filename*=" + whole
		if whole == "" {
			read = value
		}
		_, params, err := mime.ParseMediaType(read)
		if err != nil || params["filename"] != want+".gpx" || len(value) > 600 {
			t.Errorf("%s: %v %v in %d bytes", letter, params, err, len(value))
		}
	}
}

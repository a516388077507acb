package open311

import (
	"encoding/json"
	"encoding/xml"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// inXML is a text as XML can have it: U+FFFD instead of what is no UTF-8 and of characters that XML does not have.
func inXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 {
			return r
		}
		return utf8.RuneError
	}, s)
}

// FuzzDocument writes texts that people choose in both formats. Each answer is well formed, and the texts come back: in JSON every
// character, in XML every one that XML has. A text never makes an element.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{"", "Kuak boot – Comoro", "</description><status>closed</status>", "]]> & <!-- <?xml ?>", "a\r\nb\tc", "\x00\x08\ufffe", "\xff\xfe", "\U0001F6A7", `"\u0000`, "\u2028</script>", "&#0;&amp;"} {
		f.Add(seed, seed+"x", -8.5569)
	}
	f.Fuzz(func(t *testing.T, title, description string, lat float64) {
		if math.IsNaN(lat) || math.IsInf(lat, 0) {
			return // the database has no such degrees
		}
		item := object{{"service_request_id", title}, {"description", description}, {"address_id", nil}, {"lat", lat}, {"metadata", true}, {"values", list{"value", []any{title, nil}}}}
		d := document{"service_requests", list{"request", []any{item}}}
		var inside struct {
			XMLName  xml.Name `xml:"service_requests"`
			Requests []struct {
				ID          string   `xml:"service_request_id"`
				Description string   `xml:"description"`
				Values      []string `xml:"values>value"`
				All         []struct {
					XMLName xml.Name
				} `xml:",any"`
			} `xml:"request"`
		}
		body := d.encode(XML)
		if err := xml.Unmarshal(body, &inside); err != nil || !utf8.Valid(body) {
			t.Fatalf("%v: %q", err, body)
		}
		if len(inside.Requests) != 1 || len(inside.Requests[0].All) != 3 {
			t.Fatalf("the text made an element: %q", body)
		}
		if r := inside.Requests[0]; r.ID != inXML(title) || r.Description != inXML(description) || len(r.Values) != 2 || r.Values[0] != inXML(title) {
			t.Errorf("%q and %q come back as %q and %q", title, description, r.ID, r.Description)
		}
		var bare []map[string]any
		if err := json.Unmarshal(d.encode(JSON), &bare); err != nil || len(bare) != 1 || len(bare[0]) != len(item) {
			t.Fatalf("%v: %q", err, d.encode(JSON))
		}
		if got := bare[0]["description"]; got != strings.ToValidUTF8(description, "\ufffd") && utf8.ValidString(description) {
			t.Errorf("%q comes back as %q", description, got)
		}
	})
}

package geocoding

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"unicode/utf8"
)

// says is a geocoder that answers everything with the same bytes.
type says []byte

// RoundTrip implements http.RoundTripper.
func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s)), Request: r}, nil
}

// FuzzNominatim: any answer is an error, or names the database takes and places on earth.
func FuzzNominatim(f *testing.F) {
	for _, seed := range []string{
		`{"display_name":"Rua de Nu Laran, Dili","lat":"-8.55","lon":"125.57","address":{"road":"Rua","suburb":"Motael","county":"Vera Cruz","state":"Dili","country":"Timor-Leste"}}`,
		`[{"display_name":"Dili","lat":"-8.55","lon":"125.57","type":"city","address":{"state":"Dili"}},{"display_name":"x","lat":"NaN","lon":"1e999"}]`,
		`{"error":"Unable to geocode"}`, `[{"display_name":"a\u0000b","lat":"91","lon":"-181"}]`, `{"address":null}`, `[]`, `null`, `[null]`, ``, `{"address":{"road":"\ud800"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n := &Nominatim{config: Config{URL: "http://geocoder"}, http: &http.Client{Transport: says(body)}}
		if a, err := n.Reverse(t.Context(), -8.5, 125.5); err == nil {
			for _, name := range []*string{a.DisplayName, a.Street, a.Suco, a.District, a.Municipality, a.Country} {
				if name != nil {
					checkName(t, *name)
				}
			}
		}
		found, err := n.Search(t.Context(), "dili", 5)
		if err != nil {
			return
		}
		if len(found) > 5 {
			t.Errorf("%d places", len(found))
		}
		for _, p := range found {
			checkName(t, p.DisplayName)
			if !(p.Latitude >= -90 && p.Latitude <= 90 && p.Longitude >= -180 && p.Longitude <= 180) {
				t.Errorf("a place at %v, %v", p.Latitude, p.Longitude)
			}
		}
	})
}

func checkName(t *testing.T, name string) {
	t.Helper()
	if name == "" || !utf8.ValidString(name) || bytes.ContainsRune([]byte(name), 0) || utf8.RuneCountInString(name) > 200 {
		t.Errorf("name %q", name)
	}
}

package open311

import (
	"strings"
)

// Format is the format of an answer.
type Format string

// The formats. A path ends in a full stop and the format.
const (
	XML  Format = "xml"
	JSON Format = "json"
	CSV  Format = "csv" // of requests.csv alone
)

// formats are those of every route.
func formats() []Format { return []Format{XML, JSON} }

// contentType is the media type with the encoding, as the specification writes it.
func (f Format) contentType() string {
	switch f {
	case JSON:
		return "application/json; charset=utf-8"
	case CSV:
		return "text/csv; charset=utf-8"
	}
	return "text/xml; charset=utf-8"
}

// cutFormat takes the format from the end of a path or of its last part. It is false where that ends in none of formats.
func cutFormat(path string) (string, Format, bool) {
	for _, f := range formats() {
		if rest, ok := strings.CutSuffix(path, "."+string(f)); ok {
			return rest, f, true
		}
	}
	return path, XML, false
}

package users

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// member is a text of a partial change: absent leaves what is stored, null or
// an empty text clears it.
type member struct {
	sent  bool
	value string
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *member) UnmarshalJSON(b []byte) error {
	m.sent = true
	if string(b) == "null" {
		return nil
	}
	return json.Unmarshal(b, &m.value)
}

// Schema implements huma.SchemaProvider.
func (member) Schema(huma.Registry) *huma.Schema {
	longest := 400
	return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &longest}
}

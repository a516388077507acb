package database

import (
	"encoding/json"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
)

// NewID is a fresh UUIDv7. It panics only when the machine has no randomness left,
// as crypto/rand itself does.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Text returns s as PostgreSQL can store it: valid UTF-8 without NUL.
func Text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// SameText reports whether two texts are the same in Unicode: "é" in one character or in two. Texts are stored as they were
// sent.
func SameText(a, b string) bool { return a == b || norm.NFC.String(a) == norm.NFC.String(b) }

// JSON returns raw as a jsonb column takes it: without NUL and without halves of
// surrogate pairs, which JSON can escape and text cannot hold. It returns nil for
// text that is not JSON and for a number that no float64 holds.
func JSON(raw []byte) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	out, err := json.Marshal(withoutNUL(v))
	if err != nil {
		return nil
	}
	return out
}

func withoutNUL(v any) any {
	switch v := v.(type) {
	case string:
		return Text(v)
	case []any:
		for i := range v {
			v[i] = withoutNUL(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[Text(name)] = withoutNUL(item)
		}
		return out
	}
	return v
}

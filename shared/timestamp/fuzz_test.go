package timestamp_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/timestamp"
)

// FuzzWire: any JSON is refused, or an instant and a date that what we write is
// read as again, by us and by everybody who knows RFC 3339.
func FuzzWire(f *testing.F) {
	for _, seed := range []string{`"2026-11-21T08:30:00.123456789+09:00"`, `"2026-11-21"`, `"0000-01-01T00:00:00+23:59"`, `"9999-12-31T23:59:59-23:59"`, `null`, `""`, `"`, `1`,
		`"2026-02-30"`, `"2026-11-21t08:30:00z"`, `"2026-11-21T24:00:00Z"`, `"2026-11-21T08:30:60Z"`, `"\u0032026-11-21"`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var at, again timestamp.Time
		if json.Unmarshal(raw, &at) == nil && !at.IsZero() {
			written, err := json.Marshal(at)
			if err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if err := json.Unmarshal(written, &again); err != nil || !again.Equal(at.Truncate(time.Millisecond)) {
				t.Errorf("%s is written as %s, which is %v (%v)", raw, written, again, err)
			}
			if _, err := time.Parse(time.RFC3339, at.String()); err != nil {
				t.Errorf("%s is written as %s", raw, at)
			}
		}
		var on, twice timestamp.Date
		if json.Unmarshal(raw, &on) == nil && !on.IsZero() {
			written, err := json.Marshal(on)
			if err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if err := json.Unmarshal(written, &twice); err != nil || !twice.Equal(on.Time) {
				t.Errorf("%s is written as %s, which is %v (%v)", raw, written, twice, err)
			}
		}
	})
}

package track_test

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/functions/journeys/track"
)

func TestDayIsTheRidersOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at string
		stated   bool
		lon, lat float64
		want     string
	}{
		{"an offset is stated", "2026-11-20T05:00:00+09:00", true, 0, 50, "2026-11-20"},
		{"an offset is stated, in the country", "2026-11-19T23:00:00-05:00", true, 125.5, -8.5, "2026-11-19"},
		{"Z in the country, before nine in the morning", "2026-11-19T20:00:00Z", false, 125.5, -8.5, "2026-11-20"},
		{"Z in the country, after nine in the morning", "2026-11-20T01:00:00Z", false, 125.5, -8.5, "2026-11-20"},
		{"Z in Oecusse", "2026-11-19T20:00:00Z", false, 124.35, -9.3, "2026-11-20"},
		{"Z elsewhere", "2026-11-19T20:00:00Z", false, 13.4, 52.5, "2026-11-19"},
		{"the time zone of the value does not count", "2026-11-20T05:00:00+09:00", false, 13.4, 52.5, "2026-11-19"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := track.Day(at, c.stated, c.lon, c.lat).Format(time.RFC3339); got != c.want+"T00:00:00Z" {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

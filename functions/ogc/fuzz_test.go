package ogc

import (
	"strings"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/reportread"
)

// FuzzParameters: any text is refused, or read as a limit, a box and a period that there are.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{"", "10", "0", "-1", "99999999999999999999", "125,-9,126,-8", "125,-9,0,126,-8,9", "125,-9,NaN,126,-8,1", "1e308,0,1,1", "0x1p-2,0,1,1", " 1, 2, 3, 4 ", "2026-11-01T00:00:00Z",
		"2026-11-01T00:00:00Z/..", "/2026-11-01T00:00:00+09:00", "2026-11-01T00:00:00 09:00", "../..", "0000-01-01T00:00:00Z/9999-12-31T23:59:59.999999999-23:59", "2026-11-01T00:00:00,5Z", "\x00", "²"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := parseLimit(s); ok && (n < 1 || n > maxLimit) {
			t.Errorf("%q is the limit %d", s, n)
		}
		if box, ok := parseBox(s); ok && s != "" {
			if b, ok := reportread.ParseBox(box); !ok || b.MinLat > b.MaxLat || strings.Count(box, ",") != 3 {
				t.Errorf("%q is the box %q", s, box)
			}
		}
		if p, ok := parsePeriod(s); ok {
			if p.from != nil && p.to != nil && p.from.After(*p.to) || s != "" && p.from == nil && p.to == nil {
				t.Errorf("%q is the period %v", s, p)
			}
			for _, at := range []*time.Time{p.from, p.to} {
				if at != nil && (at.Year() < -1 || at.Year() > 10_000) {
					t.Errorf("%q is the year %d", s, at.Year())
				}
			}
		}
	})
}

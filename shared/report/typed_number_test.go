package report_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/report"
)

func TestNumbersAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC) // already 2027 in Dili
	for typed, want := range map[string][]string{
		"LS-2026-000123": {"LS-2026-000123"}, " ls2026000123 ": {"LS-2026-000123"}, "ls 2026 123": {"LS-2026-000123"}, "2026/123": {"LS-2026-000123"},
		"2026-1000123": {"LS-2026-1000123"}, "123": {"LS-2027-000123", "LS-2026-000123"}, "LS-000123": {"LS-2027-000123", "LS-2026-000123"},
		"0": nil, "Comoro": nil, "77312345": nil, "rua 12": nil, "": nil, "LS": nil,
	} {
		if got := report.TypedNumber(typed, now); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

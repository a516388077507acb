package budget

import (
	"testing"
	"time"
)

func TestTheBudgetRegainsOneMessageAnInterval(t *testing.T) {
	t.Parallel()
	b := Budget{Burst: 200, Interval: 4 * time.Minute}
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	number := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		was  *float64
		ago  time.Duration
		left float64
	}{
		{nil, 0, 200}, {number(0), 4 * time.Minute, 1}, {number(10.5), 2 * time.Minute, 11}, {number(199), time.Hour, 200},
		{number(5), -time.Hour, 5}, // a clock that was put back takes nothing away
	} {
		at := now.Add(-c.ago)
		if got := b.Left(c.was, &at, now); got != c.left {
			t.Errorf("%v, %s ago: %v left, want %v", c.was, c.ago, got, c.left)
		}
	}
	for _, c := range []struct {
		left      float64
		report    bool
		sinceLast time.Duration
		wait      time.Duration
	}{
		{200, false, 0, 0}, {100, false, 0, 0}, {99, true, 0, 0}, {1, true, 0, 0},
		{99, false, time.Minute, 3 * time.Minute}, {99, false, time.Hour, 4*time.Minute - time.Hour}, {0.5, true, time.Hour, 2 * time.Minute}, {0, false, 0, 4 * time.Minute},
	} {
		if got := b.Wait(c.left, c.report, c.sinceLast); got != c.wait && (got > 0 || c.wait > 0) {
			t.Errorf("%v left, report %v, %s after the last: wait %s, want %s", c.left, c.report, c.sinceLast, got, c.wait)
		}
	}
}

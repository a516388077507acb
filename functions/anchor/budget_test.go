package anchor

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTheBudgetRegainsOneMessageAnInterval(t *testing.T) {
	t.Parallel()
	b := budget{burst: 200, interval: 4 * time.Minute}
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
		if got := b.left(c.was, &at, now); got != c.left {
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
		if got := b.wait(c.left, c.report, c.sinceLast); got != c.wait && (got > 0 || c.wait > 0) {
			t.Errorf("%v left, report %v, %s after the last: wait %s, want %s", c.left, c.report, c.sinceLast, got, c.wait)
		}
	}
}

// month counts the checkpoints and the ledger messages of 30 days. The reports come by day, more by day than by night; each
// is followed by its picture, its place and its verdict within half a minute, and by two moves of staff within a week.
func month(reports int, b budget) (int, int) {
	var checkpoints, messages int
	const seconds = 30 * 24 * 3600
	random := rand.New(rand.NewPCG(1, 2))
	created, others := make([]uint16, seconds), make([]uint16, seconds)
	for range reports {
		at := random.IntN(30)*86400 + (random.IntN(43200)+random.IntN(43200)+21600)%86400
		created[at]++
		for _, after := range []int{3 + random.IntN(5), 5 + random.IntN(10), 8 + random.IntN(20), 3600 + random.IntN(3*86400), 86400 + random.IntN(6*86400)} {
			others[(at+after)%seconds]++
		}
	}
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	signed, last := start.Add(-time.Hour), start.Add(-time.Hour)
	var was *float64
	var drawn time.Time
	var waiting, unsent, unsentReport, waitingReport bool
	for s := range seconds {
		now := start.Add(time.Duration(s) * time.Second)
		waiting, waitingReport = waiting || created[s]+others[s] > 0, waitingReport || created[s] > 0
		if waiting && now.Sub(signed) >= publishEvery {
			unsent, unsentReport = true, unsentReport || waitingReport
			waiting, waitingReport, signed = false, false, now
			checkpoints++
		}
		left := b.left(was, &drawn, now)
		if unsent && now.Sub(last) >= 5*time.Second && b.wait(left, unsentReport, now.Sub(last)) <= 0 {
			left--
			was, drawn, last = &left, now, now
			unsent, unsentReport = false, false
			messages++
		}
	}
	return checkpoints, messages
}

// TestAMonthKeepsToItsBudget counts what decision 0014 has: at most the burst and one message each interval, however many
// reports come.
func TestAMonthKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	b := budget{burst: 200, interval: 4 * time.Minute}
	most := b.burst + int(30*24*time.Hour/b.interval)
	for _, reports := range []int{10_000, 1_000_000} {
		checkpoints, messages := month(reports, b)
		t.Logf("%d reports: %d checkpoints, %d messages; %.2f USD for messages, %.2f USD for signatures", reports, checkpoints, messages,
			0.0008*float64(messages), 0.15/10_000*float64(checkpoints+2*messages))
		if messages > most {
			t.Errorf("%d reports: %d messages, want at most %d", reports, messages, most)
		}
	}
}

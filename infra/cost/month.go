package cost

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lafaekstreet/backend/functions/anchor/budget"
)

// ledgerBudget is the budget of a stage whose operator changed nothing.
var ledgerBudget = budget.Budget{Burst: 200, Interval: 4 * time.Minute}

// ledger keeps the simulated months, because one of a million reports takes a second.
type ledger struct {
	mu    sync.Mutex
	known map[int]ledgerMonth
}

type ledgerMonth struct{ checkpoints, messages int }

func newLedger() *ledger { return &ledger{known: map[int]ledgerMonth{}} }

// month is month with the budget of a stage whose operator changed nothing.
func (l *ledger) month(reports int) (int, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.known[reports]
	if !ok {
		m.checkpoints, m.messages = month(reports, ledgerBudget)
		l.known[reports] = m
	}
	return m.checkpoints, m.messages
}

const secondsOfMonth = 30 * 24 * 3600

// month counts the checkpoints and the ledger messages of 30 days.
func month(reports int, b budget.Budget) (int, int) {
	var checkpoints, messages int
	created, others := arrivals(reports)
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	signed, last := start.Add(-time.Hour), start.Add(-time.Hour)
	var was *float64
	var drawn time.Time
	var waiting, unsent, unsentReport, waitingReport bool
	for s := range secondsOfMonth {
		now := start.Add(time.Duration(s) * time.Second)
		waiting, waitingReport = waiting || created[s]+others[s] > 0, waitingReport || created[s] > 0
		if waiting && now.Sub(signed) >= budget.CheckpointEvery {
			unsent, unsentReport = true, unsentReport || waitingReport
			waiting, waitingReport, signed = false, false, now
			checkpoints++
		}
		left := b.Left(was, &drawn, now)
		if unsent && now.Sub(last) >= 5*time.Second && b.Wait(left, unsentReport, now.Sub(last)) <= 0 {
			left--
			was, drawn, last = &left, now, now
			unsent, unsentReport = false, false
			messages++
		}
	}
	return checkpoints, messages
}

// arrivals counts the reports and their other events in each second. The reports come more by day than by night; each is
// followed by its picture, its place and its verdict within half a minute, and by two moves of staff within a week.
func arrivals(reports int) ([]uint32, []uint32) {
	random := rand.New(rand.NewPCG(1, 2))
	created, others := make([]uint32, secondsOfMonth), make([]uint32, secondsOfMonth)
	for range reports {
		at := random.IntN(30)*86400 + (random.IntN(43200)+random.IntN(43200)+21600)%86400
		created[at]++
		for _, after := range []int{3 + random.IntN(5), 5 + random.IntN(10), 8 + random.IntN(20), 3600 + random.IntN(3*86400), 86400 + random.IntN(6*86400)} {
			others[(at+after)%secondsOfMonth]++
		}
	}
	return created, others
}

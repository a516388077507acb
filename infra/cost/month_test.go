package cost

import (
	"testing"
	"time"
)

// TestAMonthKeepsToItsBudget: a month has at most the burst and one message each interval, however many reports come.
func TestAMonthKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	m := read(t)
	most := ledgerBudget.Burst + int(30*24*time.Hour/ledgerBudget.Interval)
	for _, reports := range []int{10_000, 1_000_000} {
		checkpoints, messages := m.ledger.month(reports)
		t.Logf("%d reports: %d checkpoints, %d messages", reports, checkpoints, messages)
		if messages > most || messages < most-10 {
			t.Errorf("%d reports: %d messages, want %d", reports, messages, most)
		}
	}
	if checkpoints, messages := month(0, ledgerBudget); checkpoints+messages != 0 {
		t.Errorf("without a report %d checkpoints and %d messages", checkpoints, messages)
	}
}

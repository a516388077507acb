// Package budget bounds the messages to the ledger, because each costs money.
package budget

import "time"

// CheckpointEvery is the shortest time between two checkpoints.
const CheckpointEvery = 10 * time.Second

// Budget is a token bucket: it holds at most Burst messages, and one more is added each Interval.
type Budget struct {
	Burst    int
	Interval time.Duration
}

// Left is how many messages are left now, of those that were left at a time; nil stands for the whole burst.
func (b Budget) Left(was *float64, at *time.Time, now time.Time) float64 {
	if was == nil || at == nil {
		return float64(b.Burst)
	}
	return min(float64(b.Burst), *was+max(now.Sub(*at), 0).Seconds()/b.Interval.Seconds())
}

// Wait is how long a message about new events has to wait; 0 or less sends it now. A new report is sent while one message is
// left. Everything else is sent while half of the burst is left, else one interval after the message before.
func (b Budget) Wait(left float64, newReport bool, sinceLast time.Duration) time.Duration {
	var wait time.Duration
	if left < 1 {
		wait = time.Duration((1 - left) * float64(b.Interval))
	}
	if !newReport && 2*left < float64(b.Burst) {
		wait = max(wait, b.Interval-sinceLast)
	}
	return wait
}

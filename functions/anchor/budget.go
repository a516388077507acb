package anchor

import "time"

// budget bounds the messages to the ledger, because each costs money. It is a token bucket: it holds at most burst messages,
// and one more is added each interval.
type budget struct {
	burst    int
	interval time.Duration
}

// left is how many messages are left now, of those that were left at a time; nil stands for the whole burst.
func (b budget) left(was *float64, at *time.Time, now time.Time) float64 {
	if was == nil || at == nil {
		return float64(b.burst)
	}
	return min(float64(b.burst), *was+max(now.Sub(*at), 0).Seconds()/b.interval.Seconds())
}

// wait is how long a message about new events has to wait; 0 or less sends it now. A new report is sent while one message is
// left. Everything else is sent while half of the burst is left, else one interval after the message before.
func (b budget) wait(left float64, newReport bool, sinceLast time.Duration) time.Duration {
	var wait time.Duration
	if left < 1 {
		wait = time.Duration((1 - left) * float64(b.interval))
	}
	if !newReport && 2*left < float64(b.burst) {
		wait = max(wait, b.interval-sinceLast)
	}
	return wait
}

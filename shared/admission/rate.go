package admission

import (
	"time"
)

// Rate is Limit requests in Period, of which Burst may come at once.
type Rate struct {
	Limit  int
	Period time.Duration
	Burst  int
}

// interval is the time one request takes to be allowed again.
func (r Rate) interval() time.Duration { return r.Period / time.Duration(r.Limit) }

// window is how far ahead of the present a key may be.
func (r Rate) window() time.Duration { return r.interval() * time.Duration(r.Burst) }

// take spends cost at now of a key whose theoretical arrival time is tat. It
// returns the new one, which is tat where the request is refused.
func (r Rate) take(tat, now time.Time, cost int) (time.Time, Budget) {
	if tat.Before(now) {
		tat = now
	}
	next := tat.Add(r.interval() * time.Duration(cost))
	allowed := next.Sub(now) <= r.window()
	retry := time.Duration(0)
	if allowed {
		tat = next
	} else {
		retry = next.Sub(now) - r.window()
	}
	return tat, r.budget(allowed, tat.Sub(now), retry)
}

func (r Rate) budget(allowed bool, ahead, retry time.Duration) Budget {
	return Budget{Allowed: allowed, Limit: r.Limit, Remaining: int((r.window() - ahead) / r.interval()), Reset: ahead, Retry: retry}
}

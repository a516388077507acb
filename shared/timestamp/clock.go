package timestamp

import "time"

// Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	// Now is the current instant, in UTC.
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC() }

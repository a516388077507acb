package anchor

import (
	"testing"
	"time"
)

func TestBackoffDoublesUpToFiveMinutes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base     time.Duration
		attempts int
		want     time.Duration
	}{
		{2 * time.Second, 0, 2 * time.Second},
		{2 * time.Second, 1, 4 * time.Second},
		{2 * time.Second, 7, 256 * time.Second},
		{2 * time.Second, 8, 5 * time.Minute},
		{2 * time.Second, 1000, 5 * time.Minute},
		{100 * time.Millisecond, 0, time.Second}, // delays of SQS are whole seconds
		{1700 * time.Millisecond, 1, 3 * time.Second},
	} {
		if got := backoff(c.base, c.attempts); got != c.want {
			t.Errorf("attempt %d of %s: got %s, want %s", c.attempts, c.base, got, c.want)
		}
	}
}

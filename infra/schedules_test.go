package main

import (
	"testing"
	"time"

	"github.com/lafaekstreet/backend/shared/catalog"
)

// EventBridge calls each scheduled function at its interval, or at its times of the day in UTC.
func TestScheduleExpressions(t *testing.T) {
	t.Parallel()
	digest, _ := catalog.Find("digest")
	for _, c := range []struct {
		f    catalog.Function
		want string
	}{
		{catalog.Function{Every: time.Minute}, "rate(1 minute)"}, {catalog.Function{Every: 2 * time.Hour}, "rate(2 hours)"},
		{catalog.Function{Every: 15 * time.Minute}, "cron(0/15 * * * ? *)"},
		{digest, "cron(30,40,50 22 * * ? *)"}, // 07:30 in Dili
	} {
		if got := expression(c.f); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lafaekstreet/backend/infra/local/console"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/start"
)

// schedule is a scheduled function that runs on this machine.
type schedule struct {
	plan     catalog.Function
	function start.Scheduled
}

func (b *background) followSchedules(ctx context.Context) error {
	for _, f := range catalog.Functions() {
		if f.Kind != catalog.Schedule {
			continue
		}
		open, err := opener(scheduled(), f.Name)
		if err != nil {
			return err
		}
		env, err := b.system.envOf(f.Name)
		if err != nil {
			return err
		}
		function, err := open(ctx, env)
		if err != nil {
			return fmt.Errorf("open %s: %w", f.Name, err)
		}
		s := schedule{f, function}
		b.schedules = append(b.schedules, s)
		b.tasks.Go(func() { b.follow(ctx, s) })
	}
	return nil
}

// follow calls a function with an interval at once and then at its interval, and one without at its times of the day; one call
// at a time.
func (b *background) follow(ctx context.Context, s schedule) {
	if s.plan.Every > 0 {
		b.call(ctx, s)
	}
	for {
		wait := time.NewTimer(untilNext(s.plan, time.Now()))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
			b.call(ctx, s)
		}
	}
}

// untilNext is how long it is from now to the next call.
func untilNext(f catalog.Function, now time.Time) time.Duration {
	if f.Every > 0 {
		return interval(f)
	}
	midnight := now.UTC().Truncate(24 * time.Hour)
	for _, at := range f.Daily {
		if next := midnight.Add(at); next.After(now) {
			return next.Sub(now)
		}
	}
	return midnight.Add(24*time.Hour + f.Daily[0]).Sub(now)
}

// call calls the function. Its error is logged here.
func (b *background) call(ctx context.Context, s schedule) {
	ctx, cancel := context.WithTimeout(ctx, s.plan.Timeout)
	defer cancel()
	if err := s.run(ctx); err != nil && ctx.Err() == nil {
		b.system.log.WarnContext(ctx, "scheduled function failed", "schedule", string(s.plan.Name), "error", err)
	}
}

// run calls the function once. A panic becomes an error.
func (s schedule) run(ctx context.Context) (failed error) {
	defer func() {
		if cause := recover(); cause != nil {
			failed = fmt.Errorf("panic: %v", cause)
		}
	}()
	return s.function.Run(ctx, events.EventBridgeEvent{Version: "0", DetailType: "Scheduled Event", Source: "aws.scheduler",
		Time: time.Now().UTC(), Resources: []string{"local/" + string(s.plan.Name)}})
}

// Schedules implements console.Schedules.
func (b *background) Schedules() []console.Schedule {
	var out []console.Schedule
	for _, s := range b.schedules {
		out = append(out, console.Schedule{Name: string(s.plan.Name), Runs: runs(s.plan)})
	}
	return out
}

// runs says in words when a function runs in AWS.
func runs(f catalog.Function) string {
	if f.Every > 0 {
		return "every " + f.Every.String()
	}
	var times []string
	for _, at := range f.Daily {
		times = append(times, time.Time{}.Add(at).Format("15:04"))
	}
	return "daily at " + strings.Join(times, ", ") + " UTC"
}

var errNoSchedule = errors.New("there is no such schedule")

// Run implements console.Schedules. The call may go on beside one by the clock, as in AWS.
func (b *background) Run(ctx context.Context, name string) error {
	i := slices.IndexFunc(b.schedules, func(s schedule) bool { return string(s.plan.Name) == name })
	if i < 0 {
		return errNoSchedule
	}
	ctx, cancel := context.WithTimeout(ctx, b.schedules[i].plan.Timeout)
	defer cancel()
	return b.schedules[i].run(ctx)
}

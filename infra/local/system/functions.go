package system

import (
	"context"
	"time"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/export"
	"github.com/lafaekstreet/backend/functions/geocode"
	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/start"
)

// group is a function behind the gateway.
type group struct {
	name string
	open func(context.Context, config.Env) (*httpapi.Service, error)
}

// groups are all functions behind the gateway. The first answers what no route is for.
func groups() []group {
	return []group{
		{"auth", auth.Open},
		{"admin", admin.Open},
		{"community", community.Open},
		{"journeys", journeys.Open},
		{"locations", locations.Open},
		{"meta", meta.Open},
		{"monitoring", monitoring.Open},
		{"notifications", notifications.Open},
		{"public", public.Open},
		{"reports", reports.Open},
		{"users", users.Open},
		{"staff", staff.Open},
	}
}

// worker is a function on the queue of its name.
type worker struct {
	queue queue.Name
	open  func(context.Context, config.Env) (queue.Handler, error)
	// batch is the most messages of one call, concurrency the most calls at once.
	batch, concurrency int
	timeout            time.Duration
}

// workers are all functions on queues.
func workers() []worker {
	return []worker{
		{queue.Images, images.Open, 1, 2, 20 * time.Second},
		{queue.Anchor, anchor.Open, queue.MaxBatch, 1, 30 * time.Second},
		{queue.Validate, validate.Open, 2, 2, time.Minute},
		{queue.Notify, notify.Open, queue.MaxBatch, 2, 60 * time.Second},
		{queue.Geocode, geocode.Open, 1, 1, 30 * time.Second},
	}
}

// schedule is a function called at intervals.
type schedule struct {
	name    string
	open    func(context.Context, config.Env) (start.Scheduled, error)
	every   time.Duration
	timeout time.Duration
}

// schedules are all functions called at intervals: oftener than in AWS, so that nobody waits for them.
func schedules() []schedule {
	return []schedule{
		{"export", export.Open, time.Minute, 5 * time.Minute},
		{"relay", relay.Open, 10 * time.Second, 55 * time.Second},
	}
}

// defaultTimeout is that of a queue's function which is not among workers.
const defaultTimeout = 30 * time.Second

// visibility is how long a message that was taken stays hidden. In AWS it is six times the function's timeout; here a
// failed message comes back sooner.
func visibility(name queue.Name) time.Duration {
	for _, w := range workers() {
		if w.queue == name {
			return w.timeout + 5*time.Second
		}
	}
	return defaultTimeout + 5*time.Second
}

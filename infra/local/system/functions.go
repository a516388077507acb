package system

import (
	"context"
	"fmt"
	"time"

	"github.com/lafaekstreet/backend/functions/admin"
	"github.com/lafaekstreet/backend/functions/anchor"
	"github.com/lafaekstreet/backend/functions/auth"
	"github.com/lafaekstreet/backend/functions/community"
	"github.com/lafaekstreet/backend/functions/digest"
	"github.com/lafaekstreet/backend/functions/export"
	"github.com/lafaekstreet/backend/functions/fetch"
	"github.com/lafaekstreet/backend/functions/geocode"
	"github.com/lafaekstreet/backend/functions/images"
	"github.com/lafaekstreet/backend/functions/journeys"
	"github.com/lafaekstreet/backend/functions/locations"
	"github.com/lafaekstreet/backend/functions/meta"
	"github.com/lafaekstreet/backend/functions/monitoring"
	"github.com/lafaekstreet/backend/functions/notifications"
	"github.com/lafaekstreet/backend/functions/notify"
	"github.com/lafaekstreet/backend/functions/ogc"
	"github.com/lafaekstreet/backend/functions/open311"
	"github.com/lafaekstreet/backend/functions/public"
	"github.com/lafaekstreet/backend/functions/relay"
	"github.com/lafaekstreet/backend/functions/reports"
	"github.com/lafaekstreet/backend/functions/staff"
	"github.com/lafaekstreet/backend/functions/users"
	"github.com/lafaekstreet/backend/functions/validate"
	"github.com/lafaekstreet/backend/functions/web"
	"github.com/lafaekstreet/backend/functions/webhooks"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/start"
)

// httpFunctions open the HTTP functions of the catalogue.
func httpFunctions() map[catalog.FunctionName]func(context.Context, config.Env) (*httpapi.Service, error) {
	return map[catalog.FunctionName]func(context.Context, config.Env) (*httpapi.Service, error){
		"auth": auth.Open, "admin": admin.Open, "community": community.Open, "journeys": journeys.Open, "locations": locations.Open,
		"meta": meta.Open, "monitoring": monitoring.Open, "notifications": notifications.Open, "public": public.Open,
		"open311": open311.Open, "ogc": ogc.Open,
		"reports": reports.Open, "users": users.Open, "staff": staff.Open, "web": web.Open,
	}
}

// workers open the consumers of the queues.
func workers() map[catalog.QueueName]func(context.Context, config.Env) (queue.Handler, error) {
	return map[catalog.QueueName]func(context.Context, config.Env) (queue.Handler, error){
		catalog.Images: images.Open, catalog.Anchor: anchor.Open, catalog.Validate: validate.Open, catalog.Notify: notify.Open,
		catalog.Geocode: geocode.Open, catalog.Webhooks: webhooks.Open, catalog.Fetch: fetch.Open,
	}
}

// scheduled open the functions of the schedules.
func scheduled() map[catalog.FunctionName]func(context.Context, config.Env) (start.Scheduled, error) {
	return map[catalog.FunctionName]func(context.Context, config.Env) (start.Scheduled, error){
		"digest": digest.Open, "export": export.Open, "relay": relay.Open,
	}
}

// speed divides the intervals of schedules in the catalogue, so that a developer does not wait for them. All other figures are
// those of the catalogue: a message stays hidden and comes back here as it does in AWS.
const speed = 6

// interval is how often a scheduled function is called on this machine.
func interval(f catalog.Function) time.Duration { return f.Every / speed }

// opener finds how to open a function of the catalogue.
func opener[Name ~string, Open any](all map[Name]Open, name Name) (Open, error) {
	open, ok := all[name]
	if !ok {
		return open, fmt.Errorf("the catalogue has a function %s that this machine cannot open: add it to infra/local/system/functions.go", name)
	}
	return open, nil
}

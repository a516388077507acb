// Package catalog lists the parts of the system: the functions with their limits, the routes that they serve, the queues
// and schedules that call them, the metrics that they emit, and the alarms and dashboards on these metrics.
//
// It is only data and imports nothing of this module. The CDK app, the local system, the functions and the tests read it,
// so that each limit is written once. The rights of a function are not here: see infra/grants.go.
package catalog

import (
	"slices"
	"time"
)

// Kind says what calls a function.
type Kind string

// Kinds. Each value is the name of the function of shared/start that runs such a Lambda.
const (
	HTTP     Kind = "HTTP"           // API Gateway calls it for each request
	Queue    Kind = "Queue"          // Lambda calls it with messages of the queue of its name
	Schedule Kind = "Schedule"       // EventBridge calls it at an interval
	Deploy   Kind = "CustomResource" // CloudFormation calls it during a deploy
)

// FunctionName is a folder of functions/ and the Lambda function built from it.
type FunctionName string

// Function is one Lambda function with its limits.
type Function struct {
	Name FunctionName
	Kind Kind
	// Memory is in MiB. CPU comes in proportion: one core at 1769 MiB.
	Memory int
	// Timeout is the longest that one call may take.
	Timeout time.Duration
	// Every is the interval of a scheduled function; 0 for one that runs at times of the day, and for other kinds.
	Every time.Duration
	// Daily are the times of the day, in UTC and within one hour, at which a scheduled function runs that has no interval. The
	// first one does the work, and the others what it left.
	Daily []time.Duration
}

// GatewayTimeout is how long API Gateway waits for an HTTP function. The timeout of each HTTP function is shorter, so
// that the function itself answers a request that takes too long.
const GatewayTimeout = 30 * time.Second

// NotifyTimeout is the timeout of notify, and so the longest that one run of it can work on a delivery.
const NotifyTimeout = 60 * time.Second

// Functions lists every function of the system: HTTP functions, workers of queues, scheduled functions, then those that
// only a deploy calls.
func Functions() []Function {
	return []Function{
		{Name: "auth", Kind: HTTP, Memory: 1024, Timeout: 15 * time.Second},
		{Name: "users", Kind: HTTP, Memory: 1024, Timeout: 29 * time.Second},
		{Name: "admin", Kind: HTTP, Memory: 1024, Timeout: 15 * time.Second},
		{Name: "staff", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "reports", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "community", Kind: HTTP, Memory: 512, Timeout: 15 * time.Second},
		{Name: "monitoring", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "locations", Kind: HTTP, Memory: 512, Timeout: 15 * time.Second},
		{Name: "notifications", Kind: HTTP, Memory: 512, Timeout: 15 * time.Second},
		{Name: "journeys", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "public", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "open311", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "ogc", Kind: HTTP, Memory: 512, Timeout: 29 * time.Second},
		{Name: "web", Kind: HTTP, Memory: 512, Timeout: 15 * time.Second},
		{Name: Fallback, Kind: HTTP, Memory: 256, Timeout: 10 * time.Second},

		{Name: "images", Kind: Queue, Memory: 1769, Timeout: 60 * time.Second},
		{Name: "validate", Kind: Queue, Memory: 512, Timeout: 150 * time.Second},
		{Name: "anchor", Kind: Queue, Memory: 512, Timeout: 120 * time.Second},
		{Name: "notify", Kind: Queue, Memory: 256, Timeout: NotifyTimeout},
		{Name: "geocode", Kind: Queue, Memory: 256, Timeout: 30 * time.Second},
		{Name: "webhooks", Kind: Queue, Memory: 256, Timeout: 60 * time.Second},
		{Name: "fetch", Kind: Queue, Memory: 256, Timeout: 30 * time.Second},

		{Name: "relay", Kind: Schedule, Memory: 512, Timeout: 55 * time.Second, Every: time.Minute},
		{Name: "export", Kind: Schedule, Memory: 1769, Timeout: 14 * time.Minute, Every: 15 * time.Minute},
		{Name: "digest", Kind: Schedule, Memory: 256, Timeout: 9 * time.Minute, Daily: halfPastSevenInDili()},

		{Name: "migrate", Kind: Deploy, Memory: 512, Timeout: 14 * time.Minute},
		{Name: "keys", Kind: Deploy, Memory: 128, Timeout: 2 * time.Minute},
		{Name: "verify", Kind: Deploy, Memory: 256, Timeout: 3 * time.Minute},
	}
}

// halfPastSevenInDili is 07:30 in Dili (UTC+9), and twice again for what a run left that was interrupted.
func halfPastSevenInDili() []time.Duration {
	const first = 22*time.Hour + 30*time.Minute
	return []time.Duration{first, first + 10*time.Minute, first + 20*time.Minute}
}

// Fallback is the function that answers a request no route names. It answers as the contract says for an unknown path.
const Fallback FunctionName = "meta"

// Find returns the function called name, and whether there is one.
func Find(name FunctionName) (Function, bool) {
	all := Functions()
	i := slices.IndexFunc(all, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return Function{}, false
	}
	return all[i], true
}

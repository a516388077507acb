// Package service opens the dependencies of route groups and workers from
// configuration alone, in the same way in a Lambda, on one machine and in tests.
package service

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/shared/admission"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/identity"
	"github.com/lafaekstreet/backend/shared/outbox"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/settings"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// Kit holds the dependencies that every function has.
type Kit struct {
	Name    string
	Env     config.Env
	DB      *database.DB
	Outbox  *outbox.Outbox
	Queues  *queue.Client
	AWS     aws.Config
	Clock   timestamp.Clock
	Log     *slog.Logger
	Metrics *telemetry.Metrics
	// Gate checks sessions and limits. A group that counts items, not requests, calls its Take.
	Gate     *admission.Gate
	Settings *settings.Reader
	// Links are where people reach this backend. In an HTTP answer use Links.Or(httpapi.Origin(ctx)).
	Links weblink.Base

	cache    *admission.Cache
	receipts httpapi.Receipts // nil for a function whose answers have none
}

type kitConfig struct {
	Database database.Config
	Queues   queue.Config
	Cache    admission.CacheConfig
	Limits   admission.LimitConfig
	// LimitsKey hides whose limits the database counts. Empty: the address of the database, if it has a password.
	LimitsKey string `env:"LIMITS_KEY"`
	Links     weblink.Config
	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"INFO"`
	Stage     string     `env:"STAGE" envDefault:"local"`    // names the deployment in metrics
	Version   string     `env:"AWS_LAMBDA_FUNCTION_VERSION"` // Lambda sets it
}

// Option changes how a kit is opened.
type Option func(*options)

type options struct {
	out   io.Writer
	clock timestamp.Clock
}

// WithOutput sends logs and metrics to w instead of standard error and output.
func WithOutput(w io.Writer) Option { return func(o *options) { o.out = w } }

// WithClock replaces the machine's clock.
func WithClock(c timestamp.Clock) Option { return func(o *options) { o.clock = c } }

// Open prepares the kit of the named function. Nothing connects before it is used.
func Open(ctx context.Context, name string, env config.Env, opts ...Option) (*Kit, error) {
	o := options{clock: timestamp.System{}}
	for _, opt := range opts {
		opt(&o)
	}
	cfg, err := config.Parse[kitConfig](env)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	k := &Kit{Name: name, Env: env, Clock: o.clock}
	k.Log, k.Metrics = outputs(cfg.Stage, name, cfg.LogLevel, o)
	k.Metrics.OfVersion(cfg.Version)
	if k.DB, err = database.Open(ctx, cfg.Database); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	if k.AWS, err = config.LoadAWS(ctx, env); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	k.Queues = queue.NewClient(sqs.NewFromConfig(k.AWS), cfg.Queues)
	k.Outbox = outbox.New(k.DB, k.Queues, k.Log)
	k.Settings = settings.NewReader(k.DB, k.Clock)
	if k.Links, err = weblink.New(cfg.Links); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	if k.cache, err = admission.NewCache(cfg.Cache, k.Clock, k.Metrics); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	limits := admission.NewStoredLimits(k.DB, cmp.Or(cfg.LimitsKey, cfg.Database.URL)) // a secret that all functions have
	k.Gate = admission.NewGate(k.cache, identity.NewStoredSessions(k.DB), limits, admission.NewRates(cfg.Limits, k.Settings), k.Clock)
	return k, nil
}

func outputs(stage, name string, level slog.Level, o options) (*slog.Logger, *telemetry.Metrics) {
	var logs, metrics io.Writer = os.Stderr, os.Stdout
	if o.out != nil {
		logs, metrics = o.out, o.out
	}
	return telemetry.NewLogger(logs, level).With("function", name), telemetry.NewMetrics(metrics, stage, name, o.clock)
}

// Queue makes the consumer of a queue from the function that handles one message.
func (k *Kit) Queue(name queue.Name, concurrency int, handle queue.HandlerFunc, opts ...queue.Option) queue.Handler {
	all := append([]queue.Option{queue.WithDeadLetters(k.Queues), queue.WithPostponer(k.Queues), queue.WithStarts(k.DB), queue.WithMetrics(k.Metrics)}, opts...)
	return queue.Each(name, concurrency, k.Log, handle, all...)
}

// Close closes the connections.
func (k *Kit) Close() {
	k.cache.Close()
	k.DB.Close()
}

// Revoker ends sessions, for every process at once.
func (k *Kit) Revoker() *identity.Revoker {
	if k.cache == nil {
		return identity.NewRevoker(nil)
	}
	return identity.NewRevoker(k.Gate)
}

// HTTP makes the handler of a route group.
func (k *Kit) HTTP(groups ...httpapi.Group) (*httpapi.Service, error) {
	cfg, err := config.Parse[httpConfig](k.Env)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", k.Name, err)
	}
	tokens, err := identity.NewVerifier(cfg.Tokens, k.Clock)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", k.Name, err)
	}
	return httpapi.New(httpapi.Deps{
		Tokens: tokens, Admission: k.Gate, Keys: httpapi.NewIdempotencyKeys(k.DB, k.receipts),
		Clock: k.Clock, Log: k.Log, Metrics: k.Metrics, Config: cfg.HTTP,
	}, groups...), nil
}

type httpConfig struct {
	HTTP   httpapi.Config
	Tokens identity.Config
}

// OpenGroup makes the HTTP handler of a route group, named as its function: it opens the kit, reads the group's own
// configuration C, and makes the group out of both. An error names the function that could not start.
func OpenGroup[C any, G httpapi.Group](ctx context.Context, name string, env config.Env, make func(*Kit, C) (G, error), opts ...Option) (*httpapi.Service, error) {
	kit, err := Open(ctx, name, env, opts...)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse[C](env)
	if err != nil {
		kit.Close()
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	group, err := make(kit, cfg)
	if err != nil {
		kit.Close()
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return kit.HTTP(group)
}

package system

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/infra/local/consume"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/queue"
	"github.com/lafaekstreet/backend/shared/start"
)

// startFunctions opens every function and connects it to what calls it, the gateway last.
func (s *System) startFunctions(ctx context.Context) error {
	background := &background{system: s}
	s.onStop("workers", background.stop)
	ctx, background.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := background.consumeQueues(ctx); err != nil {
		return err
	}
	if err := background.followSchedules(ctx); err != nil {
		return err
	}
	var functions []gateway.Function
	for _, g := range groups() {
		service, err := g.open(ctx, s.env)
		if err != nil {
			return fmt.Errorf("open %s: %w", g.name, err)
		}
		functions = append(functions, service)
	}
	front, err := gateway.New(s.log, functions...)
	if err != nil {
		return err
	}
	return s.serveAPI(s.withConsole(front))
}

// background is the work nobody waits for.
type background struct {
	system *System
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// stop takes nothing new and waits for what is under way.
func (b *background) stop() error {
	b.cancel()
	done := make(chan struct{})
	go func() {
		b.tasks.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainTimeout): // what is lost now is delivered again after the next start
	}
	return nil
}

func (b *background) consumeQueues(ctx context.Context) error {
	s := b.system
	cfg, err := config.LoadAWS(ctx, s.env)
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(cfg)
	urls, err := queueURLs(s.env)
	if err != nil {
		return err
	}
	for _, w := range workers() {
		handler, err := w.open(ctx, s.env)
		if err != nil {
			return fmt.Errorf("open %s: %w", w.queue, err)
		}
		source := consume.Source{Queue: urls[string(w.queue)], ARN: s.queueARNs[w.queue], Region: cfg.Region,
			Handler: handler, Batch: w.batch, Concurrency: w.concurrency, Timeout: w.timeout}
		b.tasks.Go(func() { source.Run(ctx, client, s.log) })
	}
	return nil
}

func (b *background) followSchedules(ctx context.Context) error {
	for _, schedule := range schedules() {
		function, err := schedule.open(ctx, b.system.env)
		if err != nil {
			return fmt.Errorf("open %s: %w", schedule.name, err)
		}
		b.tasks.Go(func() { b.follow(ctx, schedule, function) })
	}
	return nil
}

// follow calls the function at once and then at its interval, one call at a time.
func (b *background) follow(ctx context.Context, plan schedule, function start.Scheduled) {
	tick := time.NewTicker(plan.every)
	defer tick.Stop()
	for {
		b.call(ctx, plan, function)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (b *background) call(ctx context.Context, plan schedule, function start.Scheduled) {
	ctx, cancel := context.WithTimeout(ctx, plan.timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			b.system.log.ErrorContext(ctx, "scheduled function panicked", "schedule", plan.name, "panic", cause)
		}
	}()
	event := events.EventBridgeEvent{Version: "0", DetailType: "Scheduled Event", Source: "aws.scheduler",
		Time: time.Now().UTC(), Resources: []string{"local/" + plan.name}}
	if err := function.Run(ctx, event); err != nil && ctx.Err() == nil {
		b.system.log.WarnContext(ctx, "scheduled function failed", "schedule", plan.name, "error", err)
	}
}

// queueURLs reads QUEUE_URLS as the functions do: the environment may name queues of its own.
func queueURLs(env config.Env) (map[string]string, error) {
	cfg, err := config.Parse[queue.Config](env)
	if err != nil {
		return nil, err
	}
	for _, name := range queue.Names() {
		if cfg.URLs[string(name)] == "" {
			return nil, fmt.Errorf("QUEUE_URLS names no queue for %s", name)
		}
	}
	return cfg.URLs, nil
}

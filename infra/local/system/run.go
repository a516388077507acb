package system

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lafaekstreet/backend/infra/local/eventsource"
	"github.com/lafaekstreet/backend/infra/local/gateway"
	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/queue"
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
	functions, err := s.openHTTP(ctx)
	if err != nil {
		return err
	}
	front, err := gateway.New(s.log, functions...)
	if err != nil {
		return err
	}
	return s.serveAPI(s.withConsole(front, background))
}

// openHTTP opens the HTTP functions, each with the timeout of the catalogue.
func (s *System) openHTTP(ctx context.Context) ([]gateway.Function, error) {
	var out []gateway.Function
	for _, f := range catalog.Functions() {
		if f.Kind != catalog.HTTP {
			continue
		}
		open, err := opener(httpFunctions(), f.Name)
		if err != nil {
			return nil, err
		}
		env, err := s.envOf(f.Name)
		if err != nil {
			return nil, err
		}
		service, err := open(ctx, env)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", f.Name, err)
		}
		function := gateway.Function(service)
		if s.options.Watch != nil {
			function = s.options.Watch(service)
		}
		out = append(out, gateway.WithTimeout(function, f.Timeout))
	}
	return out, nil
}

// background is the work of the queues and the schedules.
type background struct {
	system *System
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	schedules []schedule
}

// stop receives no new messages, starts no new calls, and waits for those that are under way.
func (b *background) stop() error {
	b.cancel()
	done := make(chan struct{})
	go func() {
		b.tasks.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainTimeout): // messages that are not handled by now are delivered again after the next start
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
	for _, q := range catalog.Queues() {
		open, err := opener(workers(), q.Name)
		if err != nil {
			return err
		}
		env, err := s.envOf(catalog.FunctionName(q.Name))
		if err != nil {
			return err
		}
		handler, err := open(ctx, env)
		if err != nil {
			return fmt.Errorf("open %s: %w", q.Name, err)
		}
		source := eventsource.Mapping{Queue: urls[string(q.Name)], ARN: s.queueARNs[q.Name], Region: cfg.Region,
			Handler: handler, Batch: q.Batch, Concurrency: q.Concurrency, Timeout: q.Consumer().Timeout, Window: q.Window}
		b.tasks.Go(func() { source.Run(ctx, client, s.log) })
	}
	return nil
}

// queueURLs reads QUEUE_URLS as the functions do: the caller's environment may name queues of its own.
func queueURLs(env config.Env) (map[string]string, error) {
	cfg, err := config.Parse[queue.Config](env)
	if err != nil {
		return nil, err
	}
	for _, name := range catalog.QueueNames() {
		if cfg.URLs[string(name)] == "" {
			return nil, fmt.Errorf("QUEUE_URLS names no queue for %s", name)
		}
	}
	return cfg.URLs, nil
}

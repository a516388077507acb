package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/infra/local/apiclient"
	"github.com/lafaekstreet/backend/infra/local/faults"
	"github.com/lafaekstreet/backend/infra/local/simulation"
)

// outage is one part that fails for a while.
type outage struct {
	name  string
	share float64 // of the whole duration
	begin func(ctx context.Context) error
	end   func(ctx context.Context) error
}

// chaos makes one part after another fail, with pauses in between in which the system recovers.
func (s *ownSystem) chaos(ctx context.Context, receiver *simulation.Receiver) error {
	deadline, _ := ctx.Deadline()
	whole := time.Until(deadline)
	pause(ctx, whole/20)
	for _, t := range s.outages(receiver) {
		if ctx.Err() != nil {
			return nil
		}
		say("  %s", t.name)
		// An outage always ends, also after the deadline: the reconciliation needs a whole system.
		lasting := context.WithoutCancel(ctx)
		if err := t.begin(lasting); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		pause(ctx, time.Duration(t.share*float64(whole)))
		if err := t.end(lasting); err != nil {
			return fmt.Errorf("end of %s: %w", t.name, err)
		}
		say("  … over")
		pause(ctx, whole/40)
	}
	return nil
}

func (s *ownSystem) outages(receiver *simulation.Receiver) []outage {
	failing := func(name string, share float64, f ...faults.Fault) outage {
		return outage{name, share, func(ctx context.Context) error { return s.fault(ctx, f...) }, s.clearFaults}
	}
	all := func(service, operation string, mode faults.Mode) faults.Fault {
		return faults.Fault{Service: service, Operation: operation, Mode: mode, Count: faults.Forever}
	}
	killed := outage{"the system is killed (SIGKILL) and started again", 0.005, func(context.Context) error { return s.kill() }, s.startSystem}
	away := func(is bool) func(context.Context) error {
		return func(context.Context) error { receiver.SetAway(is); return nil }
	}
	return []outage{
		{"PostgreSQL restarts", 0.01, s.stopDatabase, s.startDatabase},
		failing("Bedrock fails", 0.1, all("bedrock", "", faults.Error)),
		{"the cache dies", 0.04, s.stopCache, s.startCache},
		failing("the queues stall", 0.035, all("sqs", "", faults.Error)),
		killed,
		failing("the ledger's nodes fail", 0.1, all("hedera", "", faults.Error)),
		failing("the ledger answers, and its answers are lost", 0.03, all("hedera", "", faults.DropReply)),
		failing("the mirror node fails", 0.05, all("mirror", "", faults.Error)),
		{"the receiver of the webhook is away", 0.03, away(true), away(false)},
		{"PostgreSQL is away", 0.03, s.stopDatabase, s.startDatabase},
		failing("storage throttles", 0.02, all("s3", "", faults.Throttle)),
		failing("the signer is throttled and mail is down", 0.03, all("kms", "", faults.Throttle), all("smtp", "", faults.Error)),
		killed,
		failing("messages are taken, and the answer is lost", 0.02, all("sqs", "SendMessageBatch", faults.DropReply)),
		{"the cache and PostgreSQL go at once", 0.02,
			func(ctx context.Context) error {
				if err := s.stopCache(ctx); err != nil {
					return err
				}
				return s.stopDatabase(ctx)
			},
			func(ctx context.Context) error {
				if err := s.startDatabase(ctx); err != nil {
					return err
				}
				return s.startCache(ctx)
			}},
		killed,
	}
}

func (s *ownSystem) stopDatabase(context.Context) error {
	s.database.connectTo("")
	return s.cluster.Stop()
}

func (s *ownSystem) stopCache(context.Context) error {
	s.cached.connectTo("")
	return s.cache.Stop()
}

func (s *ownSystem) fault(ctx context.Context, f ...faults.Fault) error {
	return s.console().Call(ctx, apiclient.Request{Method: http.MethodPost, Path: "//_local/faults", Body: f}, nil)
}

func (s *ownSystem) clearFaults(ctx context.Context) error {
	return s.console().Call(ctx, apiclient.Request{Method: http.MethodDelete, Path: "//_local/faults"}, nil)
}

func (s *ownSystem) console() apiclient.Client { return apiclient.Client{URL: s.url()} }

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

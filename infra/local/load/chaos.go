package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lafaekstreet/backend/infra/local/faults"
)

// trouble is one thing that goes wrong, and is over after a while.
type trouble struct {
	name  string
	share float64 // of the whole time
	begin func(ctx context.Context) error
	end   func(ctx context.Context) error
}

// chaos breaks one part after another, with time in between for what was broken to show.
func (s *stand) chaos(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	whole := time.Until(deadline)
	pause(ctx, whole/20)
	for _, t := range s.troubles() {
		if ctx.Err() != nil {
			return nil
		}
		say("  %s", t.name)
		// What was begun is ended, whatever the time: the account is made of a whole system.
		unhurried := context.WithoutCancel(ctx)
		if err := t.begin(unhurried); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		pause(ctx, time.Duration(t.share*float64(whole)))
		if err := t.end(unhurried); err != nil {
			return fmt.Errorf("end of %s: %w", t.name, err)
		}
		say("  … over")
		pause(ctx, whole/40)
	}
	return nil
}

func (s *stand) troubles() []trouble {
	failing := func(name string, share float64, f ...faults.Fault) trouble {
		return trouble{name, share, func(ctx context.Context) error { return s.fault(ctx, f...) }, s.mend}
	}
	all := func(service, operation string, mode faults.Mode) faults.Fault {
		return faults.Fault{Service: service, Operation: operation, Mode: mode, Count: faults.Forever}
	}
	killed := trouble{"the system is killed (SIGKILL) and started again", 0.005, func(context.Context) error { return s.kill() }, s.startSystem}
	return []trouble{
		{"PostgreSQL restarts", 0.01, s.stopDatabase, s.startDatabase},
		failing("Bedrock fails", 0.1, all("bedrock", "", faults.Error)),
		{"the cache dies", 0.04, s.stopCache, s.startCache},
		failing("the queues stall", 0.035, all("sqs", "", faults.Error)),
		killed,
		failing("the ledger's nodes fail", 0.1, all("hedera", "", faults.Error)),
		failing("the ledger answers, and its answers are lost", 0.03, all("hedera", "", faults.DropReply)),
		failing("the mirror node fails", 0.05, all("mirror", "", faults.Error)),
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

func (s *stand) stopDatabase(context.Context) error {
	s.database.turn("")
	return s.cluster.Stop()
}

func (s *stand) stopCache(context.Context) error {
	s.cached.turn("")
	return s.cache.Stop()
}

func (s *stand) fault(ctx context.Context, f ...faults.Fault) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return s.console(ctx, http.MethodPost, raw)
}

func (s *stand) mend(ctx context.Context) error { return s.console(ctx, http.MethodDelete, nil) }

func (s *stand) console(ctx context.Context, method string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url()+"/_local/faults", bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the console answers %d", res.StatusCode)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

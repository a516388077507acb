package meta

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/valkey-io/valkey-go"

	"github.com/lafaekstreet/backend/shared/database"
	"github.com/lafaekstreet/backend/shared/queue"
)

// probeTimeout bounds the whole check, so that it ends before the gateway's time limit.
const probeTimeout = 2 * time.Second

type probeConfig struct {
	Queues   queue.Config
	CacheURL string `env:"CACHE_URL"`
}

// probes are what readiness depends on.
type probes struct {
	db    *database.DB
	sqs   *sqs.Client
	urls  []string
	cache string
}

func newProbes(db *database.DB, cfg aws.Config, c probeConfig) probes {
	return probes{db: db, sqs: sqs.NewFromConfig(cfg), urls: slices.Sorted(maps.Values(c.Queues.URLs)), cache: c.CacheURL}
}

type readiness struct {
	Status string `json:"status" enum:"ready,degraded,unavailable" doc:"degraded: the cache alone is down, and everything works without it"`
	Checks struct {
		_        struct{} `schema:"ReadinessChecks"`
		Database string   `json:"database" enum:"ok,down"`
		Cache    string   `json:"cache" enum:"ok,down,none"`
		Queues   string   `json:"queues" enum:"ok,down,none"`
	} `json:"checks"`
}

type readyOutput struct {
	Status int
	Body   readiness
}

// readyFor is how long an answer of /health/ready is used again, so that the route costs the database at most one statement a
// second for each instance.
const readyFor = time.Second

// lastReady is the last answer of /health/ready. Requests that come while it is made wait for it.
type lastReady struct {
	mu     sync.Mutex
	at     time.Time
	answer *readyOutput // nil before the first
}

func (g *Group) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	g.last.mu.Lock()
	defer g.last.mu.Unlock()
	if now := g.clock.Now(); g.last.answer == nil || now.Sub(g.last.at) >= readyFor {
		// Other requests get the same answer. So it is made even if this client hangs up.
		g.last.answer, g.last.at = g.probe(context.WithoutCancel(ctx)), now
	}
	return g.last.answer, nil
}

// probe asks everything that readiness depends on.
func (g *Group) probe(ctx context.Context) *readyOutput {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	out := &readyOutput{Status: http.StatusOK}
	var wg sync.WaitGroup
	wg.Go(func() { out.Body.Checks.Database = verdict(g.probes.db.Ping(ctx)) })
	wg.Go(func() { out.Body.Checks.Cache = verdict(g.probes.pingCache(ctx)) })
	wg.Go(func() { out.Body.Checks.Queues = verdict(g.probes.askQueues(ctx)) })
	wg.Wait()
	out.Body.Status = "ready"
	if out.Body.Checks.Cache == "down" {
		out.Body.Status = "degraded"
	}
	if out.Body.Checks.Database == "down" || out.Body.Checks.Queues == "down" {
		out.Status, out.Body.Status = http.StatusServiceUnavailable, "unavailable"
	}
	return out
}

var errNone = errors.New("not configured")

func verdict(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, errNone):
		return "none"
	}
	return "down"
}

func (p probes) askQueues(ctx context.Context) error {
	if len(p.urls) == 0 {
		return errNone
	}
	_, err := p.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(p.urls[0]), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	}, func(o *sqs.Options) { o.RetryMaxAttempts = 1 })
	return err
}

// pingCache sends a PING as every Redis-like server answers it, with or without a password.
func (p probes) pingCache(ctx context.Context) error {
	if p.cache == "" {
		return errNone
	}
	o, err := valkey.ParseURL(p.cache) // as the cache itself reads it
	if err != nil {
		return errors.New("CACHE_URL is malformed")
	}
	var conn net.Conn
	if o.TLSConfig != nil {
		conn, err = (&tls.Dialer{Config: o.TLSConfig}).DialContext(ctx, "tcp", o.InitAddress[0])
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", o.InitAddress[0])
	}
	if err != nil {
		return fmt.Errorf("connect to cache: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("ping cache: %w", err)
		}
	}
	if _, err := conn.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
		return fmt.Errorf("ping cache: %w", err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || (!strings.HasPrefix(line, "+PONG") && !strings.HasPrefix(line, "-NOAUTH")) {
		return errors.New("cache does not answer PING")
	}
	return nil
}

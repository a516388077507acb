package admission

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/lafaekstreet/backend/shared/catalog"
	"github.com/lafaekstreet/backend/shared/telemetry"
	"github.com/lafaekstreet/backend/shared/timestamp"
)

// CacheConfig says where the cache is and how long to wait for it.
type CacheConfig struct {
	// URL is redis:// or rediss:// (TLS); empty for a system without a cache.
	URL string `env:"CACHE_URL"`
	// Timeout bounds one use. After it the database is asked.
	Timeout time.Duration `env:"CACHE_TIMEOUT" envDefault:"250ms"`
}

// ErrDown reports that the cache cannot be used now; the caller goes on without it.
var ErrDown = errors.New("cache is down")

// downFor is how long Use does not ask the cache after it failed.
const downFor = 2 * time.Second

// Cache is a connection to Valkey. It connects at the first use and again after a
// failure. A nil Cache is always down.
type Cache struct {
	options valkey.ClientOption
	timeout time.Duration
	clock   timestamp.Clock
	metrics *telemetry.Metrics

	mu        sync.Mutex
	client    valkey.Client
	connects  bool      // one caller is connecting; others do not wait and get ErrDown
	downUntil time.Time // no attempt before this time
}

// NewCache makes the cache of c; nil where none is configured.
func NewCache(c CacheConfig, now timestamp.Clock, m *telemetry.Metrics) (*Cache, error) {
	if c.URL == "" {
		return nil, nil
	}
	o, err := valkey.ParseURL(c.URL)
	if err != nil {
		return nil, errors.New("CACHE_URL is malformed")
	}
	o.DisableCache = true // no client-side caching: a revocation must be seen at once
	o.DisableRetry = true // the fallback is faster
	o.Dialer = net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second}
	o.ConnWriteTimeout = 2 * c.Timeout
	o.BlockingPoolSize, o.PipelineMultiplex = 2, 1
	o.ReadBufferEachConn, o.WriteBufferEachConn = 16<<10, 16<<10
	return &Cache{options: o, timeout: c.Timeout, clock: now, metrics: m}, nil
}

// Use runs f with a connection, within the timeout. It runs f a second time when the
// connection was lost unnoticed, as after a pause of the process. A failure that is
// not a reply of the server stops the use of the cache for 2 s, and Use returns ErrDown.
func (c *Cache) Use(ctx context.Context, f func(context.Context, valkey.Client) error) error {
	if c == nil || c.down() {
		return ErrDown
	}
	return c.UseAlways(ctx, f)
}

// UseAlways is Use that also tries within the 2 s after a failure.
func (c *Cache) UseAlways(ctx context.Context, f func(context.Context, valkey.Client) error) error {
	if c == nil {
		return ErrDown
	}
	err := c.try(ctx, f)
	if errors.Is(err, ErrDown) && !errors.Is(err, context.DeadlineExceeded) { // a slow server is not asked twice
		err = c.try(ctx, f)
	}
	return err
}

func (c *Cache) try(ctx context.Context, f func(context.Context, valkey.Client) error) error {
	client, err := c.connected()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err = f(ctx, client)
	if _, reply := valkey.IsValkeyErr(err); err == nil || reply {
		c.recovered()
		return err
	}
	c.fail()
	return fmt.Errorf("%w: %w", ErrDown, err)
}

// down reports that the cache failed less than downFor ago.
func (c *Cache) down() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock.Now().Before(c.downUntil)
}

// Close closes the connection.
func (c *Cache) Close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client != nil {
		c.client.Close()
		c.client = nil
	}
}

func (c *Cache) connected() (valkey.Client, error) {
	c.mu.Lock()
	if c.client == nil && c.connects {
		c.mu.Unlock()
		return nil, ErrDown
	}
	if c.client != nil {
		defer c.mu.Unlock()
		return c.client, nil
	}
	c.connects = true
	c.mu.Unlock()
	client, err := valkey.NewClient(c.options)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connects = false
	if err != nil {
		c.downUntil = c.clock.Now().Add(downFor)
		c.metrics.Add(catalog.CacheUnavailable)
		return nil, fmt.Errorf("%w: %w", ErrDown, err)
	}
	c.client = client
	return client, nil
}

func (c *Cache) recovered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.downUntil = time.Time{}
}

func (c *Cache) fail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.downUntil = c.clock.Now().Add(downFor)
	c.metrics.Add(catalog.CacheUnavailable)
}

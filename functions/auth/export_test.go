package auth

import (
	"context"
	"sync/atomic"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/credential"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/service"
)

// OpenWith is Open with a clock and an output of the test's own, counting the
// password hashes that are computed.
func OpenWith(ctx context.Context, env config.Env, hashes *atomic.Int64, opts ...service.Option) (*httpapi.Service, error) {
	counted := func(kit *service.Kit, cfg Config) (*Group, error) {
		g, err := New(kit, cfg)
		if err == nil {
			g.hasher = counting{g.hasher, hashes}
		}
		return g, err
	}
	return service.OpenGroup(ctx, "auth", env, counted, opts...)
}

type counting struct {
	hasher
	n *atomic.Int64
}

func (c counting) Hash(ctx context.Context, given string) (string, error) {
	c.n.Add(1)
	return c.hasher.Hash(ctx, given)
}

func (c counting) HashWith(ctx context.Context, given string, salt []byte) (string, error) {
	c.n.Add(1)
	return c.hasher.HashWith(ctx, given, salt)
}

func (c counting) Check(ctx context.Context, hash, given string) (credential.Verdict, error) {
	c.n.Add(1)
	return c.hasher.Check(ctx, hash, given)
}

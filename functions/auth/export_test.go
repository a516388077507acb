package auth

import (
	"context"
	"sync/atomic"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/password"
	"github.com/lafaekstreet/backend/shared/service"
)

// OpenWith is Open with a clock and an output of the test's own, counting the
// password hashes that are computed.
func OpenWith(ctx context.Context, env config.Env, hashes *atomic.Int64, opts ...service.Option) (*httpapi.Service, error) {
	kit, err := service.Open(ctx, "auth", env, opts...)
	if err != nil {
		return nil, err
	}
	g, err := newGroup(kit, env)
	if err != nil {
		return nil, err
	}
	g.hasher = counting{g.hasher, hashes}
	return kit.HTTP(g)
}

type counting struct {
	hasher
	n *atomic.Int64
}

func (c counting) Hash(ctx context.Context, given string) (string, error) {
	c.n.Add(1)
	return c.hasher.Hash(ctx, given)
}

func (c counting) Check(ctx context.Context, hash, given string) (password.Verdict, error) {
	c.n.Add(1)
	return c.hasher.Check(ctx, hash, given)
}

package service

import (
	"context"
	"fmt"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
)

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

package open311

import (
	"context"

	"github.com/lafaekstreet/backend/shared/config"
	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/service"
)

// OpenBounded is Open with other bounds: bytes as they are and with gzip, rows, and items before a page.
func OpenBounded(plain, packed, rows, before int) func(context.Context, config.Env) (*httpapi.Service, error) {
	return func(ctx context.Context, env config.Env) (*httpapi.Service, error) {
		return service.OpenGroup(ctx, name, env, func(kit *service.Kit, cfg groupConfig) (*Group, error) {
			g, err := New(kit, cfg)
			if err == nil {
				g.bounds = bounds{plain, packed, rows, before}
			}
			return g, err
		})
	}
}

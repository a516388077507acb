package system

import (
	"context"

	"github.com/lafaekstreet/backend/infra/local/cache"
)

// startCache runs a cache unless CACHE_URL names one.
func (s *System) startCache(ctx context.Context) error {
	if s.env["CACHE_URL"] != "" {
		s.runs("cache", "CACHE_URL")
		return nil
	}
	server, err := cache.Start(ctx)
	if err != nil {
		return err
	}
	s.onStop("cache", server.Stop)
	s.set("CACHE_URL", server.URL())
	s.runs("cache", server.URL()+" ("+server.Name+")")
	return nil
}

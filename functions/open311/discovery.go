package open311

import (
	"context"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/weblink"
)

// changeset is when services, definitions or discovery last changed. Clients read them again when it does. TestChangeset fails
// when they changed and this did not.
const changeset = "2026-11-29T00:00:00Z"

// testStages are the stages whose reports nobody acts upon. Discovery says production of all others.
func testStages() []string { return []string{"local", "dev", "test", "e2e", "demo", "staging"} }

// specification is the token of GeoReport v2 in discovery.
const specification = "http://wiki.open311.org/GeoReport_v2"

func (g *Group) registerDiscovery(a *httpapi.API) {
	register(g, a, read("/discovery", "Where the endpoints are"), g.discovery)
}

type discoveryInput struct{ Call }

func (g *Group) discovery(ctx context.Context, _ *discoveryInput) (*answer, error) {
	base, stage := g.base(ctx), "test"
	if g.production {
		stage = "production"
	}
	endpoint := object{{"specification", specification}, {"url", base.String() + root}, {"changeset", changeset}, {"type", stage},
		{"formats", list{"format", []any{"text/xml", "application/json"}}}}
	text := func(key string) string {
		return locale.TextFor(ctx, "open311."+key) + " " + base.String()
	}
	return &answer{document: document{"discovery", object{{"changeset", changeset}, {"contact", text("contact")}, {"key_service", text("key_service")},
		{"endpoints", list{"endpoint", []any{endpoint}}}}}}, nil
}

// base is where people and programs reach this backend.
func (g *Group) base(ctx context.Context) weblink.Base { return g.weblinks.Or(httpapi.Origin(ctx)) }

package open311

import (
	"context"
	"strings"

	"github.com/lafaekstreet/backend/shared/httpapi"
	"github.com/lafaekstreet/backend/shared/locale"
	"github.com/lafaekstreet/backend/shared/report"
)

func (g *Group) registerServices(a *httpapi.API) {
	register(g, a, read("/services", "The services: one for each issue type"), g.services)
	register(g, a, read("/services/{service_code}", "The attributes of a service"), g.definition)
}

// serviceOf is the issue type with a service_code; false for none. Case does not matter.
func serviceOf(code string) (report.IssueType, bool) {
	for _, t := range report.IssueTypes() {
		if strings.EqualFold(string(t), code) {
			return t, true
		}
	}
	return "", false
}

// group is the key of the text for the group of a service.
func group(t report.IssueType) string {
	switch t {
	case report.Pothole, report.RoadDamage, report.Bridge, report.Sidewalk:
		return "open311.group.roads"
	case report.Flooding, report.Drainage, report.WaterSupply:
		return "open311.group.water"
	case report.StreetLight, report.TrafficSign:
		return "open311.group.lights"
	case report.Debris, report.Waste:
		return "open311.group.waste"
	}
	return "open311.group.other"
}

type servicesInput struct{ Call }

func (g *Group) services(ctx context.Context, _ *servicesInput) (*answer, error) {
	all := list{item: "service"}
	for _, t := range report.IssueTypes() {
		all.values = append(all.values, object{
			{"service_code", string(t)},
			{"service_name", t.Label(locale.FromContext(ctx))},
			{"description", locale.TextFor(ctx, "open311.service."+string(t))},
			{"metadata", true},
			{"type", "realtime"},
			{"keywords", locale.TextFor(ctx, "open311.keywords."+string(t))},
			{"group", locale.TextFor(ctx, group(t))},
		})
	}
	return &answer{document: document{"services", all}}, nil
}

type definitionInput struct {
	Call
	Code string `path:"service_code" doc:"A service_code of the list of services, and the format"`
}

func (g *Group) definition(ctx context.Context, in *definitionInput) (*answer, error) {
	t, ok := serviceOf(in.last())
	if !ok {
		return nil, notFound("service_code", "there is no such service")
	}
	all := list{item: "attribute"}
	for i, a := range attributes() {
		all.values = append(all.values, a.describe(ctx, i+1))
	}
	return &answer{document: document{"service_definition", object{{"service_code", string(t)}, {"attributes", all}}}}, nil
}

package catalog

import (
	"regexp"
	"slices"
)

// MaxGatewayRoutes is the most routes that the HTTP API may have. AWS accepts 300; during a deploy old and new ones exist
// side by side.
const MaxGatewayRoutes = 250

// prefix is a path that leads to one function, with everything below it. What is at or below a longer prefix leads to the
// function of that one.
type prefix struct {
	function FunctionName
	path     string
}

// prefixes lists what leads to which function. All other paths lead to Fallback.
func prefixes() []prefix {
	return []prefix{
		{"auth", "/api/v1/auth"},
		{"users", "/api/v1/users"},
		{"auth", "/api/v1/users/register"},
		{"auth", "/api/v1/users/resend-verification"},
		{"auth", "/api/v1/users/reset-password"},
		{"auth", "/api/v1/users/update-password"},
		{"auth", "/api/v1/users/verify-email"},
		{"journeys", "/api/v1/users/{user_id}/journeys"},

		{"admin", "/api/v1/admin"},
		{"staff", "/api/v1/admin/users/{id}/reports"},
		{"staff", "/api/v1/staff"},

		{"reports", "/api/v1/reports"},
		{"monitoring", "/api/v1/reports/stats"},
		{"community", "/api/v1/reports/{id}/ai-analysis"},
		{"staff", "/api/v1/reports/{id}/ai-analysis/override"},
		{"staff", "/api/v1/reports/{id}/appeal"},
		{"community", "/api/v1/reports/{id}/comments"},
		{"staff", "/api/v1/reports/{id}/log"},
		{"staff", "/api/v1/reports/{id}/notes"},
		{"staff", "/api/v1/reports/{id}/reporter"},
		{"journeys", "/api/v1/reports/{id}/riders-affected"},

		{"monitoring", "/api/v1/blockchain"},
		{"locations", "/api/v1/locations"},
		{"notifications", "/api/v1/notifications"},
		{"notifications", "/api/v1/alerts"},
		{"notifications", "/unsubscribe"},
		{"journeys", "/api/v1/journeys"},
		{"public", "/api/v1/public"},
		{"community", "/api/v1/public/reports/{id}/comments"},
		{"public", "/log"},
		{"public", "/verify"},
		{"open311", "/open311"},
		{"ogc", "/ogc"},

		{"web", "/"},
		{"web", "/admin"},
		{"web", "/assets"},
		{"web", "/desk"},
		{"web", "/map"},
		{"web", "/me"},
		{"web", "/r"},
		{"web", "/report"},
		{"web", "/report-worker.js"},
		{"web", "/stats"},
		{"web", "/welcome"},
	}
}

// GatewayRoute is one route of the HTTP API.
type GatewayRoute struct {
	// Key is "ANY", a space and a path, or "$default". A path may end in {proxy+}, which matches one or more segments; the last of
	// them may be empty. Another {name} matches one whole segment.
	Key      string
	Function FunctionName
}

// GatewayRoutes lists the routes of the HTTP API: ANY for each prefix that is a path of Routes, ANY for what is below a prefix,
// and $default. An HTTP API has no route that ends in a slash, and its route /a does not match a request for /a/. So a prefix
// without anything below it has both routes too: the second one leads /a/ to the same function.
func GatewayRoutes() []GatewayRoute {
	var out []GatewayRoute
	names := regexp.MustCompile(`{[^}]*}`)
	shape := func(path string) string { return names.ReplaceAllString(path, "{}") }
	routes := Routes()
	for _, p := range prefixes() {
		if slices.ContainsFunc(routes, func(r Route) bool { return shape(r.Path) == shape(p.path) }) {
			out = append(out, GatewayRoute{"ANY " + p.path, p.function})
		}
		if p.path != "/" { // what no prefix names is of Fallback
			out = append(out, GatewayRoute{"ANY " + p.path + "/{proxy+}", p.function})
		}
	}
	return append(out, GatewayRoute{"$default", Fallback})
}
